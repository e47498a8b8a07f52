import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { NO_QUIRKS, type Quirk } from "../quirks.ts";

/** Follows a decoding field by field, for tools that show where each one stands. */
export interface ReadObserver {
  /** A field begins at the reader's offset. */
  entered(name: string, reader: Reader): void;
  /** The field entered last has been read. */
  left(value: unknown, reader: Reader): void;
  /** The field entered last is this alternative of a CHOICE. */
  chose(alternative: string): void;
  /** The field entered last holds a value of the Data CHOICE, whose tag is at the reader's offset. */
  dataBegins(reader: Reader): void;
}

const NONE: readonly Quirk[] = [];

/**
 * Reads big-endian fields from octets that are known to be whole; running off the end throws DATA_TRUNCATED with the
 * offset. `bytes()` returns views into the caller's octets: copy what has to outlive them.
 */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  readonly #tolerated: ReadonlySet<Quirk>;
  /** The reader that this one is a window of, or itself: it holds what all of them noted. */
  #whole: Reader;
  #quirks: Quirk[] | undefined;
  #view: DataView | undefined;
  offset: number;
  observer: ReadObserver | undefined;

  constructor(bytes: Uint8Array, offset = 0, end = bytes.length, tolerated = NO_QUIRKS) {
    this.#whole = this;
    this.#bytes = bytes;
    this.#end = end;
    this.#tolerated = tolerated;
    this.offset = offset;
  }

  /** The deviations tolerated so far, each once. */
  get quirks(): readonly Quirk[] {
    return this.#whole.#quirks ?? NONE;
  }

  /** Whether a deviation may be looked for at all. */
  allows(quirk: Quirk): boolean {
    return this.#tolerated.has(quirk);
  }

  /** Whether a deviation that was just met may be read all the same; if so it is noted. */
  tolerates(quirk: Quirk): boolean {
    if (!this.allows(quirk)) return false;
    const whole = this.#whole;
    whole.#quirks ??= [];
    if (!whole.#quirks.includes(quirk)) whole.#quirks.push(quirk);
    return true;
  }

  /** A reader of the next `length` octets, which count as read here; offsets and noted deviations are shared. */
  window(length: number): Reader {
    const start = this.#advance(length);
    const inner = new Reader(this.#bytes, start, start + length, this.#tolerated);
    inner.#whole = this.#whole;
    inner.observer = this.observer;
    return inner;
  }

  get remaining(): number {
    return this.#end - this.offset;
  }

  u8(): number {
    const at = this.offset;
    if (at >= this.#end) throw this.#truncated(1);
    this.offset = at + 1;
    return this.#at(at);
  }
  i8(): number {
    return (this.u8() << 24) >> 24;
  }
  u16(): number {
    const at = this.#advance(2);
    return (this.#at(at) << 8) | this.#at(at + 1);
  }
  i16(): number {
    return (this.u16() << 16) >> 16;
  }
  u32(): number {
    return this.i32() >>> 0;
  }
  i32(): number {
    const at = this.#advance(4);
    return (this.#at(at) << 24) | (this.#at(at + 1) << 16) | (this.#at(at + 2) << 8) | this.#at(at + 3);
  }
  u64(): bigint {
    const at = this.#advance(8);
    return this.#wide().getBigUint64(at);
  }
  i64(): bigint {
    const at = this.#advance(8);
    return this.#wide().getBigInt64(at);
  }
  f32(): number {
    const at = this.#advance(4);
    return this.#wide().getFloat32(at);
  }
  f64(): number {
    const at = this.#advance(8);
    return this.#wide().getFloat64(at);
  }

  /** The next octet without taking it, or undefined at the end. */
  peek(): number | undefined {
    return this.offset < this.#end ? this.#bytes[this.offset] : undefined;
  }

  /** A view of the next `length` octets. */
  bytes(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Passes over the next `length` octets. */
  skip(length: number): void {
    this.#advance(length);
  }

  /** A view of everything that is left. */
  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }

  /** A view of octets already read, from `start` to the present offset. */
  since(start: number): Uint8Array {
    return this.#bytes.subarray(start, this.offset);
  }

  /**
   * A length or count field of A-XDR and BER: short form below 80, else 81..84 and that many octets; non-minimal forms
   * are accepted because meters send them. Throws LENGTH_INVALID for other forms, LENGTH_OVER_LIMIT above `limit`.
   */
  length(limit: number = LIMITS.stringLength): number {
    const at = this.offset;
    const first = this.u8();
    if (first < 0x80) return this.#within(first, limit, at);
    const size = first & 0x7f;
    if (size === 0 || size > 4) throw new DlmsError("LENGTH_INVALID", "peer", { offset: at, octet: first });
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + this.u8();
    return this.#within(value, limit, at);
  }

  /** Throws DATA_TRAILING unless everything has been read. */
  end(): void {
    if (this.remaining > 0) throw new DlmsError("DATA_TRAILING", "peer", { offset: this.offset, left: this.remaining });
  }

  #within(value: number, limit: number, offset: number): number {
    if (value > limit) throw new DlmsError("LENGTH_OVER_LIMIT", "peer", { offset, length: value, limit });
    return value;
  }

  #advance(count: number): number {
    const start = this.offset;
    if (count > this.#end - start) throw this.#truncated(count);
    this.offset = start + count;
    return start;
  }

  /** The octet at a place that is known to be inside. */
  #at(index: number): number {
    return this.#bytes[index] ?? 0;
  }

  /** Made when it is needed: few values are wider than shifts can join. */
  #wide(): DataView {
    this.#view ??= new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
    return this.#view;
  }

  #truncated(wanted: number): DlmsError {
    return new DlmsError("DATA_TRUNCATED", "peer", { offset: this.offset, wanted, left: this.#end - this.offset });
  }
}
