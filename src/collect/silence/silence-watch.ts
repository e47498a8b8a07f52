/**
 * Meters that should push and do not: what is expected of the configuration and of schedules that were read of meters
 * is watched; a silence and its end become events, and what the push should have brought is polled.
 */
import type { Clock } from "../../../drivers/clock.ts";
import type { Config } from "../../config/schema.ts";
import type { EventSink } from "../../observe/events.ts";
import type { ReadingKind } from "../../profiles/batch.ts";
import { PUSHED_PROFILES } from "../../profiles/push-families.ts";
import type { SeenEvent } from "../../profiles/seen-events.ts";
import { choiceOf } from "../../push/setups/meter-choice.ts";
import { dailyEntry, type PushEntry } from "../../push/setups/push-schedule.ts";
import { type Database, isTransient } from "../../store/database/database.ts";
import { keepExpectedPushes, loadHeardSetups, loadScheduledSetups } from "../../store/push/push-schedules.ts";
import type { ReceivedPush } from "../../store/push/received-push.ts";
import type { NoticedEvents } from "../../store/records/noticed-events.ts";
import type { PolledMeter } from "../polled-meter.ts";
import { type Expectation, PushExpectations, type Silence } from "./push-expectations.ts";

export interface SilenceWatchOptions {
  readonly config: Pick<Config["push"], "expect" | "silence">;
  readonly database: Database;
  readonly meters: Iterable<PolledMeter>;
  readonly noticed: Pick<NoticedEvents, "add">;
  /** Asks a meter for what is missing of it, when there is room. */
  readonly want: (meter: PolledMeter, readings: readonly ReadingKind[]) => void;
  /** Whether it is this gateway that tells: of those that listen, one does. */
  readonly tells?: (meter: PolledMeter) => boolean;
  readonly events: EventSink;
  readonly clock?: Clock;
}

const MS_PER_SECOND = 1000;
/** A push may have come a little before its time. */
const EARLY_MS = 60_000;
/** Codes of the gateway's own log: of any push, and of the setup of a channel. */
const ANY_PUSH_SILENT = 1000;
const SETUP_SILENT = 1001;
const SETUP_NAME = /^0\.(\d+)\.25\.9\.(\d+)\.255$/;
const CHANNELS = 256;

/** A push that is expected, and whether it is late. */
export type ExpectedPush = Silence<PolledMeter> & { readonly silent: boolean };

export class SilenceWatch implements Disposable {
  readonly #options: SilenceWatchOptions;
  readonly #meters: Map<string, PolledMeter>;
  readonly #expectations: PushExpectations<PolledMeter>;
  /** Silences that have been told. */
  readonly #told = new Set<string>();
  /** Silences that are still to be held against what other gateways have heard. */
  #suspected: Silence<PolledMeter>[] = [];
  #checking: Promise<void> = Promise.resolve();
  /** What the configuration expects goes before what a meter says. */
  readonly #configured = new Set<string>();

  /** Begins with what the database knows; without it when that is away. */
  static async start(options: SilenceWatchOptions): Promise<SilenceWatch> {
    const watch = new SilenceWatch(options);
    const configured = watch.#ofConfiguration(watch.#meters.values());
    let scheduled: Expectation<PolledMeter>[] = [];
    let before = new Map<string, { lastMs: number | undefined; silentSinceMs: number | undefined }>();
    try {
      await keepExpectedPushes(options.database, configured);
      scheduled = await watch.#ofMeters();
      const all = [...configured, ...scheduled].map(({ meterId, pushSetup }) => {
        return { meterId, pushSetup, condition: conditionOf(pushSetup) };
      });
      const heard = await loadHeardSetups(options.database, all);
      before = new Map(heard.map((each) => [keyOf(each.meterId, each.pushSetup), each]));
    } catch (error) {
      if (!isTransient(error)) throw error;
    }
    for (const each of [...configured, ...scheduled]) {
      const key = keyOf(each.meterId, each.pushSetup);
      if (before.get(key)?.silentSinceMs !== undefined) watch.#told.add(key);
      watch.#expectations.expect(each, before.get(key));
    }
    return watch;
  }

  private constructor(options: SilenceWatchOptions) {
    this.#options = options;
    this.#meters = new Map(Array.from(options.meters, (meter) => [meter.meterId, meter]));
    this.#expectations = new PushExpectations({
      ...(options.clock && { clock: options.clock }),
      onSilent: (silence) => this.#suspect(silence),
      onHeard: (silence, heardMs) => this.#tellHeard(silence, heardMs),
    });
  }

  /** Other meters have come. Throws StoreError. */
  async add(meters: readonly PolledMeter[]): Promise<void> {
    for (const meter of meters) this.#meters.set(meter.meterId, meter);
    for (const expectation of this.#ofConfiguration(meters)) this.#expectations.expect(expectation);
    await this.learn(meters.map(({ meterId }) => meterId));
  }

  /** Nothing is expected of the meter any more. */
  remove({ meterId }: PolledMeter): void {
    this.#meters.delete(meterId);
    for (const pushSetup of this.#expectations.forgetAll(meterId)) {
      this.#configured.delete(keyOf(meterId, pushSetup));
      this.#told.delete(keyOf(meterId, pushSetup));
    }
  }

  heard({ meterId, pushSetup, receivedAt, outcome }: ReceivedPush): void {
    if (meterId === undefined || outcome === "rejected") return;
    this.#expectations.heard(meterId, pushSetup, receivedAt.getTime());
  }

  /** Meters were asked for their setups, here or by another gateway. Throws StoreError. */
  async learn(meterIds: readonly string[]): Promise<void> {
    for (const expectation of await this.#ofMeters(meterIds)) {
      if (expectation.entries.length > 0) this.#expectations.expect(expectation);
      else this.#expectations.forget(expectation.meterId, expectation.pushSetup);
    }
  }

  silent(): Silence<PolledMeter>[] {
    return [...this.#expectations.silent()];
  }

  expected(): Iterable<ExpectedPush> {
    return this.#expectations.all();
  }

  /** Ends when nothing is looked up any more. */
  async settled(): Promise<void> {
    await this.#checking;
  }

  [Symbol.dispose](): void {
    this.#expectations.close();
  }

  #ofConfiguration(meters: Iterable<PolledMeter>): Expectation<PolledMeter>[] {
    const { expect, silence } = this.#options.config;
    const some = [...meters];
    const found: Expectation<PolledMeter>[] = [];
    for (const { pushSetup, at, tolerance = silence.tolerance, ...choice } of expect) {
      const isMeant = choiceOf(choice);
      const entries = at.map(dailyEntry);
      for (const meter of some) {
        const key = keyOf(meter.meterId, pushSetup);
        if (!isMeant(meter.target) || this.#configured.has(key)) continue;
        this.#configured.add(key);
        const { meterId, target } = meter;
        found.push({
          meter,
          meterId,
          pushSetup,
          entries,
          zone: target.zone,
          toleranceMs: tolerance,
          onceHeard: false,
        });
      }
    }
    return found;
  }

  async #ofMeters(meterIds?: readonly string[]): Promise<Expectation<PolledMeter>[]> {
    const { database, config } = this.#options;
    if (!config.silence.fromMeters) return [];
    const setups = await loadScheduledSetups(database, meterIds);
    return setups.flatMap(({ meterId, ...setup }) => {
      const meter = this.#meters.get(meterId);
      if (meter === undefined || this.#configured.has(keyOf(meterId, setup.pushSetup))) return [];
      return [this.#scheduledOf(meter, setup)];
    });
  }

  #scheduledOf(
    meter: PolledMeter,
    setup: { readonly pushSetup: string; readonly entries: readonly PushEntry[]; readonly randomisationS: number },
  ): Expectation<PolledMeter> {
    const { pushSetup, entries, randomisationS } = setup;
    const toleranceMs = this.#options.config.silence.tolerance + randomisationS * MS_PER_SECOND;
    const { meterId, target } = meter;
    return { meter, meterId, pushSetup, entries, zone: target.zone, toleranceMs, onceHeard: true };
  }

  /** Many fall silent at one moment: they are looked up together. */
  #suspect(silence: Silence<PolledMeter>): void {
    if (this.#suspected.push(silence) > 1) return;
    this.#checking = this.#checking.then(() => this.#check(this.#suspected.splice(0)));
  }

  async #check(silences: readonly Silence<PolledMeter>[]): Promise<void> {
    const { database, tells } = this.#options;
    const asked = silences.map(({ meterId, pushSetup }) => ({ meterId, pushSetup, condition: conditionOf(pushSetup) }));
    // Without the database, what this gateway has heard is all that is known.
    const heard = await loadHeardSetups(database, asked).catch(() => []);
    const lastMs = new Map(heard.map((each) => [keyOf(each.meterId, each.pushSetup), each.lastMs]));
    for (const silence of silences) {
      const { meter, meterId, pushSetup, expectedMs } = silence;
      const last = lastMs.get(keyOf(meterId, pushSetup)) ?? 0;
      if (last >= expectedMs - EARLY_MS) this.#expectations.heard(meterId, pushSetup, last);
      else if (tells?.(meter) === false) this.#expectations.heard(meterId, pushSetup, expectedMs);
      else this.#tellSilent({ ...silence, lastMs: last === 0 ? silence.lastMs : last });
    }
  }

  #tellSilent(silence: Silence<PolledMeter>): void {
    const { meter, meterId, pushSetup, expectedMs, lastMs } = silence;
    const { noticed, want, events } = this.#options;
    this.#told.add(keyOf(meterId, pushSetup));
    noticed.add({ meterId, event: eventOf("occurrence", pushSetup, expectedMs) });
    const { name, companion } = meter.target;
    events({
      event: "pushMissing",
      meter: name,
      pushSetup,
      expectedAt: new Date(expectedMs),
      lastAt: lastMs === undefined ? undefined : new Date(lastMs),
    });
    want(meter, [PUSHED_PROFILES[companion][pushSetup ?? ""] ?? "instant"]);
  }

  #tellHeard({ meter, meterId, pushSetup, expectedMs }: Silence<PolledMeter>, heardMs: number): void {
    if (!this.#told.delete(keyOf(meterId, pushSetup))) return;
    this.#options.noticed.add({ meterId, event: eventOf("restoration", pushSetup, heardMs) });
    const silentMs = heardMs - expectedMs;
    this.#options.events({ event: "pushHeardAgain", meter: meter.target.name, pushSetup, silentMs });
  }
}

function keyOf(meterId: string, pushSetup: string | undefined): string {
  return `${meterId} ${pushSetup ?? ""}`;
}

function conditionOf(pushSetup: string | undefined): string {
  return pushSetup === undefined ? "no push" : `no push of ${pushSetup}`;
}

/** Setups have codes of their own, for two of a meter may fall silent at one moment. */
function codeOf(pushSetup: string | undefined): number {
  if (pushSetup === undefined) return ANY_PUSH_SILENT;
  const [, channel = "0", e = "0"] = SETUP_NAME.exec(pushSetup) ?? [];
  return SETUP_SILENT + Number(channel) + CHANNELS * Number(e);
}

function eventOf(kind: "occurrence" | "restoration", pushSetup: string | undefined, atMs: number): SeenEvent {
  const condition = conditionOf(pushSetup);
  return {
    occurredAt: new Date(atMs),
    log: "gateway",
    code: codeOf(pushSetup),
    name: kind === "occurrence" ? condition : `${condition}: ended`,
    kind,
    condition,
    severity: kind === "occurrence" ? "alarm" : "info",
    disputed: false,
  };
}
