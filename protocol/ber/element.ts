/**
 * The part of BER that ACSE APDUs need (ITU-T X.690): definite lengths, tags of one octet. A sequence is declared as a
 * table of its elements; elements that the table does not have are kept, in the order of their tags. Lengths have the
 * same form as in A-XDR, so the combinators of that room serve here too.
 */
import { type Codec, type Decoded, decodeField } from "../axdr/codec.ts";
import type { Reader } from "../bytes/reader.ts";
import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";

/** An element as it is on the wire. Decoded contents are a view. */
interface Element {
  readonly tag: number;
  readonly contents: Uint8Array;
}

const TAG_NUMBER = 0x1f;

function byTagNumber(a: Element, b: Element): number {
  return (a.tag & TAG_NUMBER) - (b.tag & TAG_NUMBER);
}

function elementTag(reader: Reader): number {
  const { offset } = reader;
  const tag = reader.u8();
  // A tag number of 31 or more takes several octets; ACSE has none.
  if ((tag & TAG_NUMBER) === TAG_NUMBER) throw new DlmsError("APDU_UNKNOWN_TAG", "peer", { offset, tag });
  return tag;
}

/** A length field and the contents it counts. */
export function sized<T>(type: Codec<T>): Codec<T> {
  return {
    decode(reader) {
      const contents = reader.window(reader.length(LIMITS.acseLength));
      const value = type.decode(contents);
      contents.end();
      return value;
    },
    encode(value, writer) {
      const start = writer.beginCounted();
      type.encode(value, writer);
      writer.endCounted(start);
    },
  };
}

/** One element with this tag: what EXPLICIT tagging puts around a type. Throws APDU_UNKNOWN_TAG for another tag. */
export function tagged<T>(tag: number, type: Codec<T>): Codec<T> {
  const contents = sized(type);
  return {
    decode(reader) {
      const { offset } = reader;
      const found = reader.u8();
      if (found !== tag) throw new DlmsError("APDU_UNKNOWN_TAG", "peer", { offset, tag: found, wanted: tag });
      return contents.decode(reader);
    },
    encode: (value, writer) => contents.encode(value, writer.u8(tag)),
  };
}

/** Everything that the element holds, as octets (a view). */
export const contentOctets: Codec<Uint8Array> = {
  decode: (reader) => reader.rest(),
  encode: (value, writer) => void writer.bytes(value),
};

/** A bit string: the first bit is the most significant of the first octet. */
export interface BitString {
  /** 0..7, at the end of the last octet. */
  readonly unusedBits: number;
  /** Decoded: a view. */
  readonly octets: Uint8Array;
}

const MAX_UNUSED_BITS = 7;

/** Contents of a BIT STRING. */
export const bitString: Codec<BitString> = {
  decode(reader) {
    const offset = reader.offset;
    const unusedBits = reader.u8();
    if (unusedBits > MAX_UNUSED_BITS) throw new DlmsError("LENGTH_INVALID", "peer", { offset, unusedBits });
    return { unusedBits, octets: reader.rest() };
  },
  encode: (value, writer) => void writer.u8(value.unusedBits).bytes(value.octets),
};

const MAX_INTEGER_OCTETS = 4;

/** Contents of an INTEGER of at most four octets; written in the fewest. */
export const integer: Codec<number> = {
  decode(reader) {
    const { offset, remaining: length } = reader;
    if (length < 1 || length > MAX_INTEGER_OCTETS) throw new DlmsError("LENGTH_INVALID", "peer", { offset, length });
    let value = reader.i8();
    while (reader.remaining > 0) value = value * 256 + reader.u8();
    return value;
  },
  encode(value, writer) {
    if (value === (value << 24) >> 24) writer.i8(value);
    else if (value === (value << 16) >> 16) writer.i16(value);
    else if (value === (value << 8) >> 8) writer.i8(value >> 16).u16(value & 0xffff);
    else writer.i32(value);
  },
};

/** The elements that a sequence may have by field name: the tag, and the type of the contents. */
type Table<T> = { readonly [K in keyof T]: readonly [number, Codec<Decoded<Row<T>[K][1]>>] };
type Row<T> = { readonly [K in keyof T]: T[K] extends readonly [number, infer C] ? readonly [number, C] : never };
type Mandatory<R> = { readonly [K in keyof R]: Decoded<Row<R>[K][1]> };
type Facultative<O> = { readonly [K in keyof O]?: Decoded<Row<O>[K][1]> };
type Elements<R, O> = Mandatory<R> & Facultative<O> & { readonly unknownElements?: readonly Element[] };

/**
 * A SEQUENCE or SET of tagged elements. Reads them in any order, each once; writes them in ascending order of their tag
 * numbers, as the standard has it. Throws ELEMENT_MISSING, ELEMENT_REPEATED.
 */
export function elements<const R extends Table<R>, const O extends Table<O>>(
  required: R,
  optional: O,
): Codec<Elements<R, O>> {
  const rows = Object.entries<readonly [number, Codec<unknown>]>({ ...required, ...optional });
  const inOrder = rows
    .map(([name, [tag, type]]) => ({ name, tag, type }))
    .sort((a, b) => (a.tag & TAG_NUMBER) - (b.tag & TAG_NUMBER));
  const mandatory = Object.keys(required);
  const byTag = new Map(rows.map(([name, [tag, type]]) => [tag, { name, type }]));
  return {
    decode(reader) {
      const start = reader.offset;
      const fields: Record<string, unknown> = {};
      const unknownElements: Element[] = [];
      while (reader.remaining > 0) {
        const { offset } = reader;
        const tag = elementTag(reader);
        const contents = reader.window(reader.length(LIMITS.acseLength));
        const known = byTag.get(tag);
        if (known === undefined) {
          unknownElements.push({ tag, contents: decodeField(`[${tag & TAG_NUMBER}]`, contentOctets, contents) });
          continue;
        }
        if (known.name in fields) throw new DlmsError("ELEMENT_REPEATED", "peer", { offset, element: known.name });
        fields[known.name] = decodeField(known.name, known.type, contents);
        contents.end();
      }
      const missing = mandatory.find((name) => !(name in fields));
      if (missing !== undefined) throw new DlmsError("ELEMENT_MISSING", "peer", { offset: start, element: missing });
      if (unknownElements.length > 0) fields["unknownElements"] = unknownElements.sort(byTagNumber);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Each field came from its row's codec.
      return fields as Elements<R, O>;
    },
    encode(value, writer) {
      const fields: Readonly<Record<string, unknown>> = value;
      const unknown = value.unknownElements?.toSorted(byTagNumber) ?? [];
      let next = 0;
      const writeUnknown = (last: number) => {
        for (; next < unknown.length; next++) {
          const element = unknown[next];
          if (element === undefined || (element.tag & TAG_NUMBER) > last) return;
          writer.u8(element.tag).octetString(element.contents);
        }
      };
      for (const { name, tag, type } of inOrder) {
        if (fields[name] === undefined) continue;
        writeUnknown(tag & TAG_NUMBER);
        const start = writer.u8(tag).beginCounted();
        type.encode(fields[name], writer);
        writer.endCounted(start);
      }
      writeUnknown(Number.POSITIVE_INFINITY);
    },
  };
}
