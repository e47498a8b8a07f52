const WIDTH = 24;

export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly elapsedMs: number;
}

/** `███████░░░  18/24 meters  12.4/s  0.5 s left` */
export function progressBar(progress: Progress, noun: string): string {
  const { done, total, elapsedMs } = progress;
  const filled = total === 0 ? WIDTH : Math.round((done / total) * WIDTH);
  const bar = "█".repeat(filled) + "░".repeat(WIDTH - filled);
  const rate = elapsedMs > 0 ? (done / elapsedMs) * 1000 : 0;
  const left = rate > 0 && done < total ? `  ${((total - done) / rate).toFixed(1)} s left` : "";
  return `${bar}  ${done}/${total} ${noun}  ${rate.toFixed(1)}/s${left}`;
}
