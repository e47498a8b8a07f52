import { DlmsError } from "../errors.ts";

const INITIAL_CAPACITY = 128;

/** Writes big-endian fields into a buffer that grows. Values outside their field throw DATA_OUT_OF_RANGE. */
export class Writer {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity = INITIAL_CAPACITY) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    this.#check(value, 0, 0xff);
    const start = this.#grow(1);
    this.#view.setUint8(start, value);
    return this;
  }
  i8(value: number): this {
    this.#check(value, -0x80, 0x7f);
    const start = this.#grow(1);
    this.#view.setInt8(start, value);
    return this;
  }
  u16(value: number): this {
    this.#check(value, 0, 0xffff);
    const start = this.#grow(2);
    this.#view.setUint16(start, value);
    return this;
  }
  i16(value: number): this {
    this.#check(value, -0x8000, 0x7fff);
    const start = this.#grow(2);
    this.#view.setInt16(start, value);
    return this;
  }
  u32(value: number): this {
    this.#check(value, 0, 0xffff_ffff);
    const start = this.#grow(4);
    this.#view.setUint32(start, value);
    return this;
  }
  i32(value: number): this {
    this.#check(value, -0x8000_0000, 0x7fff_ffff);
    const start = this.#grow(4);
    this.#view.setInt32(start, value);
    return this;
  }
  u64(value: bigint): this {
    if (value !== BigInt.asUintN(64, value)) throw outOfRange(value);
    const start = this.#grow(8);
    this.#view.setBigUint64(start, value);
    return this;
  }
  i64(value: bigint): this {
    if (value !== BigInt.asIntN(64, value)) throw outOfRange(value);
    const start = this.#grow(8);
    this.#view.setBigInt64(start, value);
    return this;
  }
  f32(value: number): this {
    const start = this.#grow(4);
    this.#view.setFloat32(start, value);
    return this;
  }
  f64(value: number): this {
    const start = this.#grow(8);
    this.#view.setFloat64(start, value);
    return this;
  }

  bytes(value: Uint8Array): this {
    const start = this.#grow(value.length);
    this.#bytes.set(value, start);
    return this;
  }

  /** The shortest form of an A-XDR or BER length. */
  lengthField(value: number): this {
    if (value < 0x80) return this.u8(value);
    const size = value < 0x100 ? 1 : value < 0x1_0000 ? 2 : value < 0x100_0000 ? 3 : 4;
    this.u8(0x80 | size);
    for (let shift = size - 1; shift >= 0; shift--) this.u8(Math.floor(value / 256 ** shift) & 0xff);
    return this;
  }

  /** A length field and the octets it counts. */
  octetString(value: Uint8Array): this {
    return this.lengthField(value.length).bytes(value);
  }

  /** What has been written; a view that the writer no longer touches after this call. */
  finish(): Uint8Array {
    const written = this.#bytes.subarray(0, this.#length);
    this.#bytes = new Uint8Array(0);
    this.#view = new DataView(this.#bytes.buffer);
    this.#length = 0;
    return written;
  }

  #check(value: number, min: number, max: number): void {
    if (!Number.isInteger(value) || value < min || value > max) throw outOfRange(value);
  }

  /** Makes room and gives its start. Called before `#bytes` or `#view` is named: it may replace both. */
  #grow(count: number): number {
    const start = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const bytes = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2, INITIAL_CAPACITY));
      bytes.set(this.#bytes);
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer);
    }
    return start;
  }
}

function outOfRange(value: number | bigint): DlmsError {
  return new DlmsError("DATA_OUT_OF_RANGE", "caller", { value: String(value) });
}
