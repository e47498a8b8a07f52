/**
 * Decides whether what comes goes to the database or to the spool. While the spool holds anything, all goes there, so
 * that nothing newer overtakes it, and it is brought into the database for as long as that takes.
 */
import { type Clock, sleep, systemClock, type Timer } from "../../../drivers/clock.ts";
import { messageOf } from "../../observe/message-of.ts";
import type { SpoolRecord } from "../../spool/frame.ts";
import type { RunRecords, Spool } from "../../spool/spool.ts";
import type { Database } from "../database/database.ts";
import type { QueueSpool } from "./queue-spool.ts";
import { SpoolDelivery, type SpoolDestination } from "./spool-delivery.ts";
import type { SpoolKind } from "./spool-kinds.ts";

/** One kind of record on its way to the database. */
export interface SpoolOutlet<Item> extends SpoolDestination<Item> {
  /** The share of the quota that items of this importance may fill before their bringers have to wait. */
  share?(item: Item): number;
  /** Of the queue that writes the same items straight into the database. */
  divert?(): void;
  resume?(): void;
  /** Ends when no direct write runs. */
  settled?(): Promise<void>;
}

export interface SpoolGateEvents {
  onEngaged(reason: string): void;
  /** A group could not be brought in, and is tried again. */
  onRetry(reason: string, retryMs: number): void;
  onDrained(records: number, durationMs: number): void;
  /** A record was set aside: nothing can be made of it, or the database refuses it in every form. */
  onSetAside(kind: string, reason: string): void;
  /** The spool is fuller than `share` of its quota: whoever reads meters has to wait. */
  onFilling(octets: number, quota: number): void;
}

export interface SpoolGateOptions {
  readonly spool: Spool;
  readonly database: Database;
  readonly patienceMs: number;
  readonly events: SpoolGateEvents;
  readonly clock?: Clock;
  /** Until then nothing is brought in; without it the database is ready from the start. */
  readonly ready?: Promise<void>;
}

const GROUP_OCTETS = 256 * 1024;
const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 5000;
/** A meter that waits for its confirmation can wait as long. */
const LONGEST_HOLD_MS = 2000;
/** Meters keep their readings and can be asked again; a push comes once. */
const DEFAULT_SHARE = 0.95;
const FILLING = 0.8;
const ROOM_POLL_MS = 100;
/** Groups that are tried together at most, where the first is slow. */
const MOST_GROUPS = 8;

interface Waiting {
  readonly limit: number;
  readonly isGivenUp: () => boolean;
  readonly go: () => void;
}

export class SpoolGate {
  readonly #options: SpoolGateOptions;
  readonly #clock: Clock;
  readonly #outlets = new Map<number, SpoolOutlet<unknown>>();
  readonly #stopping = new AbortController();
  /** Resolves when the database has been made ready, or the gate stops. */
  readonly #ready: Promise<void>;
  readonly #delivery: SpoolDelivery;
  #engaged = false;
  /** Ends the time in which what comes has to wait. */
  #holding: Timer | undefined;
  #draining: Promise<void> = Promise.resolve();
  #toldFilling = false;
  #waiting: Waiting[] = [];
  #roomTimer: Timer | undefined;

  constructor(options: SpoolGateOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const { spool, database, events, ready } = options;
    this.#ready = Promise.race([ready, aborted(this.#stopping.signal)]);
    const onSetAside = (kind: string, reason: string) => events.onSetAside(kind, reason);
    this.#delivery = new SpoolDelivery({ spool, database, destinations: this.#outlets, onSetAside });
  }

  get engaged(): boolean {
    return this.#engaged;
  }

  /** Adds a kind; what a queue needs for it comes back. All kinds have to be added before `start`. */
  add<Item>(outlet: SpoolOutlet<Item>): QueueSpool<Item> {
    const { kind } = outlet;
    this.#outlets.set(kind.code, outlet);
    const isEngaged = () => this.#engaged;
    const isHolding = () => this.#holding !== undefined;
    return {
      get engaged() {
        return isEngaged();
      },
      get holding() {
        return isHolding();
      },
      patienceMs: this.#options.patienceMs,
      engage: (reason) => this.engage(reason),
      append: (item) => this.#append(kind, item),
      room: (item, isGivenUp) => this.#room(outlet.share?.(item) ?? DEFAULT_SHARE, isGivenUp),
    };
  }

  /** Brings in what an earlier run left. */
  start(): void {
    if (this.#options.ready !== undefined) return this.engage("the database is away at the start");
    if (!this.#options.spool.isEmpty) this.engage("an earlier run left records");
  }

  /** From now on all goes to the spool, until it has been brought into the database. */
  engage(reason: string): void {
    if (this.#engaged || this.#stopping.signal.aborted) return;
    this.#engaged = true;
    this.#options.events.onEngaged(reason);
    for (const outlet of this.#outlets.values()) outlet.divert?.();
    this.#draining = this.#drain();
  }

  /** Ends when nothing is left to be brought in, or when the gate stops. */
  async drained(): Promise<void> {
    while (this.#engaged && !this.#stopping.signal.aborted) await this.#draining;
  }

  /** Ends when what is being brought in has been, or after `timeoutMs`; the rest stays in the spool. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping.abort();
    this.#roomTimer?.close();
    this.#letGo();
    for (const { go } of this.#waiting.splice(0)) go();
    const timeout = new AbortController();
    await Promise.race([this.#draining, sleep(this.#clock, timeoutMs, timeout.signal).catch(() => undefined)]);
    timeout.abort();
    await this.#options.spool.close();
  }

  async #append<Item>(kind: SpoolKind<Item>, item: Item): Promise<void> {
    const octets = kind.encode(item);
    kind.onSpooled?.(item, true);
    const appended = this.#options.spool.append(kind.code, kind.version, octets);
    this.engage("a record was spooled");
    this.#watchFilling();
    try {
      await appended;
    } catch (error) {
      kind.onSpooled?.(item, false);
      throw error;
    }
  }

  #watchFilling(): void {
    const { spool, events } = this.#options;
    const isFilling = spool.octets > FILLING * spool.quota;
    if (isFilling && !this.#toldFilling) events.onFilling(spool.octets, spool.quota);
    this.#toldFilling = isFilling;
  }

  async #room(share: number, isGivenUp: () => boolean): Promise<void> {
    const { spool } = this.#options;
    const limit = share * spool.quota;
    if (spool.octets <= limit || this.#stopping.signal.aborted) return;
    await new Promise<void>((go) => {
      this.#waiting.push({ limit, isGivenUp, go });
      this.#roomTimer ??= this.#clock.after(ROOM_POLL_MS, () => this.#giveRoom());
    });
  }

  #giveRoom(): void {
    this.#roomTimer = undefined;
    const { octets } = this.#options.spool;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const each of waiting) {
      if (octets <= each.limit || each.isGivenUp()) each.go();
      else this.#waiting.push(each);
    }
    if (this.#waiting.length > 0) this.#roomTimer = this.#clock.after(ROOM_POLL_MS, () => this.#giveRoom());
  }

  async #drain(): Promise<void> {
    const sinceMs = this.#clock.elapsed();
    let records = 0;
    await this.#ready;
    // What was on its way to the database is in the spool as well by now: first it has to be known what became of it.
    await Promise.all(Array.from(this.#outlets.values(), async (outlet) => outlet.settled?.()));
    while (!this.#stopping.signal.aborted) {
      const group = await this.#bringIn();
      records += group.length;
      if (group.length === 0 && this.#options.spool.isEmpty) break;
      this.#hold(group);
    }
    if (this.#stopping.signal.aborted) return this.#letGo();
    // In this order: whatever goes on now must find the way to the database open.
    this.#engaged = false;
    this.#holding?.close();
    this.#holding = undefined;
    this.#options.events.onDrained(records, this.#clock.elapsed() - sinceMs);
    this.#resume();
  }

  /**
   * Where records come as fast as they are brought in, the spool would never be empty: when it nearly is, what comes has
   * to wait until it is. If that takes too long, it is spooled after all.
   */
  #hold(group: readonly SpoolRecord[]): void {
    const octets = group.reduce((sum, { payload }) => sum + payload.length, 0);
    if (octets < GROUP_OCTETS / 2) this.#holding ??= this.#clock.after(LONGEST_HOLD_MS, () => this.#letGo());
  }

  #letGo(): void {
    if (this.#holding === undefined) return;
    this.#holding?.close();
    this.#holding = undefined;
    this.#resume();
  }

  #resume(): void {
    for (const outlet of this.#outlets.values()) outlet.resume?.();
  }

  /** Brings in the next records, however often it takes; none when there are none. */
  async #bringIn(): Promise<readonly SpoolRecord[]> {
    const { spool } = this.#options;
    const groups: RunRecords[] = [];
    await this.#untilItWorks(async () => {
      const wantsMore = this.#delivery.isSlow && groups.length < MOST_GROUPS;
      const more = groups.length === 0 || wantsMore ? await spool.read(GROUP_OCTETS) : undefined;
      if (more !== undefined) groups.push(more);
      await this.#delivery.deliver(groups);
    });
    await this.#untilItWorks(() => spool.release());
    // Whatever is on its way to the disk comes next.
    if (groups.length === 0 && !spool.isEmpty) await sleep(this.#clock, 1);
    return groups.flatMap(({ records }) => records);
  }

  async #untilItWorks<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS)) {
      if (this.#stopping.signal.aborted) return undefined;
      try {
        return await work();
      } catch (error) {
        this.#letGo();
        this.#options.events.onRetry(messageOf(error), retryMs);
        await sleep(this.#clock, retryMs, this.#stopping.signal).catch(() => undefined);
      }
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
