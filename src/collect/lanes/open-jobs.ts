/** The jobs of a loop that have not ended: who they are for, and what they wait for. */
import type { Lane } from "./lane-queue.ts";

/** What a job waits for, in this order, or that it runs. */
export type JobStage = "limit" | "line" | "place" | "running";

export interface OpenJob<Meter> {
  readonly meter: Meter;
  readonly lane: Lane;
  /** In words: readings, or what somebody asked for. */
  readonly what: string;
  readonly askedMs: number;
  stage: JobStage;
  /** When it began to run, or was asked for. */
  sinceMs: number;
}

export class OpenJobs<Meter> {
  readonly #jobs = new Set<OpenJob<Meter>>();

  /** Opens a job until what it does has ended. */
  async during<T>(job: OpenJob<Meter>, work: () => Promise<T>): Promise<T> {
    this.#jobs.add(job);
    try {
      return await work();
    } finally {
      this.#jobs.delete(job);
    }
  }

  /** Those that run, then those that wait, each as they were asked for. */
  *inOrder(): Generator<OpenJob<Meter>> {
    for (const job of this.#jobs) if (job.stage === "running") yield job;
    for (const job of this.#jobs) if (job.stage !== "running") yield job;
  }
}
