/**
 * One HDLC frame of format type 3 (IEC 62056-46, 6.4): octets ↔ fields. There is no transparency: 7E may stand anywhere
 * inside, the length field alone delimits. Which octets are a frame in a stream is `frame-parser.ts`'s question.
 */
import { DlmsError } from "../../errors.ts";
import { NO_QUIRKS, type Quirk } from "../../quirks.ts";
import { crcX25, X25_RESIDUE } from "../crc.ts";
import { type HdlcAddress, readHdlcAddress, writeHdlcAddress } from "./address.ts";
import { decodeControl, encodeControl, type HdlcControl } from "./control.ts";

export interface HdlcFrame {
  readonly destination: HdlcAddress;
  readonly source: HdlcAddress;
  readonly control: HdlcControl;
  /** More frames with parts of the same information follow. */
  readonly segmented: boolean;
  /** Empty when the frame has no information field. */
  readonly information: Uint8Array;
}

export const FLAG = 0x7e;
/** The length field has 11 bits. */
const MAX_FRAME_LENGTH = 0x7ff;
const FORMAT_TYPE = 0xa0;
const FORMAT_TYPE_MASK = 0xf0;
const SEGMENTATION = 0x08;
const CHECK_LENGTH = 2;
const FORMAT_LENGTH = 2;
/** Format, two addresses of one octet, control and one check sequence. */
const MIN_FRAME_LENGTH = 7;

/** The frame between its two flags. Throws LENGTH_OVER_LIMIT when it is longer than the length field can say. */
export function encodeHdlcFrame(frame: HdlcFrame): Uint8Array {
  const { destination, source, information } = frame;
  const header = FORMAT_LENGTH + destination.size + source.size + 1;
  const length = header + CHECK_LENGTH + (information.length === 0 ? 0 : information.length + CHECK_LENGTH);
  if (length > MAX_FRAME_LENGTH) {
    throw new DlmsError("LENGTH_OVER_LIMIT", "caller", { length, limit: MAX_FRAME_LENGTH });
  }
  const octets = new Uint8Array(length + 2);
  octets[0] = FLAG;
  octets[1] = FORMAT_TYPE | (frame.segmented ? SEGMENTATION : 0) | (length >> 8);
  octets[2] = length;
  writeHdlcAddress(destination, octets, 3);
  writeHdlcAddress(source, octets, 3 + destination.size);
  octets[header] = encodeControl(frame.control);
  writeCheck(octets, header + 1, crcX25(octets, 1, header + 1));
  if (information.length > 0) {
    octets.set(information, header + 1 + CHECK_LENGTH);
    writeCheck(octets, length - 1, bodyCheck(octets, header + 1, length - 1));
  }
  octets[length + 1] = FLAG;
  return octets;
}

/**
 * Reads the frame that begins with the flag at the start. Undefined means that octets are missing; throws FRAME_INVALID,
 * LENGTH_INVALID or FRAME_CHECK_WRONG as soon as the octets that are there can't begin a frame: a damaged length field is
 * caught by the header's check, before its octets are waited for. `information` is a view into `octets`.
 */
export function decodeHdlcFrame(
  octets: Uint8Array,
  tolerate: ReadonlySet<Quirk> = NO_QUIRKS,
): DecodedHdlcFrame | undefined {
  const header = readHeader(octets, tolerate);
  if (header === undefined) return undefined;
  if (!tolerate.has("hdlc-length-modulo-256")) return readBody(octets, header, tolerate);
  return readBodyOfAnyLength(octets, header, tolerate);
}

export interface DecodedHdlcFrame {
  readonly frame: HdlcFrame;
  /** Where its closing flag stands, which may open the next frame. */
  readonly closingFlag: number;
}

interface Header {
  readonly length: number;
  readonly segmented: boolean;
  readonly destination: HdlcAddress;
  readonly source: HdlcAddress;
  /** The offset after the control field. */
  readonly end: number;
}

/** The fields up to the header's check sequence, once that has come and is right. */
function readHeader(octets: Uint8Array, tolerate: ReadonlySet<Quirk>): Header | undefined {
  const [, high, low] = octets;
  if (high === undefined) return undefined;
  if ((high & FORMAT_TYPE_MASK) !== FORMAT_TYPE)
    throw new DlmsError("FRAME_INVALID", "peer", { offset: 1, format: high });
  if (low === undefined) return undefined;
  const length = ((high & 0x07) << 8) | low;
  const anyLength = tolerate.has("hdlc-length-modulo-256");
  if (length < MIN_FRAME_LENGTH && !anyLength) throw new DlmsError("LENGTH_INVALID", "peer", { offset: 1, length });
  const destination = readHdlcAddress(octets, 3, octets.length);
  const source = destination && readHdlcAddress(octets, 3 + destination.size, octets.length);
  if (destination === undefined || source === undefined) return undefined;
  const end = 4 + destination.size + source.size;
  if (!anyLength && !canHold(length, end)) throw new DlmsError("LENGTH_INVALID", "peer", { offset: 1, length });
  if (end + CHECK_LENGTH > octets.length) return undefined;
  requireCheck(octets, end, crcX25(octets, 1, end));
  return { length, segmented: (high & SEGMENTATION) !== 0, destination, source, end };
}

/** Whether a frame of this length holds a header that ends there: with no information, or with some and its check. */
function canHold(length: number, headerEnd: number): boolean {
  const spare = 1 + length - headerEnd - CHECK_LENGTH;
  return spare === 0 || spare > CHECK_LENGTH;
}

function readBody(octets: Uint8Array, header: Header, tolerate: ReadonlySet<Quirk>): DecodedHdlcFrame | undefined {
  const { destination, source, segmented } = header;
  const close = header.length + 1;
  if (close >= octets.length) return undefined;
  const from = header.end + CHECK_LENGTH;
  const to = Math.max(from, close - CHECK_LENGTH);
  const checked = from < close && !tolerate.has("hdlc-frame-check-ignored");
  if (checked) requireCheck(octets, to, bodyCheck(octets, header.end, to));
  if (octets[close] !== FLAG) throw new DlmsError("FRAME_INVALID", "peer", { offset: close, wanted: "closing flag" });
  const control = decodeControl(octets[header.end - 1] ?? 0);
  const information = octets.subarray(from, to);
  return { frame: { destination, source, control, segmented, information }, closingFlag: close };
}

/** Tries every length with the low eight bits that were sent; the right one has a flag and a check where they belong. */
function readBodyOfAnyLength(octets: Uint8Array, header: Header, tolerate: ReadonlySet<Quirk>) {
  for (let length = header.length & 0xff; length <= MAX_FRAME_LENGTH; length += 0x100) {
    if (!canHold(length, header.end)) continue;
    if (length + 1 >= octets.length) return undefined;
    const close = length + 1;
    const to = close - CHECK_LENGTH;
    // Without information, the header's check is the frame's.
    const right = to === header.end || bodyCheck(octets, header.end, to) === readCheck(octets, to);
    const ignored = length === header.length && tolerate.has("hdlc-frame-check-ignored");
    if (octets[close] === FLAG && (right || ignored)) return readBody(octets, { ...header, length }, tolerate);
  }
  throw new DlmsError("FRAME_CHECK_WRONG", "peer", { offset: header.length & 0xff, lengths: "all" });
}

/** The frame's check up to `to`. The header's own check, which is right, brings the register to its residue. */
function bodyCheck(octets: Uint8Array, headerCheckAt: number, to: number): number {
  return crcX25(octets, headerCheckAt + CHECK_LENGTH, to, X25_RESIDUE);
}

function writeCheck(octets: Uint8Array, at: number, check: number): void {
  octets[at] = check;
  octets[at + 1] = check >> 8;
}

function readCheck(octets: Uint8Array, at: number): number {
  return (octets[at] ?? 0) | ((octets[at + 1] ?? 0) << 8);
}

function requireCheck(octets: Uint8Array, at: number, check: number): void {
  if (readCheck(octets, at) !== check) throw new DlmsError("FRAME_CHECK_WRONG", "peer", { offset: at });
}
