import { DlmsError } from "../../protocol/errors.ts";
import { MAX_INVOCATION_COUNTER } from "../../protocol/security/suites.ts";
import type { CounterName, CounterReservations } from "./counter-reservations.ts";

const DEFAULT_BLOCK = 100;
/**
 * What a meter says it expects is not authenticated where the public client reads it. Up to here any floor is believed;
 * beyond, only small steps, so that nobody uses up a key's counters by a few false answers.
 */
const BELIEVED_FLOOR = 0xf000_0000;
const GUARDED_STEP = 0x1_0000;

/**
 * Counters for one association: taken without waiting from a block that has been reserved durably before. Counters that
 * are left over when the association ends are lost, which is allowed; none is ever used twice.
 */
export class CounterLease {
  readonly #reservations: CounterReservations;
  readonly #name: CounterName;
  readonly #block: number;
  #next = 0;
  #end = 0;
  /** A block that was reserved while the present one was in use. */
  #following: { readonly first: number; readonly end: number } | undefined;
  #reserving: Promise<void> | undefined;

  private constructor(reservations: CounterReservations, name: CounterName, block: number) {
    this.#reservations = reservations;
    this.#name = name;
    this.#block = block;
  }

  /** Reserves the first block. `floor` is what the meter says it expects at least; it never lowers the counter. */
  static async open(
    reservations: CounterReservations,
    name: CounterName,
    { block = DEFAULT_BLOCK, floor = 0 }: { readonly block?: number; readonly floor?: number } = {},
  ): Promise<CounterLease> {
    requirePlausible(floor, 0);
    const lease = new CounterLease(reservations, name, block);
    await lease.#reserve(floor);
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
   * The next counter. When half of the block is gone another one is reserved in the background; throws
   * SECURITY_COUNTER_EXHAUSTED when that came too late or the key is used up.
   */
  next(): number {
    if (this.#next >= this.#end) this.#advance();
    const counter = this.#next++;
    if (this.remaining <= this.#block / 2) this.#reserveInBackground();
    return counter;
  }

  /** Waits until at least `count` counters, up to a block, can be taken without waiting. */
  async ensure(count: number): Promise<void> {
    await this.#reserving;
    if (this.remaining < Math.min(count, this.#block)) await this.#reserve(this.#next);
  }

  /**
   * Goes on at what the meter says it expects at least. A lower floor changes nothing; one so high that it would use the
   * key up is refused with SECURITY_COUNTER_IMPLAUSIBLE.
   */
  async raise(floor: number): Promise<void> {
    await this.#reserving;
    if (floor <= this.#next) return;
    requirePlausible(floor, this.#next);
    if (this.#following !== undefined && floor >= this.#end) this.#advance();
    if (floor < this.#end) {
      this.#next = Math.max(this.#next, floor);
      return;
    }
    this.#next = this.#end;
    this.#following = undefined;
    await this.#reserve(floor);
  }

  #advance(): void {
    if (this.#following === undefined)
      throw new DlmsError("SECURITY_COUNTER_EXHAUSTED", "caller", { keyId: this.#name.keyId, reserved: 0 });
    this.#next = this.#following.first;
    this.#end = this.#following.end;
    this.#following = undefined;
  }

  #reserveInBackground(): void {
    // A failure shows when the counters run out; until then the association may go on and end.
    this.#reserving ??= this.#reserve(this.#next)
      .catch(() => undefined)
      .finally(() => {
        this.#reserving = undefined;
      });
  }

  async #reserve(floor: number): Promise<void> {
    if (this.#following !== undefined) return;
    const first = await this.#reservations.reserve(this.#name, this.#block, floor);
    if (first < floor || first + this.#block - 1 > MAX_INVOCATION_COUNTER)
      throw new DlmsError("SECURITY_COUNTER_EXHAUSTED", "caller", { keyId: this.#name.keyId, first, floor });
    const reserved = { first, end: first + this.#block };
    if (this.#next < this.#end) {
      this.#following = reserved;
      return;
    }
    this.#next = reserved.first;
    this.#end = reserved.end;
  }
}

function requirePlausible(floor: number, next: number): void {
  if (floor > Math.max(next, BELIEVED_FLOOR) + GUARDED_STEP)
    throw new DlmsError("SECURITY_COUNTER_IMPLAUSIBLE", "peer", { floor, next });
}
