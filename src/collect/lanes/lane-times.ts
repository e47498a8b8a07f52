/** How long jobs of each lane wait and run, as percentiles over classes that grow by a fifth: a job costs two additions. */
import { LANES, type Lane } from "./lane-queue.ts";

const GROWTH = Math.log(1.2);
const CLASSES = 128;

class Histogram {
  readonly #counts = new Uint32Array(CLASSES);
  count = 0;

  add(ms: number): void {
    const place = ms < 1 ? 0 : Math.min(CLASSES - 1, 1 + Math.floor(Math.log(ms) / GROWTH));
    this.#counts[place] = (this.#counts[place] ?? 0) + 1;
    this.count++;
  }

  /** The upper bound of the class in which the percentile lies; 0 for nothing. */
  percentile(part: number): number {
    let left = Math.ceil(this.count * part);
    for (const [place, count] of this.#counts.entries()) {
      left -= count;
      if (left <= 0) return place === 0 ? 0 : Math.round(Math.exp(place * GROWTH));
    }
    return 0;
  }
}

function percentiles(histogram: Histogram): Percentiles {
  return { p50: histogram.percentile(0.5), p99: histogram.percentile(0.99) };
}

interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

export interface LaneReport {
  readonly jobs: number;
  readonly waitMs: Percentiles;
  readonly runMs: Percentiles;
}

export class LaneTimes {
  readonly #lanes = new Map<Lane, { readonly wait: Histogram; readonly run: Histogram }>(
    LANES.map((lane) => [lane, { wait: new Histogram(), run: new Histogram() }]),
  );

  add(lane: Lane, waitMs: number, runMs: number): void {
    this.#lanes.get(lane)?.wait.add(waitMs);
    this.#lanes.get(lane)?.run.add(runMs);
  }

  report(): ReadonlyMap<Lane, LaneReport> {
    return new Map(
      Array.from(this.#lanes, ([lane, { wait, run }]) => [
        lane,
        { jobs: run.count, waitMs: percentiles(wait), runMs: percentiles(run) },
      ]),
    );
  }
}
