/**
 * Combinators that say in which order an APDU's fields are on the wire (A-XDR, IEC 61334-6). The TypeScript type of the
 * decoded value follows from the declaration: `type GetRequest = Decoded<typeof getRequest>`.
 */
import type { Reader } from "../bytes/reader.ts";
import type { Writer } from "../bytes/writer.ts";
import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { type Data, decodeData, encodeData } from "./data.ts";

/** Members in method syntax on purpose: as properties, codecs of narrower types would not nest. */
export interface Codec<T> {
  decode(reader: Reader): T;
  encode(value: T, writer: Writer): void;
  /** Decodes fields into an object that has others already; what a SEQUENCE offers to the CHOICE around it. */
  decodeInto?(fields: Record<string, unknown>, reader: Reader): void;
}

export type Decoded<C> = C extends Codec<infer T> ? T : never;

export const u8: Codec<number> = { decode: (r) => r.u8(), encode: (v, w) => void w.u8(v) };
export const i8: Codec<number> = { decode: (r) => r.i8(), encode: (v, w) => void w.i8(v) };
export const u16: Codec<number> = { decode: (r) => r.u16(), encode: (v, w) => void w.u16(v) };
export const u32: Codec<number> = { decode: (r) => r.u32(), encode: (v, w) => void w.u32(v) };
/** FALSE is 00; meters send 01 or FF for TRUE, we send 01. */
export const bool: Codec<boolean> = { decode: (r) => r.u8() !== 0, encode: (v, w) => void w.u8(v ? 1 : 0) };
/** OCTET STRING of variable length; decoded octets are a view. */
export const octets: Codec<Uint8Array> = {
  decode: (r) => r.bytes(r.length(LIMITS.apduLength)),
  encode: (v, w) => void w.octetString(v),
};
/** One value of the Data CHOICE. */
export const data: Codec<Data> = {
  decode(reader) {
    reader.observer?.dataBegins(reader);
    return decodeData(reader);
  },
  encode: encodeData,
};

/** Decodes a field under its name, so that an observer can follow. */
export function decodeField<T>(name: string, codec: Codec<T>, reader: Reader): T {
  const { observer } = reader;
  if (observer === undefined) return codec.decode(reader);
  observer.entered(name, reader);
  const value = codec.decode(reader);
  observer.left(value, reader);
  return value;
}

/** OCTET STRING of fixed length: octets without a length field. */
export function fixedOctets(length: number): Codec<Uint8Array> {
  return {
    decode: (r) => r.bytes(length),
    encode(value, writer) {
      if (value.length !== length)
        throw new DlmsError("DATA_OUT_OF_RANGE", "caller", { length: value.length, wanted: length });
      writer.bytes(value);
    },
  };
}

/** ENUMERATED of one octet. A code that the table does not have decodes to `unknown-<code>` and encodes back. */
export function enumerated<const T extends Readonly<Record<string, number>>>(table: T): Codec<NameIn<T>> {
  const names = new Map(Object.entries(table).map(([name, code]) => [code, name]));
  return {
    decode(reader) {
      const code = reader.u8();
      return (names.get(code) ?? `unknown-${code}`) as NameIn<T>;
    },
    encode(value, writer) {
      const code = table[value] ?? Number.parseInt(/^unknown-(\d+)$/.exec(value)?.[1] ?? "", 10);
      if (Number.isNaN(code)) throw new DlmsError("DATA_OUT_OF_RANGE", "caller", { value });
      writer.u8(code);
    },
  };
}

/** The names of a code table, and the form that codes outside it take. */
export type NameIn<T> = Extract<keyof T, string> | `unknown-${number}`;

/** Reads the flag of an OPTIONAL or DEFAULT field. Throws OPTION_FLAG_INVALID for other octets than 00 and 01. */
export function optionFlag(reader: Reader): boolean {
  const offset = reader.offset;
  const flag = reader.u8();
  if (flag > 1 && !reader.tolerates("optional-flag")) {
    throw new DlmsError("OPTION_FLAG_INVALID", "peer", { offset, flag });
  }
  return flag !== 0;
}

/** OPTIONAL: 00 when absent, else 01 and the value. */
export function optional<T>(codec: Codec<T>): Codec<T | undefined> {
  return {
    decode: (r) => (optionFlag(r) ? codec.decode(r) : undefined),
    encode(value, writer) {
      writer.u8(value === undefined ? 0 : 1);
      if (value !== undefined) codec.encode(value, writer);
    },
  };
}

/** DEFAULT: 00 when the value is the default, else 01 and the value. */
export function withDefault<T extends number | boolean>(codec: Codec<T>, fallback: T): Codec<T> {
  return {
    decode: (r) => (optionFlag(r) ? codec.decode(r) : fallback),
    encode(value, writer) {
      writer.u8(value === fallback ? 0 : 1);
      if (value !== fallback) codec.encode(value, writer);
    },
  };
}

/** SEQUENCE OF: a count and that many elements; at most LIMITS.listCount. */
export function listOf<T>(codec: Codec<T>, limit: number = LIMITS.listCount): Codec<readonly T[]> {
  return {
    decode(reader) {
      const elements: T[] = [];
      const count = reader.length(limit);
      if (reader.observer === undefined) for (let i = 0; i < count; i++) elements.push(codec.decode(reader));
      else for (let i = 0; i < count; i++) elements.push(decodeField(`[${i}]`, codec, reader));
      return elements;
    },
    encode(value, writer) {
      writer.lengthField(value.length);
      for (const element of value) codec.encode(element, writer);
    },
  };
}

type Fields = Readonly<Record<string, Codec<never>>>;
type Absentable<F> = { [K in keyof F]: undefined extends Decoded<F[K]> ? K : never }[keyof F];
type FieldValues<F> = { readonly [K in Exclude<keyof F, Absentable<F>>]: Decoded<F[K]> } & {
  readonly [K in Absentable<F>]?: Decoded<F[K]>;
};

/** SEQUENCE: the fields in the order of the declaration. An absent OPTIONAL field is an absent property. */
export function sequence<const F extends { readonly [K in keyof F]: Codec<Decoded<F[K]>> }>(
  fields: F,
): Codec<FieldValues<F>> {
  const names = Object.keys(fields);
  const codecs = Object.values(fields as unknown as Fields) as Codec<unknown>[];
  function decodeInto(target: Record<string, unknown>, reader: Reader): void {
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string;
      const field = decodeField(name, codecs[i] as Codec<unknown>, reader);
      if (field !== undefined) target[name] = field;
    }
  }
  return {
    decode(reader) {
      const value: Record<string, unknown> = {};
      decodeInto(value, reader);
      return value as FieldValues<F>;
    },
    decodeInto,
    encode(value, writer) {
      const record = value as Readonly<Record<string, unknown>>;
      for (let i = 0; i < names.length; i++) (codecs[i] as Codec<unknown>).encode(record[names[i] as string], writer);
    },
  };
}

type Alternatives<A> = {
  [K in keyof A]: A[K] extends readonly [number, infer C] ? { readonly type: K } & Decoded<C> : never;
}[keyof A];

/** CHOICE: a tag octet, then the alternative; the decoded value carries the alternative's name as `type`. */
export function choice<const A extends { readonly [K in keyof A]: readonly [number, Codec<Decoded<A[K][1]>>] }>(
  alternatives: A,
): Codec<Alternatives<A>> {
  const rows = Object.entries(alternatives as Record<string, readonly [number, Codec<object>]>).map(
    ([type, [tag, codec]]) => ({ type, tag, codec }),
  );
  const byTag: ((typeof rows)[number] | undefined)[] = [];
  for (const row of rows) byTag[row.tag] = row;
  const byName = new Map(rows.map((row) => [row.type, row]));
  return {
    decode(reader) {
      const offset = reader.offset;
      const tag = reader.u8();
      const found = byTag[tag];
      if (found === undefined) throw new DlmsError("APDU_UNKNOWN_TAG", "peer", { offset, tag });
      const { type, codec } = found;
      reader.observer?.chose(type);
      const value: Record<string, unknown> = { type };
      if (codec.decodeInto === undefined) Object.assign(value, codec.decode(reader));
      else codec.decodeInto(value, reader);
      return value as Alternatives<A>;
    },
    encode(value, writer) {
      const { type } = value as { type: string };
      const found = byName.get(type);
      if (found === undefined) throw new DlmsError("DATA_TYPE_MISMATCH", "caller", { type });
      writer.u8(found.tag);
      found.codec.encode(value, writer);
    },
  };
}
