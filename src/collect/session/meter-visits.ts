/** Visits the meters of the fleet: each over its own way, all ended at once when the gateway has to stop. */
import type { Clock } from "../../../drivers/clock.ts";
import type { PolledMeter } from "../polled-meter.ts";
import type { ReadoutVisit } from "../read/readout-poller.ts";
import type { MeterCalls } from "./meter-channel.ts";
import type { MeterConnection } from "./meter-connection.ts";
import { type VisitOptions, visitMeter } from "./meter-session.ts";
import type { MeterTarget } from "./meter-target.ts";
import type { SerialLines } from "./serial-lines.ts";
import { SessionPushes, type Unsolicited } from "./session-pushes.ts";
import type { SharedVisit } from "./shared-visit.ts";
import { SYSTEM_ENVIRONMENT, type VisitEnvironment } from "./visit-environment.ts";

export interface MeterVisitsOptions {
  readonly sessionBudgetMs: () => number;
  readonly lines: SerialLines;
  readonly calls?: MeterCalls;
  readonly environment?: VisitEnvironment;
  /** How a meter is visited; over its connection when left out. */
  readonly visitMeter?: VisitMeter;
  /** Keeps unsolicited messages of a meter that is visited; without it they are dropped. As in KeepUnsolicited. */
  readonly keepUnsolicited?: (meter: PolledMeter, message: Unsolicited) => Promise<boolean>;
  /** What to put between a meter's channel and its session, when somebody looks on. */
  readonly tapOf?: (target: MeterTarget) => VisitOptions["wrap"];
}

type VisitMeter = <T>(
  target: MeterTarget,
  options: VisitOptions,
  work: (connection: MeterConnection) => Promise<T>,
) => Promise<T>;

export class MeterVisits {
  readonly #options: MeterVisitsOptions;
  readonly #clock: Clock;
  readonly #visitMeter: VisitMeter;
  #abort = new AbortController();
  #isOver = false;

  constructor(options: MeterVisitsOptions) {
    this.#options = options;
    this.#clock = (options.environment ?? SYSTEM_ENVIRONMENT).clock;
    this.#visitMeter = options.visitMeter ?? visitMeter;
  }

  /** Does something on an association with the meter. Throws what the visit throws; `causeOf` names it. */
  visit<T>(meter: PolledMeter, work: (connection: MeterConnection) => Promise<T>, shared?: SharedVisit): Promise<T> {
    const { keepUnsolicited } = this.#options;
    const all: typeof work = shared === undefined ? work : (connection) => shared.during(connection, work);
    if (keepUnsolicited === undefined) return this.#visitMeter(meter.target, this.#visit(meter), all);
    const pushes = new SessionPushes((message) => keepUnsolicited(meter, message), this.#clock);
    const options = { ...this.#visit(meter), onNotice: pushes.onNotice };
    return this.#visitMeter(meter.target, options, (connection) => pushes.during(connection, all));
  }

  /** Ends all sessions at once; for a stop that has waited long enough. */
  abort(): void {
    this.#isOver = true;
    this.#abort.abort();
  }

  /** Ends the sessions that run; others may follow. */
  cut(): void {
    this.#abort.abort();
    if (!this.#isOver) this.#abort = new AbortController();
  }

  /** How a meter is read out that has no objects. */
  ofReadout({ target }: PolledMeter): ReadoutVisit {
    const { sessionBudgetMs, lines } = this.#options;
    return { target, lines, budgetMs: sessionBudgetMs(), nowMs: () => this.#clock.now(), signal: this.#abort.signal };
  }

  #visit({ target }: PolledMeter): VisitOptions {
    const { sessionBudgetMs, lines, calls, environment, tapOf } = this.#options;
    const wrap = tapOf?.(target);
    return {
      budgetMs: sessionBudgetMs(),
      lines,
      ...(calls && { calls }),
      ...(environment && { environment }),
      ...(wrap && { wrap }),
      signal: this.#abort.signal,
    };
  }
}
