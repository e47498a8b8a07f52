/** Tells what came of each attempt to read a meter, and records it. */
import type { Clock } from "../../../drivers/clock.ts";
import type { EventSink } from "../../observe/events.ts";
import type { ReadingKind } from "../../profiles/batch.ts";
import type { ReadAttempt } from "../../store/records/read-attempts.ts";
import { causeOf, type NamedFailure } from "../causes/failure-cause.ts";
import type { PolledMeter } from "../polled-meter.ts";
import type { CollectorStore } from "./collector-store.ts";
import { GatewayClockError } from "./gateway-clock-error.ts";

/** However many meters wait for the clock. */
const TELL_CLOCK_EVERY_MS = 3_600_000;

export class AttemptLog {
  readonly #store: Pick<CollectorStore, "addAttempt">;
  readonly #events: EventSink;
  readonly #clock: Clock;
  #clockToldMs = Number.NEGATIVE_INFINITY;

  constructor({
    store,
    events,
    clock,
  }: {
    readonly store: Pick<CollectorStore, "addAttempt">;
    readonly events: EventSink;
    readonly clock: Clock;
  }) {
    this.#store = store;
    this.#events = events;
    this.#clock = clock;
  }

  polled(
    meter: PolledMeter,
    readings: readonly ReadingKind[],
    { startedAt, rowCount }: Pick<ReadAttempt, "startedAt" | "rowCount">,
  ): void {
    const durationMs = this.#clock.now() - startedAt.getTime();
    const told = { meter: meter.target.name, profiles: readings, rows: rowCount, durationMs };
    this.#events({ event: "meterPolled", ...told });
    this.record(meter, { startedAt, what: readings.join(" "), rowCount, failure: undefined });
  }

  /** A poll has failed, or a part of it. Why. */
  failed(
    meter: PolledMeter,
    attempt: Pick<ReadAttempt, "startedAt" | "what" | "rowCount">,
    error: unknown,
  ): NamedFailure {
    const failure = causeOf(error);
    const { cause, evidence, nextStep } = failure;
    if (error instanceof GatewayClockError) this.#tellClock(error, nextStep);
    const durationMs = this.#clock.now() - attempt.startedAt.getTime();
    this.#events({ event: "meterFailed", meter: meter.target.name, cause, evidence, nextStep, durationMs });
    this.record(meter, { ...attempt, failure });
    return failure;
  }

  record(meter: PolledMeter, attempt: Pick<ReadAttempt, "startedAt" | "what" | "rowCount" | "failure">): void {
    this.#store.addAttempt({ ...attempt, meterId: meter.meterId, endedAt: new Date(this.#clock.now()) });
  }

  #tellClock({ knownMs }: GatewayClockError, nextStep: string): void {
    const elapsedMs = this.#clock.elapsed();
    if (elapsedMs < this.#clockToldMs + TELL_CLOCK_EVERY_MS) return;
    this.#clockToldMs = elapsedMs;
    const [now, known] = [this.#clock.now(), knownMs].map((ms) => new Date(ms).toISOString());
    this.#events({ event: "gatewayClockWrong", now: now ?? "", known: known ?? "", nextStep });
  }
}
