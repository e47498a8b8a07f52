/**
 * How a record lies in a segment of the spool. All numbers are unsigned and big-endian.
 *
 * | octets | what |
 * |---|---|
 * | 4 | marker "SPL1", where reading goes on after damage |
 * | 4 | length of the payload |
 * | 2 | kind of the record |
 * | 2 | version of the payload's encoding |
 * | 8 | sequence number within the run |
 * | 4 | CRC-32 of the octets so far, seeded by the run |
 * | 4 | CRC-32 of the payload, seeded by the CRC before |
 * | n | payload |
 *
 * The seed is random to whoever sends readings: no payload can pretend to be a record.
 */
import { crc32 } from "node:zlib";

export interface SpoolRecord {
  readonly kind: number;
  readonly version: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** A record, its place, or what stands in place of one: damage up to the next marker, or the want of more octets. */
export type FrameFound =
  | { readonly type: "record"; readonly record: SpoolRecord; readonly end: number }
  | { readonly type: "damaged"; readonly end: number }
  | { readonly type: "more"; readonly wanted: number };

const MARKER = 0x53504c31;
const MARKER_OCTETS = Uint8Array.of(0x53, 0x50, 0x4c, 0x31);
const CHECKED_LENGTH = 20;
export const FRAME_HEADER_LENGTH = 28;
/** A length beyond it is damage; nothing that the gateway keeps is as long. */
export const MAX_PAYLOAD_LENGTH = 64 * 1024 * 1024;
const TWO_32 = 2 ** 32;

/** What a run's checksums start from. */
export function runSeed(run: string): number {
  return crc32(run);
}

/** Puts a record at `at`; returns where it ends. There must be room. */
export function putFrame(
  into: Uint8Array,
  at: number,
  { record, seed }: { record: SpoolRecord; seed: number },
): number {
  const view = new DataView(into.buffer, into.byteOffset + at, FRAME_HEADER_LENGTH);
  view.setUint32(0, MARKER);
  view.setUint32(4, record.payload.length);
  view.setUint16(8, record.kind);
  view.setUint16(10, record.version);
  view.setUint32(12, Math.floor(record.sequence / TWO_32));
  view.setUint32(16, record.sequence % TWO_32);
  const checksum = crc32(into.subarray(at, at + CHECKED_LENGTH), seed);
  view.setUint32(20, checksum);
  view.setUint32(24, crc32(record.payload, checksum));
  into.set(record.payload, at + FRAME_HEADER_LENGTH);
  return at + FRAME_HEADER_LENGTH + record.payload.length;
}

/**
 * Looks at what is at `at`. With `whole`, the octets are all that there will be: what does not end in them is damaged.
 * The payload is a view of the octets.
 */
export function findFrame(
  octets: Uint8Array,
  at: number,
  { seed, whole }: { readonly seed: number; readonly whole: boolean },
): FrameFound {
  const left = octets.length - at;
  if (left < FRAME_HEADER_LENGTH) return whole ? damaged(octets, at, whole) : more(FRAME_HEADER_LENGTH);
  const view = new DataView(octets.buffer, octets.byteOffset + at, FRAME_HEADER_LENGTH);
  const length = view.getUint32(4);
  const checksum = crc32(octets.subarray(at, at + CHECKED_LENGTH), seed);
  if (view.getUint32(0) !== MARKER || view.getUint32(20) !== checksum || length > MAX_PAYLOAD_LENGTH) {
    return damaged(octets, at, whole);
  }
  const end = at + FRAME_HEADER_LENGTH + length;
  if (end > octets.length) return whole ? damaged(octets, at, whole) : more(end - at);
  const payload = octets.subarray(at + FRAME_HEADER_LENGTH, end);
  // The header is sound, so the next record begins where it says.
  if (view.getUint32(24) !== crc32(payload, checksum)) return { type: "damaged", end };
  const sequence = view.getUint32(12) * TWO_32 + view.getUint32(16);
  return { type: "record", record: { kind: view.getUint16(8), version: view.getUint16(10), sequence, payload }, end };
}

function more(wanted: number): FrameFound {
  return { type: "more", wanted };
}

/** Damage reaches to the next marker; one that is cut off by the end of the octets is looked at with what follows. */
function damaged(octets: Uint8Array, at: number, whole: boolean): FrameFound {
  const next = Buffer.from(octets.buffer, octets.byteOffset, octets.length).indexOf(MARKER_OCTETS, at + 1);
  if (next >= 0) return { type: "damaged", end: next };
  return { type: "damaged", end: whole ? octets.length : Math.max(at + 1, octets.length - MARKER_OCTETS.length + 1) };
}
