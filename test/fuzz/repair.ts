/** Makes mutated octets pass a link's checks again, in place, so that what lies behind them is reached as well. */
import { crcX25 } from "../../protocol/link/crc.ts";
import { readHdlcAddress } from "../../protocol/link/hdlc/address.ts";
import { p1Check } from "../../protocol/link/iec62056-21/p1.ts";
import { octetsOf, textOf } from "../../protocol/link/iec62056-21/text.ts";

export type Repair = (octets: Uint8Array) => Uint8Array;

const FLAG = 0x7e;
const MBUS_START = 0x68;
const WRAPPER_HEADER = 8;

function addressSize(octets: Uint8Array, at: number): number {
  try {
    return readHdlcAddress(octets, at, octets.length)?.size ?? 1;
  } catch {
    return 1;
  }
}

function writeCheck(octets: Uint8Array, from: number, at: number): void {
  const check = crcX25(octets, from, at);
  octets[at] = check;
  octets[at + 1] = check >> 8;
}

/** Every frame gets right checks for the length that it states; what no frame fits into stays. */
export function repairHdlc(octets: Uint8Array): Uint8Array {
  for (let at = 0; at + 9 <= octets.length; ) {
    if (octets[at] !== FLAG) {
      at++;
      continue;
    }
    const end = at + 1 + ((((octets[at + 1] ?? 0) & 7) << 8) | (octets[at + 2] ?? 0));
    const destination = addressSize(octets, at + 3);
    const header = at + 3 + destination + addressSize(octets, at + 3 + destination) + 1;
    if (end >= octets.length || header + 2 > end) {
      at++;
      continue;
    }
    octets[at + 1] = 0xa0 | ((octets[at + 1] ?? 0) & 0x0f);
    octets[end] = FLAG;
    writeCheck(octets, at + 1, header);
    if (header + 2 < end) writeCheck(octets, at + 1, end - 2);
    at = octets[end + 1] === FLAG ? end + 1 : end;
  }
  return octets;
}

/** One frame from the first octet to the last: its length is what it has. */
export function repairHdlcLength(octets: Uint8Array): Uint8Array {
  const length = octets.length - 2;
  if (length < 7 || length > 0x7ff) return repairHdlc(octets);
  octets[0] = FLAG;
  octets[1] = 0xa0 | ((octets[1] ?? 0) & 8) | (length >> 8);
  octets[2] = length;
  return repairHdlc(octets);
}

/** Versions are right, and the last unit ends where the octets do. */
export function repairWrapper(octets: Uint8Array): Uint8Array {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  for (let at = 0; at + WRAPPER_HEADER <= octets.length; ) {
    view.setUint16(at, 1);
    const rest = octets.length - at - WRAPPER_HEADER;
    if (view.getUint16(at + 6) > rest) view.setUint16(at + 6, rest);
    at += WRAPPER_HEADER + view.getUint16(at + 6);
  }
  return octets;
}

export function repairMbus(octets: Uint8Array): Uint8Array {
  for (let at = 0; at + 9 <= octets.length; ) {
    const counted = octets[at + 1] ?? 0;
    const end = at + 4 + counted;
    if (octets[at] !== MBUS_START || counted < 3 || end + 1 >= octets.length) {
      at++;
      continue;
    }
    octets[at + 2] = counted;
    octets[at + 3] = MBUS_START;
    octets[end] = octets.subarray(at + 4, end).reduce((sum, octet) => sum + octet, 0);
    octets[end + 1] = 0x16;
    at = end + 2;
  }
  return octets;
}

/** The check of a telegram with four digits behind its first `!`. */
export function repairP1(octets: Uint8Array): Uint8Array {
  const text = textOf(octets);
  const start = text.indexOf("/");
  const end = text.indexOf("!", start) + 1;
  if (start === -1 || end === 0 || end + 4 > octets.length) return octets;
  const check = p1Check(text.slice(start, end)).toString(16).toUpperCase().padStart(4, "0");
  octets.set(octetsOf(check), end);
  return octets;
}
