import { LANES, type Lane } from "./lane-queue.ts";

type Job = () => void;

/** Jobs that wait, in the order of the lanes; within a lane their owners take turns, each with its jobs as they came. */
export class WaitingJobs<Owner> {
  readonly #lanes = new Map<Lane, Map<Owner, Job[]>>(LANES.map((lane) => [lane, new Map()]));
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(lane: Lane, owner: Owner, job: Job): void {
    const owners = this.#lanes.get(lane);
    const own = owners?.get(owner);
    if (own === undefined) owners?.set(owner, [job]);
    else own.push(job);
    this.#size++;
  }

  take(): Job | undefined {
    for (const owners of this.#lanes.values()) {
      for (const [owner, jobs] of owners) {
        owners.delete(owner);
        const job = jobs.shift();
        if (jobs.length > 0) owners.set(owner, jobs);
        this.#size--;
        return job;
      }
    }
    return undefined;
  }

  clear(): void {
    for (const owners of this.#lanes.values()) owners.clear();
    this.#size = 0;
  }
}
