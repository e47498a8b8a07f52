/** The gates that a job passes before it has a place: those of its network and pool, then that of its line or meter. */
import type { Clock } from "../../../drivers/clock.ts";
import { type GateWidth, LineGate } from "./line-gate.ts";
import type { OpenJob } from "./open-jobs.ts";

export interface MeterGatesOptions<Meter> {
  /** The line that the meter shares with others, if it does: they are worked one after the other. */
  readonly lineOf?: (meter: Meter) => string | undefined;
  /** The pool that the meter is in, then the network, where they are bounded; the same objects for all meters in them. */
  readonly boundsOf?: (meter: Meter) => readonly GateWidth[];
}

export class MeterGates<Meter> {
  readonly #options: MeterGatesOptions<Meter>;
  readonly #clock: Clock;
  /** By line or meter, while it has a job. */
  readonly #lines = new Map<string | Meter, LineGate<Meter>>();
  /** For good. */
  readonly #bounds = new Map<GateWidth, LineGate<Meter>>();

  constructor(options: MeterGatesOptions<Meter>, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** Those of network and pool first: who waits there does not keep the meter from what people ask. */
  pass<T>(job: OpenJob<Meter>, work: () => Promise<T>): Promise<T> {
    const { meter, lane } = job;
    job.stage = "limit";
    let pass = () => this.#passLine(job, work);
    for (const bound of this.#options.boundsOf?.(meter) ?? []) {
      const within = pass;
      const gate = this.#bounds.get(bound) ?? new LineGate<Meter>(bound, this.#clock);
      this.#bounds.set(bound, gate);
      pass = () => gate.pass(lane, meter, within);
    }
    return pass();
  }

  /** Refuses those that wait. */
  clear(): void {
    for (const gate of [...this.#bounds.values(), ...this.#lines.values()]) gate.clear();
  }

  #passLine<T>(job: OpenJob<Meter>, work: () => Promise<T>): Promise<T> {
    const { meter, lane } = job;
    const key = this.#options.lineOf?.(meter) ?? meter;
    const gate = this.#lines.get(key) ?? new LineGate<Meter>();
    this.#lines.set(key, gate);
    job.stage = "line";
    return gate.pass(lane, meter, work).finally(() => {
      if (gate.idle && this.#lines.get(key) === gate) this.#lines.delete(key);
    });
  }
}
