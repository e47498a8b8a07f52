/** Mutations for long runs: in place, in one scratch buffer, a few hundred nanoseconds each. */
import type { Random } from "./random.ts";

/** Octets that like to stand where a length, a count or a tag is read. */
const TELLING = [0x00, 0x01, 0x02, 0x09, 0x0f, 0x13, 0x7d, 0x7e, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xc4, 0xdb, 0xfe, 0xff];
const TELLING_16 = [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff];
const TELLING_32 = [0, 1, 0xff, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
const LONGEST = 8192;
const LONGEST_RANDOM = 400;
const LONGEST_PIECE = 32;

export class Mutator {
  readonly #random: Random;
  readonly #scratch = new Uint8Array(LONGEST);
  readonly #view = new DataView(this.#scratch.buffer);
  #length = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** A mutation of one of the pool, at times with a piece of another; seldom anything at all. The octets are new. */
  mutate(pool: readonly Uint8Array[]): Uint8Array {
    const random = this.#random;
    if (pool.length === 0 || random.oneIn(32)) return this.#anything();
    const base = random.pick(pool);
    this.#length = Math.min(base.length, LONGEST);
    this.#scratch.set(base.length > LONGEST ? base.subarray(0, LONGEST) : base);
    for (let steps = 1 << random.below(4); steps > 0; steps--) this.#step(pool);
    return this.#scratch.slice(0, this.#length);
  }

  #anything(): Uint8Array {
    const octets = new Uint8Array(this.#random.below(LONGEST_RANDOM));
    for (let at = 0; at < octets.length; at++) octets[at] = this.#octet();
    return octets;
  }

  #octet(): number {
    const drawn = this.#random.next();
    return drawn & 0x100 ? (TELLING[(drawn >>> 9) % TELLING.length] ?? 0) : drawn & 0xff;
  }

  #step(pool: readonly Uint8Array[]): void {
    const random = this.#random;
    if (this.#length === 0) {
      this.#insert(0, this.#anything());
      return;
    }
    const at = random.below(this.#length);
    switch (random.below(11)) {
      case 0:
      case 1:
        this.#scratch[at] = this.#octet();
        return;
      case 2:
        this.#scratch[at] = (this.#scratch[at] ?? 0) ^ (1 << random.below(8));
        return;
      case 3:
        this.#scratch[at] = (this.#scratch[at] ?? 0) + random.below(17) - 8;
        return;
      case 4:
        if (random.oneIn(4)) this.#length = at;
        return;
      case 5:
        this.#drop(at, 1 + random.below(LONGEST_PIECE));
        return;
      case 6:
        this.#insert(at, this.#anything().subarray(0, 1 + random.below(LONGEST_PIECE)));
        return;
      case 7:
        this.#insert(at, this.#scratch.slice(at, Math.min(this.#length, at + 1 + random.below(LONGEST_PIECE))));
        return;
      case 8:
        this.#splice(at, random.pick(pool));
        return;
      case 9:
        if (at + 2 <= this.#length) this.#view.setUint16(at, random.pick(TELLING_16));
        return;
      default:
        if (at + 4 <= this.#length) this.#view.setUint32(at, random.pick(TELLING_32));
    }
  }

  #drop(at: number, count: number): void {
    const end = Math.min(this.#length, at + count);
    this.#scratch.copyWithin(at, end, this.#length);
    this.#length -= end - at;
  }

  #insert(at: number, octets: Uint8Array): void {
    const count = Math.min(octets.length, LONGEST - this.#length);
    this.#scratch.copyWithin(at + count, at, this.#length);
    this.#scratch.set(octets.subarray(0, count), at);
    this.#length += count;
  }

  /** A piece of another input, over or between what is there; or all that follows from it. */
  #splice(at: number, other: Uint8Array): void {
    const from = this.#random.below(other.length + 1);
    const piece = other.subarray(from, from + 1 + this.#random.below(4 * LONGEST_PIECE));
    const way = this.#random.below(3);
    if (way === 0) this.#insert(at, piece);
    else if (way === 1) this.#scratch.set(piece.subarray(0, this.#length - at), at);
    else {
      const rest = other.subarray(from, from + LONGEST - at);
      this.#scratch.set(rest, at);
      this.#length = at + rest.length;
    }
  }
}
