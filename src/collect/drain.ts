/** How the gateway ends its work: in order, and in bounded time even where a meter or the database does not answer. */

export interface Draining {
  /** Starts nothing new; its stop ends when the work that runs has ended. */
  readonly loop: { stop(): Promise<void> };
  /** The sessions with meters. */
  readonly sessions: { abort(): void };
  /** The rows that wait for the database; sessions wait for them in turn. */
  readonly rows: { stop(timeoutMs: number): Promise<void> };
}

/**
 * Sessions get `graceMs` to end by themselves. What still runs then is cut, and rows that can't be kept within `leftMs`
 * are given up: what waits for them would else never end. They are still in the meters.
 */
export async function drain(
  { loop, sessions, rows }: Draining,
  graceMs: number,
  leftMs: () => number = () => graceMs,
): Promise<void> {
  let cut = Promise.resolve();
  const timer = setTimeout(() => {
    sessions.abort();
    cut = rows.stop(leftMs());
  }, graceMs);
  await loop.stop();
  clearTimeout(timer);
  await cut;
}

/** One deadline for everything that ends, one after the other, when the gateway stops: what hangs takes it from nobody. */
export class StopDeadline {
  readonly #wholeMs: number;
  #endMs: number | undefined;

  constructor(wholeMs: number) {
    this.#wholeMs = wholeMs;
  }

  /** The time runs from now on, if it did not before. */
  start(): void {
    this.#endMs ??= performance.now() + this.#wholeMs;
  }

  /** What is left; the time runs from the first question on at the latest. */
  get leftMs(): number {
    this.start();
    return Math.max(0, (this.#endMs ?? 0) - performance.now());
  }

  /** Waits for work, but not beyond the deadline; what it throws in time is thrown. */
  async bound(work: Promise<unknown>): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(() => late.resolve(), this.leftMs);
    work.catch(() => undefined);
    await Promise.race([work, late.promise]);
    clearTimeout(timer);
  }
}
