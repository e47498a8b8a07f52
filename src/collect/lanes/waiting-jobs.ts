import { LANES, type Lane } from "./lane-queue.ts";

type Job = () => void;

interface WaitingLane<Owner> {
  readonly owners: Map<Owner, Job[]>;
  /** How often others had their turn while something waited here. */
  passedOver: number;
}

/** So many jobs of others go before one of a lane that waits, at most. */
const PASSED_OVER = 3;

/**
 * Jobs that wait, in the order of the lanes, but so that none waits for all that is asked in those before it; within a
 * lane their owners take turns, each with its jobs as they came.
 */
export class WaitingJobs<Owner> {
  readonly #lanes = new Map<Lane, WaitingLane<Owner>>(
    LANES.map((lane) => [lane, { owners: new Map(), passedOver: 0 }]),
  );
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(lane: Lane, owner: Owner, job: Job): void {
    const owners = this.#lanes.get(lane)?.owners;
    const own = owners?.get(owner);
    if (own === undefined) owners?.set(owner, [job]);
    else own.push(job);
    this.#size++;
  }

  take(): Job | undefined {
    const waiting = Array.from(this.#lanes.values()).filter(({ owners }) => owners.size > 0);
    const lane = waiting.find(({ passedOver }) => passedOver >= PASSED_OVER) ?? waiting[0];
    if (lane === undefined) return undefined;
    for (const each of waiting) each.passedOver += 1;
    lane.passedOver = 0;
    this.#size--;
    return takeOf(lane.owners);
  }

  clear(): void {
    for (const { owners } of this.#lanes.values()) owners.clear();
    this.#size = 0;
  }
}

/** Of the owner whose turn it is; it comes last then. */
function takeOf<Owner>(all: Map<Owner, Job[]>): Job | undefined {
  for (const [owner, jobs] of all) {
    all.delete(owner);
    const job = jobs.shift();
    if (jobs.length > 0) all.set(owner, jobs);
    return job;
  }
  return undefined;
}
