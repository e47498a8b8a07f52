/**
 * One HDLC frame of format type 3 (IEC 62056-46, 6.4): octets ↔ fields. There is no transparency: 7E may stand anywhere
 * inside, the length field alone delimits. Which octets are a frame in a stream is `frame-parser.ts`'s question.
 */
import { DlmsError } from "../../errors.ts";
import { crcX25 } from "../crc.ts";
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
export const MAX_FRAME_LENGTH = 0x7ff;
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
  writeCheck(octets, header + 1);
  if (information.length > 0) {
    octets.set(information, header + 1 + CHECK_LENGTH);
    writeCheck(octets, length - 1);
  }
  octets[length + 1] = FLAG;
  return octets;
}

/**
 * Reads the frame that begins with the flag at `start`. Undefined means that octets are missing; throws FRAME_INVALID,
 * LENGTH_INVALID or FRAME_CHECK_WRONG as soon as the octets that are there can't begin a frame: a damaged length field is
 * caught by the header's check, before its octets are waited for. `information` is a view into `octets`.
 */
export function decodeHdlcFrame(octets: Uint8Array, start = 0, end = octets.length): DecodedHdlcFrame | undefined {
  const header = readHeader(octets, start, end);
  if (header === undefined) return undefined;
  const close = start + header.length + 1;
  if (close >= end) return undefined;
  const from = header.end + CHECK_LENGTH;
  if (from < close) requireCheck(octets, start + 1, close - CHECK_LENGTH);
  if (octets[close] !== FLAG) throw new DlmsError("FRAME_INVALID", "peer", { offset: close, wanted: "closing flag" });
  return {
    frame: {
      destination: header.destination,
      source: header.source,
      control: decodeControl(octets[header.end - 1] ?? 0),
      segmented: header.segmented,
      information: octets.subarray(from, Math.max(from, close - CHECK_LENGTH)),
    },
    closingFlag: close,
  };
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
function readHeader(octets: Uint8Array, start: number, end: number): Header | undefined {
  const high = octets[start + 1] ?? 0;
  if (start + 1 < end && (high & FORMAT_TYPE_MASK) !== FORMAT_TYPE) {
    throw new DlmsError("FRAME_INVALID", "peer", { offset: start + 1, format: high });
  }
  if (start + FORMAT_LENGTH >= end) return undefined;
  const length = ((high & 0x07) << 8) | (octets[start + 2] ?? 0);
  if (length < MIN_FRAME_LENGTH) throw new DlmsError("LENGTH_INVALID", "peer", { offset: start + 1, length });
  const destination = readHdlcAddress(octets, start + 3, end);
  const source = destination && readHdlcAddress(octets, start + 3 + destination.size, end);
  if (destination === undefined || source === undefined) return undefined;
  const headerEnd = start + 4 + destination.size + source.size;
  const spare = start + 1 + length - headerEnd - CHECK_LENGTH;
  if (spare < 0 || (spare > 0 && spare <= CHECK_LENGTH)) {
    throw new DlmsError("LENGTH_INVALID", "peer", { offset: start + 1, length });
  }
  if (headerEnd + CHECK_LENGTH > end) return undefined;
  requireCheck(octets, start + 1, headerEnd);
  return { length, segmented: (high & SEGMENTATION) !== 0, destination, source, end: headerEnd };
}

function writeCheck(octets: Uint8Array, at: number): void {
  const check = crcX25(octets, 1, at);
  octets[at] = check;
  octets[at + 1] = check >> 8;
}

function requireCheck(octets: Uint8Array, from: number, at: number): void {
  const found = (octets[at] ?? 0) | ((octets[at + 1] ?? 0) << 8);
  if (found !== crcX25(octets, from, at)) throw new DlmsError("FRAME_CHECK_WRONG", "peer", { offset: at });
}
