/** PostgreSQL's binary COPY format (PostgreSQL manual, "COPY", "Binary Format"): rows as octets, and their way in. */
import type { PoolClient } from "pg";
import { from as copyFrom } from "pg-copy-streams";
import { inTurns } from "../intake/loop-turns.ts";

const SIGNATURE = Uint8Array.of(0x50, 0x47, 0x43, 0x4f, 0x50, 0x59, 0x0a, 0xff, 0x0d, 0x0a, 0x00);
/** Signature, flags and length of the header extension. */
export const COPY_HEADER_LENGTH = SIGNATURE.length + 8;
const JSONB_VERSION = 1;
const ABSENT = -1;
const EPOCH_MS = Date.UTC(2000, 0, 1);
const EPOCH_MS_BIGINT = BigInt(EPOCH_MS);
const TWO_32 = 2 ** 32;
const INITIAL_LENGTH = 64 * 1024;
/** Room that one field of fixed length needs at most. */
const FIXED_FIELD = 12;
const UUID_LENGTH = 16;
const UUID_DIGITS = /^[0-9a-f]{32}$/i;
/** Types as arrays name those of their elements. */
const INT4_TYPE = 23;
const TEXT_TYPE = 25;
/** Digits of a numeric are in groups of four. */
const GROUP = 4;
const NUMERIC_NEGATIVE = 0x4000;
const DECIMAL = /^(-?)(\d{1,1000})(?:\.(\d{1,1000}))?$/;

/** Whether a text is a number in plain digits that `numeric` takes. */
export function isDecimal(text: string): boolean {
  return DECIMAL.test(text);
}

/** Builds the octets of one COPY. A row that turns out to be impossible can be taken back until the next one begins. */
export class CopyRows {
  #octets = new Uint8Array(INITIAL_LENGTH);
  #view = new DataView(this.#octets.buffer);
  /** The same octets: the quickest way in for text. */
  #buffer = Buffer.from(this.#octets.buffer);
  #end = COPY_HEADER_LENGTH;
  #rowStart = COPY_HEADER_LENGTH;
  #rows = 0;
  /** The last uuid and where it is: rows of one meter come together. */
  #uuid = { value: "", at: 0 };

  constructor() {
    this.#octets.set(SIGNATURE);
  }

  get rowCount(): number {
    return this.#rows;
  }

  beginRow(fieldCount: number): void {
    this.#rowStart = this.#end;
    this.#reserve(2);
    this.#view.setInt16(this.#end, fieldCount);
    this.#end += 2;
    this.#rows += 1;
  }

  takeBackRow(): void {
    this.#end = this.#rowStart;
    this.#uuid = { value: "", at: 0 };
    this.#rows -= 1;
  }

  absent(): void {
    this.#reserve(4);
    this.#view.setInt32(this.#end, ABSENT);
    this.#end += 4;
  }

  int2(value: number): void {
    this.#reserve(FIXED_FIELD);
    this.#view.setInt32(this.#end, 2);
    this.#view.setInt16(this.#end + 4, value);
    this.#end += 6;
  }

  int4(value: number): void {
    this.#reserve(FIXED_FIELD);
    this.#view.setInt32(this.#end, 4);
    this.#view.setInt32(this.#end + 4, value);
    this.#end += 8;
  }

  int8(value: bigint): void {
    this.#reserve(FIXED_FIELD);
    this.#view.setInt32(this.#end, 8);
    this.#view.setBigInt64(this.#end + 4, value);
    this.#end += 12;
  }

  /** A moment in whole milliseconds since 1970, within some 280 years. */
  timestamptz(ms: number): void {
    const microseconds = (ms - EPOCH_MS) * 1000;
    this.#reserve(FIXED_FIELD);
    this.#view.setInt32(this.#end, 8);
    this.#view.setInt32(this.#end + 4, Math.floor(microseconds / TWO_32));
    this.#view.setUint32(this.#end + 8, microseconds % TWO_32);
    this.#end += 12;
  }

  /** As `timestamptz`, of any distance that the type holds. */
  distantTimestamptz(ms: bigint): void {
    this.int8((ms - EPOCH_MS_BIGINT) * 1000n);
  }

  /** A whole or decimal number as plain digits; see `isDecimal`. */
  numeric(decimal: string): void {
    const { weight, dscale, isNegative, groups } = numericParts(decimal);
    this.#reserve(FIXED_FIELD + 2 * groups.length);
    this.#view.setInt32(this.#end, 8 + 2 * groups.length);
    this.#view.setInt16(this.#end + 4, groups.length);
    this.#view.setInt16(this.#end + 6, weight);
    this.#view.setUint16(this.#end + 8, isNegative ? NUMERIC_NEGATIVE : 0);
    this.#view.setInt16(this.#end + 10, dscale);
    this.#end += FIXED_FIELD;
    for (const group of groups) {
      this.#view.setInt16(this.#end, group);
      this.#end += 2;
    }
  }

  /** Text without NUL. */
  text(value: string): void {
    this.#reserve(4 + 3 * value.length);
    const written = this.#buffer.write(value, this.#end + 4, "utf8");
    this.#view.setInt32(this.#end, written);
    this.#end += 4 + written;
  }

  /** Texts without NUL, as text[]. */
  texts(values: readonly string[]): void {
    const start = this.#end;
    this.#beginArray(TEXT_TYPE, values.length);
    for (const value of values) this.text(value);
    this.#view.setInt32(start, this.#end - start - 4);
  }

  /** Numbers as integer[]. */
  int4s(values: readonly number[]): void {
    const start = this.#end;
    this.#beginArray(INT4_TYPE, values.length);
    for (const value of values) this.int4(value);
    this.#view.setInt32(start, this.#end - start - 4);
  }

  /** All but the length of the field; the elements follow. */
  #beginArray(type: number, length: number): void {
    // Dimensions, no nulls, the elements' type; then the length and the lower bound of the one dimension.
    const head = length === 0 ? [0, 0, type] : [1, 0, type, length, 1];
    this.#reserve(4 + 4 * head.length);
    for (const [at, each] of head.entries()) this.#view.setInt32(this.#end + 4 + 4 * at, each);
    this.#end += 4 + 4 * head.length;
  }

  /** A uuid in its usual form. Throws RangeError for another text. */
  uuid(value: string): void {
    this.#reserve(4 + UUID_LENGTH);
    if (value === this.#uuid.value) {
      this.#octets.copyWithin(this.#end, this.#uuid.at, this.#uuid.at + 4 + UUID_LENGTH);
      this.#end += 4 + UUID_LENGTH;
      return;
    }
    const digits = value.replaceAll("-", "");
    if (!UUID_DIGITS.test(digits)) throw new RangeError("not a uuid");
    this.#uuid = { value, at: this.#end };
    this.#view.setInt32(this.#end, UUID_LENGTH);
    this.#buffer.write(digits, this.#end + 4, "hex");
    this.#end += 4 + UUID_LENGTH;
  }

  bool(value: boolean): void {
    this.#reserve(FIXED_FIELD);
    this.#view.setInt32(this.#end, 1);
    this.#octets[this.#end + 4] = value ? 1 : 0;
    this.#end += 5;
  }

  bytea(value: Uint8Array): void {
    this.#reserve(4 + value.length);
    this.#view.setInt32(this.#end, value.length);
    this.#octets.set(value, this.#end + 4);
    this.#end += 4 + value.length;
  }

  jsonb(json: string): void {
    this.#reserve(5 + 3 * json.length);
    const written = this.#buffer.write(json, this.#end + 5, "utf8");
    this.#view.setInt32(this.#end, written + 1);
    this.#octets[this.#end + 4] = JSONB_VERSION;
    this.#end += 5 + written;
  }

  /** The whole COPY with its trailer; a view of the builder's memory. */
  finish(): Uint8Array {
    this.#reserve(2);
    this.#view.setInt16(this.#end, ABSENT);
    return this.#octets.subarray(0, this.#end + 2);
  }

  #reserve(count: number): void {
    if (this.#end + count <= this.#octets.length) return;
    const grown = new Uint8Array(Math.max(this.#octets.length * 2, this.#end + count));
    grown.set(this.#octets);
    this.#octets = grown;
    this.#view = new DataView(grown.buffer);
    this.#buffer = Buffer.from(grown.buffer);
  }
}

/** A decimal as PostgreSQL sends it: groups of four digits, the first of which counts 10000^weight. */
function numericParts(decimal: string): { weight: number; dscale: number; isNegative: boolean; groups: number[] } {
  const [, sign = "", whole = "0", fraction = ""] = DECIMAL.exec(decimal) ?? [];
  if (fraction === "" && whole.length <= GROUP) {
    return { weight: 0, dscale: 0, isNegative: sign === "-", groups: [Number(whole)] };
  }
  const wholeGroups = Math.ceil(whole.length / GROUP);
  const digits = whole.padStart(wholeGroups * GROUP, "0") + fraction;
  const groups: number[] = [];
  for (let at = 0; at < digits.length; at += GROUP)
    groups.push(Number(digits.slice(at, at + GROUP).padEnd(GROUP, "0")));
  return { weight: wholeGroups - 1, dscale: fraction.length, isNegative: sign === "-", groups };
}

/** The octets of a COPY of many things, each added by `add`, in slices between which the event loop has its turn. */
export async function copyRowsOf<T>(all: readonly T[], add: (rows: CopyRows, each: T) => void): Promise<Uint8Array> {
  const rows = new CopyRows();
  for await (const some of inTurns(all)) for (const each of some) add(rows, each);
  return rows.finish();
}

/** Sends finished COPY octets into a table; `columns` in the order of the fields. Throws the driver's error. */
export async function copyInto(
  client: PoolClient,
  target: { readonly table: string; readonly columns: readonly string[] },
  octets: Uint8Array,
): Promise<void> {
  const statement = `copy ${target.table} (${target.columns.join(", ")}) from stdin (format binary)`;
  const stream = client.query(copyFrom(statement));
  await new Promise<void>((resolve, reject) => {
    // A lost connection is told more than once; the second time must find a listener too.
    stream.on("error", reject);
    stream.once("finish", resolve);
    stream.end(Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength));
  });
}
