/** The loop of a long run: mutate, repair, execute. Knows nothing of what it fuzzes. */
import type { FuzzTarget } from "./catalogue.ts";
import { Mutator } from "./mutation.ts";
import { Random } from "./random.ts";

export interface Finding {
  readonly octets: Uint8Array;
  readonly error: Error;
}

/** One execution that takes this much of the processor is a finding, whatever it gives. */
const SLOW_MS = 1000;
const SHRINK_ROUNDS = 20_000;

export class Engine {
  readonly target: FuzzTarget;
  /** Seeds, and what has reached something new. */
  readonly pool: Uint8Array[];
  readonly #random: Random;
  readonly #mutator: Mutator;
  readonly #entering: (octets: Uint8Array) => void;
  executions = 0;

  /** `entering` is told of each input before it is executed. */
  constructor(target: FuzzTarget, seed: number, entering: (octets: Uint8Array) => void) {
    this.target = target;
    this.pool = target.seeds();
    this.#entering = entering;
    this.#random = new Random(seed);
    this.#mutator = new Mutator(this.#random);
  }

  next(): Uint8Array {
    const octets = this.#mutator.mutate(this.pool);
    const { repairs } = this.target;
    if (repairs.length === 0 || this.#random.oneIn(4)) return octets;
    return this.#random.pick(repairs)(octets);
  }

  /** What is wrong with these octets, or undefined. */
  execute(octets: Uint8Array): Finding | undefined {
    this.executions++;
    this.#entering(octets);
    try {
      this.target.execute(octets);
      return undefined;
    } catch (error) {
      return { octets: Uint8Array.from(octets), error: error instanceof Error ? error : new Error(String(error)) };
    }
  }

  /** Executes for so long, or until something is found. */
  run(durationMs: number): Finding | undefined {
    const endMs = performance.now() + durationMs;
    for (let startMs = performance.now(), nowMs = startMs; startMs < endMs; startMs = nowMs) {
      const octets = this.next();
      const finding = this.execute(octets);
      if (finding !== undefined) return this.#shrunk(finding);
      nowMs = performance.now();
      if (nowMs - startMs > SLOW_MS && this.#isSlow(octets)) {
        return { octets, error: new Error(`takes more than ${SLOW_MS} ms of the processor`) };
      }
    }
    return undefined;
  }

  /** A loaded machine makes anything slow: what counts is the processor's time, and that it takes it again. */
  #isSlow(octets: Uint8Array): boolean {
    const before = process.cpuUsage();
    this.execute(octets);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000 > SLOW_MS;
  }

  /** Fewer octets that fail with the same kind of error. */
  #shrunk(finding: Finding): Finding {
    let smallest = finding;
    let rounds = 0;
    for (let size = finding.octets.length >> 1; size > 0; size >>= 1) {
      for (let at = 0; at < smallest.octets.length && rounds < SHRINK_ROUNDS; rounds++) {
        const { octets } = smallest;
        const fewer = Uint8Array.of(...octets.subarray(0, at), ...octets.subarray(at + size));
        const again = this.execute(fewer);
        if (again !== undefined && kindOf(again.error) === kindOf(finding.error)) smallest = again;
        else at += size;
      }
    }
    return smallest;
  }
}

/** Numbers and octets in a message vary; the rest says what it is. */
function kindOf(error: Error): string {
  return `${error.name}: ${error.message.slice(0, 60).replaceAll(/[0-9a-f]{2,}|\d/g, "#")}`;
}
