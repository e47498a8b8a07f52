/** What an observer outside has seen: what the gateway has said to be safe, which counters it has used, what it blamed. */
import type { EventSink, GatewayEvent } from "../../../src/observe/events.ts";
import type { ProfileBatch, ProfileKind } from "../../../src/profiles/batch.ts";

export interface AcknowledgedRow {
  readonly meterKey: number;
  readonly profile: ProfileKind;
  readonly instantMs: number;
}

export class Observer {
  readonly acknowledged = new Map<string, AcknowledgedRow>();
  readonly faults: string[] = [];
  readonly events = new Map<string, number>();
  readonly causes = new Map<string, number>();
  /** The last failure of each meter. */
  readonly lastCause = new Map<string, string>();
  readonly #counters = new Set<string>();
  /** How long people have waited. */
  readonly waits: number[] = [];
  polls = 0;
  /** With each event; for a run that is looked at. */
  trace: ((event: GatewayEvent) => void) | undefined;

  readonly hear: EventSink = (event) => {
    this.trace?.(event);
    this.events.set(event.event, (this.events.get(event.event) ?? 0) + 1);
    if (event.event === "meterPolled") {
      this.polls += 1;
      this.lastCause.delete(event.meter);
    }
    if (event.event !== "meterFailed") return;
    this.causes.set(event.cause, (this.causes.get(event.cause) ?? 0) + 1);
    this.lastCause.set(event.meter, event.cause);
    if (event.cause === "internal error") this.fault(`${event.meter}: internal error: ${event.evidence}`);
  };

  fault(what: string): void {
    if (this.faults.length < 20) this.faults.push(what);
  }

  /** The gateway says that these rows are safe. */
  acknowledge({ meterKey, profile, instantsMs }: ProfileBatch): void {
    for (const instantMs of instantsMs) {
      this.acknowledged.set(`${meterKey} ${profile} ${instantMs}`, { meterKey, profile, instantMs });
    }
  }

  /** A counter has been used with a key. */
  useCounter(key: string, counter: number): void {
    const name = `${key} ${counter}`;
    if (this.#counters.has(name)) this.fault(`counter reused: ${name}`);
    this.#counters.add(name);
  }

  get counters(): number {
    return this.#counters.size;
  }
}
