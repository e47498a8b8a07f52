/** The little of DER (ITU-T X.690) that certificates, requests and elliptic keys need. Elements read are views. */
import { Reader } from "../bytes/reader.ts";
import { Writer } from "../bytes/writer.ts";
import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";

export const DER_TAGS = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
} as const;

const CONSTRUCTED = 0x20;
const LONG_TAG = 0x1f;

/** Context-specific, constructed: `[n]`. */
export function contextTag(n: number): number {
  return 0xa0 | n;
}

/** One element: tag, length, the contents one after another. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, each) => sum + each.length, 0);
  const writer = new Writer(length + 8).u8(tag).lengthField(length);
  for (const each of contents) writer.bytes(each);
  return writer.finish();
}

/** INTEGER from a magnitude of octets; leading zeros are dropped, the sign octet is added. */
export function derInteger(magnitude: Uint8Array): Uint8Array {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const digits = magnitude.subarray(start);
  return der(DER_TAGS.integer, (digits[0] ?? 0) >= 0x80 ? Uint8Array.of(0) : new Uint8Array(0), digits);
}

/** BIT STRING of whole octets. */
export function derBitString(octets: Uint8Array): Uint8Array {
  return der(DER_TAGS.bitString, Uint8Array.of(0), octets);
}

export interface DerElement {
  readonly tag: number;
  /** The octets after the length. */
  readonly contents: Uint8Array;
  /** Tag and length included. */
  readonly octets: Uint8Array;
}

/** The one element that the octets are. */
export function readDer(octets: Uint8Array): DerElement {
  const reader = new Reader(octets);
  const element = next(reader);
  reader.end();
  return element;
}

/** The elements inside a constructed one; throws DATA_TYPE_MISMATCH for a primitive one. */
export function derChildren(element: DerElement): DerElement[] {
  if ((element.tag & CONSTRUCTED) === 0) throw new DlmsError("DATA_TYPE_MISMATCH", "peer", { tag: element.tag });
  const reader = new Reader(element.contents);
  const children: DerElement[] = [];
  while (reader.remaining > 0) {
    if (children.length === LIMITS.listCount)
      throw new DlmsError("LENGTH_OVER_LIMIT", "peer", { elements: children.length, limit: LIMITS.listCount });
    children.push(next(reader));
  }
  return children;
}

function next(reader: Reader): DerElement {
  const offset = reader.offset;
  const tag = reader.u8();
  if ((tag & LONG_TAG) === LONG_TAG) throw new DlmsError("DATA_UNKNOWN_TAG", "peer", { offset, tag });
  const contents = reader.bytes(reader.length(LIMITS.certificateLength));
  return { tag, contents, octets: reader.since(offset) };
}
