import type { Queue, QueueAddOptions } from "p-queue";

/** In this order of precedence; each has its bucket, so that adding and taking cost the same however long the queue. */
export const LANES = ["control", "on_demand", "scheduled", "backfill"] as const;
export type Lane = (typeof LANES)[number];

/** The p-queue priority of a lane: larger goes first. */
export function lanePriority(lane: Lane): number {
  return LANES.length - LANES.indexOf(lane);
}

type Job = () => Promise<unknown>;

/** First in, first out inside a lane. p-queue's own class inserts by binary search and `splice`, O(n) for priorities. */
export class LaneQueue implements Queue<Job, QueueAddOptions> {
  readonly #buckets: Bucket[] = Array.from({ length: LANES.length + 1 }, () => new Bucket());
  /** What still waits, with its priority; a removed job stays in its bucket until its turn and is passed over then. */
  readonly #waiting = new Map<Job, { readonly priority: number; readonly id: string | undefined }>();
  readonly #jobsById = new Map<string, Job>();

  get size(): number {
    return this.#waiting.size;
  }

  enqueue(run: Job, options?: Partial<QueueAddOptions>): void {
    const priority = Math.min(Math.max(Math.trunc(options?.priority ?? 0), 0), LANES.length);
    this.#waiting.set(run, { priority, id: options?.id });
    if (options?.id !== undefined) this.#jobsById.set(options.id, run);
    this.#buckets[priority]?.push(run);
  }

  dequeue(): Job | undefined {
    for (let priority = LANES.length; priority >= 0; priority--) {
      const job = this.#takeWaiting(priority);
      if (job !== undefined) return job;
    }
    return undefined;
  }

  filter(options: Readonly<Partial<QueueAddOptions>>): Job[] {
    return [...this.#waiting].filter(([, waiting]) => waiting.priority === options.priority).map(([job]) => job);
  }

  setPriority(id: string, priority: number): void {
    const job = this.#jobsById.get(id);
    if (job === undefined || !this.#waiting.has(job)) throw new ReferenceError(`no job with the id ${id} waits`);
    this.enqueue(job, { priority, id });
  }

  remove(idOrRun: string | Job): void {
    const job = typeof idOrRun === "string" ? this.#jobsById.get(idOrRun) : idOrRun;
    if (job !== undefined) this.#forget(job);
  }

  #takeWaiting(priority: number): Job | undefined {
    const bucket = this.#buckets[priority];
    for (let job = bucket?.shift(); job !== undefined; job = bucket?.shift()) {
      if (this.#waiting.get(job)?.priority !== priority) continue;
      this.#forget(job);
      return job;
    }
    return undefined;
  }

  #forget(job: Job): void {
    const id = this.#waiting.get(job)?.id;
    if (id !== undefined) this.#jobsById.delete(id);
    this.#waiting.delete(job);
  }
}

/** A queue over two arrays: each job is moved once, so that both ends cost O(1) on average. */
class Bucket {
  #incoming: Job[] = [];
  #outgoing: Job[] = [];

  push(job: Job): void {
    this.#incoming.push(job);
  }

  shift(): Job | undefined {
    if (this.#outgoing.length === 0) {
      this.#outgoing = this.#incoming.reverse();
      this.#incoming = [];
    }
    return this.#outgoing.pop();
  }
}
