import { DlmsError } from "../errors.ts";
import { newOctets } from "./octets.ts";

const INITIAL_CAPACITY = 64;

const NO_OCTETS = new Uint8Array(0);

/** Numbers of eight octets and floats, which have no shifts of their own. */
const scratch = new DataView(new ArrayBuffer(8));
const scratchOctets = new Uint8Array(scratch.buffer);

/** Writes big-endian fields into a buffer that grows. Values outside their field throw DATA_OUT_OF_RANGE. */
export class Writer {
  #bytes: Uint8Array = NO_OCTETS;
  #length = 0;
  readonly #capacity: number;

  /** Memory is taken with the first octet: so much of it at least. */
  constructor(capacity = INITIAL_CAPACITY) {
    this.#capacity = capacity;
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    if ((value & 0xff) !== value) throw outOfRange(value);
    return this.#put8(value);
  }
  i8(value: number): this {
    if ((value << 24) >> 24 !== value) throw outOfRange(value);
    return this.#put8(value);
  }
  u16(value: number): this {
    if ((value & 0xffff) !== value) throw outOfRange(value);
    return this.#put16(value);
  }
  i16(value: number): this {
    if ((value << 16) >> 16 !== value) throw outOfRange(value);
    return this.#put16(value);
  }
  u32(value: number): this {
    if (value >>> 0 !== value) throw outOfRange(value);
    return this.#put32(value);
  }
  i32(value: number): this {
    if ((value | 0) !== value) throw outOfRange(value);
    return this.#put32(value);
  }
  u64(value: bigint): this {
    if (value !== BigInt.asUintN(64, value)) throw outOfRange(value);
    scratch.setBigUint64(0, value);
    return this.bytes(scratchOctets);
  }
  i64(value: bigint): this {
    if (value !== BigInt.asIntN(64, value)) throw outOfRange(value);
    scratch.setBigInt64(0, value);
    return this.bytes(scratchOctets);
  }
  f32(value: number): this {
    scratch.setFloat32(0, value);
    return this.#put32(scratch.getUint32(0));
  }
  f64(value: number): this {
    scratch.setFloat64(0, value);
    return this.bytes(scratchOctets);
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

  /** Begins octets whose number is not known yet; returns what `endCounted` wants to hear. */
  beginCounted(): number {
    return this.#grow(1) + 1;
  }

  /** Puts the length field before the octets that were written since `beginCounted`. */
  endCounted(start: number): this {
    const end = this.#length;
    const length = end - start;
    if (length >= 0x80) {
      const field = new Writer().lengthField(length).finish();
      this.#grow(field.length - 1);
      this.#bytes.copyWithin(start - 1 + field.length, start, end);
      this.#bytes.set(field, start - 1);
    } else this.#bytes[start - 1] = length;
    return this;
  }

  /** What has been written; octets that the writer no longer touches after this call. */
  finish(): Uint8Array {
    const bytes = this.#bytes;
    const length = this.#length;
    this.#bytes = NO_OCTETS;
    this.#length = 0;
    return length === bytes.length ? bytes : bytes.subarray(0, length);
  }

  #put8(value: number): this {
    const start = this.#grow(1);
    this.#bytes[start] = value;
    return this;
  }

  #put16(value: number): this {
    const start = this.#grow(2);
    const bytes = this.#bytes;
    bytes[start] = value >> 8;
    bytes[start + 1] = value;
    return this;
  }

  #put32(value: number): this {
    const start = this.#grow(4);
    const bytes = this.#bytes;
    bytes[start] = value >> 24;
    bytes[start + 1] = value >> 16;
    bytes[start + 2] = value >> 8;
    bytes[start + 3] = value;
    return this;
  }

  /** Makes room and returns where it begins; the buffer may be another one afterwards. */
  #grow(count: number): number {
    const start = this.#length;
    const length = start + count;
    this.#length = length;
    if (length > this.#bytes.length) {
      const bytes = newOctets(Math.max(length, this.#bytes.length * 2, this.#capacity));
      bytes.set(this.#bytes);
      this.#bytes = bytes;
    }
    return start;
  }
}

function outOfRange(value: number | bigint): DlmsError {
  return new DlmsError("DATA_OUT_OF_RANGE", "caller", { value: String(value) });
}
