/** Meters that are found to differ from their push setups: told as events of the gateway's log, with their end. */
import type { EventSink } from "../../observe/events.ts";
import type { SeenEvent } from "../../profiles/seen-events.ts";
import type { NoticedEvents } from "../../store/records/noticed-events.ts";
import { AS_WANTED, type SetupState } from "./setup-state.ts";

export interface SetupDriftOptions {
  readonly noticed: Pick<NoticedEvents, "add">;
  readonly events: EventSink;
}

export interface SetupFinding {
  readonly meterId: string;
  /** Its name. */
  readonly meter: string;
  readonly setup: string;
  readonly state: SetupState;
  /** When the meter was asked. */
  readonly startedAt: Date;
  /** How many attributes differed. */
  readonly changes: number;
  /** Whether the check on schedule found it; what people write differs because they want it to. */
  readonly isCheck: boolean;
}

/** Of the gateway's own log. */
const DRIFTED = 999;

export class SetupDrift {
  readonly #options: SetupDriftOptions;
  /** Drifts that have been told and not ended. */
  readonly #told: Set<string>;

  /** `before` are meters and setups whose drift an earlier run has told. */
  constructor(options: SetupDriftOptions, before: Iterable<Pick<SetupFinding, "meterId" | "setup">> = []) {
    this.#options = options;
    this.#told = new Set(Array.from(before, keyOf));
  }

  note(finding: SetupFinding): void {
    const { meter, setup, state, changes, isCheck } = finding;
    const key = keyOf(finding);
    const isMended = AS_WANTED.has(state);
    if (isCheck && changes > 0 && !this.#told.has(key)) {
      this.#told.add(key);
      this.#options.events({ event: "setupDrifted", meter, setup, changes, state });
      this.#add(finding, "occurrence", finding.startedAt);
    }
    if (isMended && this.#told.delete(key)) this.#add(finding, "restoration", new Date());
  }

  #add({ meterId, setup }: SetupFinding, kind: "occurrence" | "restoration", occurredAt: Date): void {
    const condition = `differs from push setup ${setup}`;
    const event: SeenEvent = {
      occurredAt,
      log: "gateway",
      code: DRIFTED,
      name: kind === "occurrence" ? condition : `${condition}: ended`,
      kind,
      condition,
      severity: kind === "occurrence" ? "warning" : "info",
      disputed: false,
    };
    this.#options.noticed.add({ meterId, event });
  }
}

function keyOf({ meterId, setup }: Pick<SetupFinding, "meterId" | "setup">): string {
  return `${meterId} ${setup}`;
}
