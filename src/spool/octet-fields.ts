/**
 * Fields of a record as octets: whole numbers in as few octets as they need, differences where neighbours are alike.
 * What is written is read back exactly, whatever it is: a number that is none, a list of another length, an odd text.
 */
import { SpoolError } from "./spool-error.ts";

/** Numbers up to here are written with shifts of their own; what is beyond takes the long form. */
const SHORT = 2 ** 50;
const SHORT_BIGINT = BigInt(SHORT);
const LONG_FORM = 0;
const MOST_VARINT_OCTETS = 8;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

export class FieldWriter {
  #octets = new Uint8Array(512);
  #view = new DataView(this.#octets.buffer);
  #end = 0;

  finish(): Uint8Array {
    return this.#octets.subarray(0, this.#end);
  }

  /** A whole number from 0 to 2^53. */
  count(value: number): this {
    this.#reserve(MOST_VARINT_OCTETS);
    let left = value;
    for (; left >= 2 ** 31; left = Math.floor(left / 0x80)) this.#octets[this.#end++] = (left % 0x80) | 0x80;
    for (; left >= 0x80; left >>>= 7) this.#octets[this.#end++] = (left & 0x7f) | 0x80;
    this.#octets[this.#end++] = left;
    return this;
  }

  /** Any number, NaN too. */
  number(value: number): this {
    if (isShort(value)) return this.count(zigzag(value) + 1);
    this.count(LONG_FORM).#reserve(8);
    this.#view.setFloat64(this.#end, value);
    this.#end += 8;
    return this;
  }

  flag(value: boolean): this {
    return this.count(value ? 1 : 0);
  }

  octets(value: Uint8Array): this {
    this.count(value.length).#reserve(value.length);
    this.#octets.set(value, this.#end);
    this.#end += value.length;
    return this;
  }

  text(value: string): this {
    // Half of a surrogate pair has no UTF-8; such a text goes by its code units.
    if (!value.isWellFormed()) {
      this.flag(true).count(value.length);
      for (let at = 0; at < value.length; at++) this.count(value.charCodeAt(at));
      return this;
    }
    return this.flag(false).octets(encoder.encode(value));
  }

  optional<T>(value: T | undefined, write: (value: T) => void): this {
    this.flag(value !== undefined);
    if (value !== undefined) write(value);
    return this;
  }

  list<T>(values: readonly T[], write: (value: T) => void): this {
    this.count(values.length);
    for (const value of values) write(value);
    return this;
  }

  /** Numbers that grow by similar steps. */
  numbers(values: readonly number[]): this {
    this.count(values.length);
    let previous = 0;
    for (const value of values) {
      if (!isShort(value)) {
        this.number(value);
        continue;
      }
      this.count(zigzag(value - previous) + 1);
      previous = value;
    }
    return this;
  }

  /** Whole numbers of any size, some missing, whose neighbours are alike. */
  bigints(values: readonly (bigint | undefined)[] | BigInt64Array): this {
    this.count(values.length);
    let previous = 0;
    for (const value of values) {
      if (value === undefined) this.count(0);
      else if (value > SHORT_BIGINT || value < -SHORT_BIGINT) this.count(1).#long(value);
      else {
        const number = Number(value);
        this.count(zigzag(number - previous) + 2);
        previous = number;
      }
    }
    return this;
  }

  #long(value: bigint): void {
    this.text(value.toString(36));
  }

  #reserve(length: number): void {
    if (this.#end + length <= this.#octets.length) return;
    const grown = new Uint8Array(Math.max(this.#octets.length * 2, this.#end + length));
    grown.set(this.#octets);
    this.#octets = grown;
    this.#view = new DataView(grown.buffer);
  }
}

function isShort(value: number): boolean {
  return Number.isSafeInteger(value) && Math.abs(value) <= SHORT && !Object.is(value, -0);
}

function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/** Reads what FieldWriter wrote; anything else throws SPOOL_RECORD_INVALID. Octets that it returns are views. */
export class FieldReader {
  readonly #octets: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(octets: Uint8Array) {
    this.#octets = octets;
    this.#view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  }

  count(): number {
    let [value, factor] = [0, 1];
    for (let length = 0; length < MOST_VARINT_OCTETS; length++) {
      const octet = this.#octets[this.#at++];
      if (octet === undefined) throw this.#invalid("it ends too early");
      value += (octet & 0x7f) * factor;
      if (octet < 0x80) return value;
      factor *= 0x80;
    }
    throw this.#invalid("a number is too long");
  }

  number(): number {
    const code = this.count();
    return code === LONG_FORM ? this.#float() : unzigzag(code - 1);
  }

  flag(): boolean {
    return this.count() !== 0;
  }

  octets(): Uint8Array {
    const length = this.#length();
    this.#at += length;
    return this.#octets.subarray(this.#at - length, this.#at);
  }

  text(): string {
    if (!this.flag()) return this.#utf8(this.octets());
    return Array.from({ length: this.#length() }, () => String.fromCharCode(this.count())).join("");
  }

  #utf8(octets: Uint8Array): string {
    try {
      return decoder.decode(octets);
    } catch {
      throw this.#invalid("a text is no UTF-8");
    }
  }

  optional<T>(read: () => T): T | undefined {
    return this.flag() ? read() : undefined;
  }

  list<T>(read: () => T): T[] {
    return Array.from({ length: this.#length() }, read);
  }

  numbers(): number[] {
    let previous = 0;
    return this.list(() => {
      const code = this.count();
      if (code === LONG_FORM) return this.#float();
      previous += unzigzag(code - 1);
      return previous;
    });
  }

  bigints(): (bigint | undefined)[] {
    let previous = 0;
    return this.list(() => {
      const code = this.count();
      if (code === 0) return undefined;
      if (code === 1) return this.#long();
      previous += unzigzag(code - 2);
      return BigInt(previous);
    });
  }

  /** Throws where something is left. */
  end(): void {
    if (this.#at !== this.#octets.length) throw this.#invalid("it is longer than what it says");
  }

  /** One of `values` by its place. */
  choice<T>(values: readonly T[]): T {
    const value = values[this.count()];
    if (value === undefined) throw this.#invalid("a choice is unknown");
    return value;
  }

  /** Every element of a list takes an octet at least: a length beyond what is left is none. */
  #length(): number {
    const length = this.count();
    if (length > this.#octets.length - this.#at) throw this.#invalid("a length goes beyond its end");
    return length;
  }

  #float(): number {
    if (this.#at + 8 > this.#octets.length) throw this.#invalid("it ends too early");
    this.#at += 8;
    return this.#view.getFloat64(this.#at - 8);
  }

  #long(): bigint {
    const text = this.text();
    const isNegative = text.startsWith("-");
    let value = 0n;
    for (const digit of isNegative ? text.slice(1) : text) {
      const number = Number.parseInt(digit, 36);
      if (Number.isNaN(number)) throw this.#invalid("a digit is none");
      value = value * 36n + BigInt(number);
    }
    return isNegative ? -value : value;
  }

  #invalid(reason: string): SpoolError {
    return new SpoolError("SPOOL_RECORD_INVALID", { reason, at: this.#at });
  }
}
