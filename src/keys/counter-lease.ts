import { DlmsError } from "../../protocol/errors.ts";
import { MAX_INVOCATION_COUNTER } from "../../protocol/security/suites.ts";
import { messageOf } from "../observe/message-of.ts";
import type { CounterName, CounterReservations } from "./counter-reservations.ts";

const DEFAULT_BLOCK = 100;
/** While counters can't be reserved, that is tried again so often at most. */
const RETRY_MS = 10_000;
/** Told as few when less of the reserve is left than one in so many. */
const FEW = 4;
/** A process that lives as long is not one of many that die at once, each with a reserve that is lost. */
const SETTLED_MS = 60_000;
/**
 * What a meter says it expects is not authenticated where the public client reads it. For a key that has hardly been used
 * here a floor is believed up to a little above what clocks of 32 bits say; after that the steps of a day are bounded, so
 * that nobody uses up a key's counters by false answers. An operator may go further.
 */
const HARDLY_USED = 0x1_0000;
const BELIEVED_AT_FIRST = 0x9000_0000;
const BELIEVED_A_DAY = 0x10_0000;
const DAY_MS = 86_400_000;
/** Told when so many counters are gone, each once: with the first of them there is time for another key. */
const LOW = [0xc000_0000, 0xe000_0000, 0xf800_0000, 0xff00_0000];

export interface CounterLeaseOptions {
  /** Counters of the first reservation: what is lost when a process ends at once. */
  readonly block?: number;
  /** Counters of each later one: they last for the time that no more can be had. */
  readonly reserve?: number;
  /** What the meter says it expects at least; it never lowers the counter. */
  readonly floor?: number;
  /** Hears that few are left and no more can be had, once until there are enough again. */
  readonly onFew?: (remaining: number) => void;
  /** Hears that much of the key is used up, and how many counters are left of it. */
  readonly onLow?: (left: number) => void;
  /** Milliseconds that only rise. */
  readonly now?: () => number;
}

/** What is told of it: errors with their stacks would be kept for each meter while the database is away. */
interface ReserveFailure extends Pick<DlmsError, "code" | "at"> {
  readonly reason?: string;
}

/**
 * Counters of one key: taken without waiting from a block that has been reserved durably before. Counters that are left
 * over when the process ends are lost, which is allowed; none is ever used twice. The first block is small, so that
 * processes that die at once lose few; what comes after it is a reserve that lasts while no more can be had.
 */
export class CounterLease {
  readonly #reservations: CounterReservations;
  readonly #name: CounterName;
  readonly #block: number;
  readonly #reserveSize: number;
  readonly #onFew: (remaining: number) => void;
  readonly #onLow: (left: number) => void;
  readonly #now: () => number;
  readonly #settledMs: number;
  #next = 0;
  #end = 0;
  /** A block that was reserved while the present one was in use. */
  #following: { readonly first: number; readonly end: number } | undefined;
  #reserving: Promise<void> | undefined;
  #retryMs = -Infinity;
  #failure: ReserveFailure | undefined;
  #hasToldFew = false;
  #lowTold = 0;
  /** What floors of meters were believed to use up, in the day that began then. */
  #believed = 0;
  #believedSinceMs = 0;

  private constructor(reservations: CounterReservations, name: CounterName, options: CounterLeaseOptions) {
    const { block = DEFAULT_BLOCK, reserve = block, now = () => performance.now() } = options;
    const { onFew = () => undefined, onLow = () => undefined } = options;
    this.#reservations = reservations;
    this.#name = name;
    this.#block = block;
    this.#reserveSize = reserve;
    this.#onFew = onFew;
    this.#onLow = onLow;
    this.#now = now;
    this.#settledMs = now() + SETTLED_MS;
  }

  /** Reserves the first block. */
  static async open(
    reservations: CounterReservations,
    name: CounterName,
    options: CounterLeaseOptions = {},
  ): Promise<CounterLease> {
    const { floor = 0 } = options;
    const lease = new CounterLease(reservations, name, options);
    await lease.#reserve(0, lease.#block);
    await lease.raise(floor);
    return lease;
  }

  /** The counter that `next` gives next, as far as is reserved by now. */
  get upcoming(): number {
    return this.#next < this.#end ? this.#next : (this.#following?.first ?? this.#next);
  }

  /** Counters that can be taken without waiting. */
  get remaining(): number {
    const following = this.#following === undefined ? 0 : this.#following.end - this.#following.first;
    return this.#end - this.#next + following;
  }

  /**
   * The next counter. When half of the reserve is gone another one is reserved in the background; throws
   * SECURITY_COUNTER_UNRESERVED when that can't be done or came too late, and SECURITY_COUNTER_EXHAUSTED when the key is
   * used up.
   */
  next(): number {
    if (this.#next >= this.#end) this.#advance();
    const counter = this.#next++;
    if (this.remaining <= this.#least) this.#reserveInBackground();
    return counter;
  }

  /** With so many, or fewer, more are reserved. */
  get #least(): number {
    return (this.#now() < this.#settledMs ? this.#block : this.#reserveSize) / 2;
  }

  /**
   * Waits until at least `count` counters, up to a block, can be taken without waiting; undefined when they can now.
   * Throws as `next`.
   */
  ensure(count: number): Promise<void> | undefined {
    const enough = this.remaining >= Math.min(count, this.#block);
    return enough && this.#reserving === undefined ? undefined : this.#replenish(count);
  }

  async #replenish(count: number): Promise<void> {
    await this.#reserving;
    if (this.remaining < Math.min(count, this.#block)) await this.#reserve(this.#next, this.#block);
  }

  /**
   * Goes on at what the meter says it expects at least. A lower floor changes nothing; one that is too far above what was
   * used is refused with SECURITY_COUNTER_IMPLAUSIBLE, until an operator has raised what is remembered.
   */
  async raise(floor: number): Promise<void> {
    await this.#reserving;
    if (floor <= this.#next) return;
    if (!this.#believes(floor)) await this.#lookForOperator(floor);
    if (floor <= this.#next) return;
    this.#believed += floor - this.#next;
    if (this.#following !== undefined && floor >= this.#end) this.#advance();
    if (floor < this.#end) {
      this.#next = Math.max(this.#next, floor);
      return;
    }
    await this.#replace(floor);
  }

  #believes(floor: number): boolean {
    if (this.#next < HARDLY_USED && floor <= BELIEVED_AT_FIRST) return true;
    const now = this.#now();
    if (now - this.#believedSinceMs >= DAY_MS) {
      this.#believed = 0;
      this.#believedSinceMs = now;
    }
    return (this.#next < HARDLY_USED ? 0 : this.#believed) + floor - this.#next <= BELIEVED_A_DAY;
  }

  /** What is remembered may have been raised by somebody who knows. */
  async #lookForOperator(floor: number): Promise<void> {
    const first = await this.#reserved(0, this.#block);
    if (first > this.#end + this.#reserveSize) {
      this.#following = undefined;
      this.#next = first;
      this.#end = first + this.#block;
    }
    if (!this.#believes(floor)) {
      throw new DlmsError("SECURITY_COUNTER_IMPLAUSIBLE", "peer", { floor, next: this.#next });
    }
  }

  /** What was reserved below the floor is given up only when there is something above it. */
  async #replace(floor: number): Promise<void> {
    const first = await this.#reserved(floor, this.#block);
    this.#following = undefined;
    this.#next = first;
    this.#end = first + this.#block;
  }

  #advance(): void {
    if (this.#following === undefined) throw this.#noneLeft();
    this.#next = this.#following.first;
    this.#end = this.#following.end;
    this.#following = undefined;
  }

  #noneLeft(): DlmsError {
    const { code, at, reason } = this.#failure ?? this.#unreserved();
    return new DlmsError(code, "caller", at, reason === undefined ? {} : { cause: new Error(reason) });
  }

  #unreserved(): ReserveFailure {
    return { code: "SECURITY_COUNTER_UNRESERVED", at: { keyId: this.#name.keyId, reserved: 0 } };
  }

  #reserveInBackground(): void {
    if (this.#reserving !== undefined || this.#now() < this.#retryMs) return this.#tellFew();
    // A failure shows when the counters run out; until then the association may go on and end.
    this.#reserving = this.#reserve(this.#next, this.#reserveSize)
      .catch(() => this.#tellFew())
      .finally(() => {
        this.#reserving = undefined;
      });
  }

  #tellFew(): void {
    if (this.#failure === undefined || this.#hasToldFew || this.remaining > this.#reserveSize / FEW) return;
    this.#hasToldFew = true;
    this.#onFew(this.remaining);
  }

  #tellLow(used: number): void {
    const passed = LOW.filter((mark) => used > mark).length;
    if (passed > this.#lowTold) this.#onLow(MAX_INVOCATION_COUNTER + 1 - used);
    this.#lowTold = passed;
  }

  async #reserve(floor: number, count: number): Promise<void> {
    if (this.#following !== undefined) return;
    const first = await this.#reserved(floor, count);
    const reserved = { first, end: first + count };
    // Meanwhile the meter has asked for higher ones: these are lost.
    if (first < this.#next) return;
    if (this.#next < this.#end) {
      this.#following = reserved;
      return;
    }
    this.#next = reserved.first;
    this.#end = reserved.end;
  }

  async #reserved(floor: number, count: number): Promise<number> {
    try {
      const first = await this.#reservations.reserve(this.#name, count, floor);
      if (first < floor || first + count - 1 > MAX_INVOCATION_COUNTER)
        throw new DlmsError("SECURITY_COUNTER_EXHAUSTED", "caller", { keyId: this.#name.keyId, first, floor });
      this.#failure = undefined;
      this.#hasToldFew = false;
      this.#tellLow(first + count);
      return first;
    } catch (error) {
      const { code, at, cause = error } = error instanceof DlmsError ? error : { ...this.#unreserved(), cause: error };
      this.#failure = { code, at, reason: messageOf(cause) };
      this.#retryMs = this.#now() + RETRY_MS;
      throw error;
    }
  }
}
