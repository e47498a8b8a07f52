/**
 * M-Bus long frames (EN 13757-2, 5.3) as meters in Austria and Switzerland use them to push APDUs: 68 L L 68 C A CI, the
 * transport SAPs, a slice of the APDU, checksum, 16. Whole frames of a stream; joining slices is `mbus-assembler.ts`.
 */

import { DlmsError } from "../errors.ts";
import { type FoundUnit, FrameSearch } from "./frame-search.ts";
import type { OctetBuffer } from "./octet-buffer.ts";

export interface MbusFrame {
  readonly control: number;
  readonly address: number;
  readonly controlInformation: number;
  /** What follows CI: the transport SAPs, where there are any, and the slice. */
  readonly payload: Uint8Array;
}

/** The frame's payload is a view into `octets`. */
export type MbusUnit = FoundUnit<MbusFrame>;

const LONG_START = 0x68;
const SHORT_START = 0x10;
const STOP = 0x16;
const SHORT_LENGTH = 5;
/** Start, twice L, start. */
const HEADER_LENGTH = 4;
/** C, A and CI are counted by L. */
const MIN_COUNTED = 3;

/** The frame with its header and checksum; throws LENGTH_OVER_LIMIT when L can't count the payload. */
export function encodeMbusFrame(frame: MbusFrame): Uint8Array {
  const counted = MIN_COUNTED + frame.payload.length;
  if (counted > 0xff) throw new DlmsError("LENGTH_OVER_LIMIT", "caller", { length: counted, limit: 0xff });
  const octets = new Uint8Array(HEADER_LENGTH + counted + 2);
  octets.set([LONG_START, counted, counted, LONG_START, frame.control, frame.address, frame.controlInformation]);
  octets.set(frame.payload, HEADER_LENGTH + MIN_COUNTED);
  octets[HEADER_LENGTH + counted] = checksum(octets, HEADER_LENGTH, HEADER_LENGTH + counted);
  octets[HEADER_LENGTH + counted + 1] = STOP;
  return octets;
}

/**
 * Reads the long frame at the start. Undefined means that octets are missing; throws FRAME_INVALID, LENGTH_INVALID or
 * FRAME_CHECK_WRONG as soon as it can't become one. `payload` is a view; `length` counts the octets of the frame.
 */
export function decodeMbusFrame(octets: Uint8Array): { frame: MbusFrame; length: number } | undefined {
  const [start, first, second, again] = octets;
  requireOctet(start, LONG_START, 0);
  if (first !== undefined && second !== undefined && first !== second) {
    throw new DlmsError("LENGTH_INVALID", "peer", { offset: 1, length: first, repeated: second });
  }
  requireOctet(again, LONG_START, 3);
  if (first === undefined || again === undefined) return undefined;
  const end = HEADER_LENGTH + countedOctets(first);
  const stop = octets[end + 1];
  if (stop === undefined) return undefined;
  requireOctet(stop, STOP, end + 1);
  if (octets[end] !== checksum(octets, HEADER_LENGTH, end)) {
    throw new DlmsError("FRAME_CHECK_WRONG", "peer", { offset: end });
  }
  const [control = 0, address = 0, controlInformation = 0] = octets.subarray(HEADER_LENGTH, end);
  const payload = octets.subarray(HEADER_LENGTH + MIN_COUNTED, end);
  return { frame: { control, address, controlInformation, payload }, length: end + 2 };
}

export class MbusParser extends FrameSearch<MbusFrame> {
  constructor() {
    super({ isStart, take: (buffer) => (buffer.at(0) === LONG_START ? takeLong(buffer) : takeShort(buffer)) });
  }
}

function takeLong(buffer: OctetBuffer): MbusUnit | undefined {
  const decoded = decodeMbusFrame(buffer.view());
  if (decoded === undefined) return undefined;
  const octets = buffer.take(decoded.length);
  const payload = octets.subarray(HEADER_LENGTH + MIN_COUNTED, octets.length - 2);
  return { type: "frame", frame: { ...decoded.frame, payload }, octets };
}

/** Short frames (link reset, requests) carry nothing: known, and of no use here. */
function takeShort(buffer: OctetBuffer): MbusUnit | undefined {
  requireOctet(buffer.at(SHORT_LENGTH - 1), STOP, SHORT_LENGTH - 1);
  if (buffer.length < SHORT_LENGTH) return undefined;
  const sum = checksum(buffer.view(), 1, 3);
  if (buffer.at(3) !== sum) throw new DlmsError("FRAME_CHECK_WRONG", "peer", { offset: 3 });
  const error = new DlmsError("FRAME_UNEXPECTED", "peer", { frame: "short", control: buffer.at(1) ?? 0 });
  return { type: "discarded", octets: buffer.take(SHORT_LENGTH), error };
}

/** L below the three octets that every frame has: Sagemcom meters let L overflow (01 for 257 octets). */
function countedOctets(length: number): number {
  return length < MIN_COUNTED ? 0x100 + length : length;
}

function isStart(octet: number): boolean {
  return octet === LONG_START || octet === SHORT_START;
}

function requireOctet(octet: number | undefined, wanted: number, offset: number): void {
  if (octet !== undefined && octet !== wanted) throw new DlmsError("FRAME_INVALID", "peer", { offset, octet, wanted });
}

function checksum(octets: Uint8Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum = (sum + (octets[i] ?? 0)) & 0xff;
  return sum;
}
