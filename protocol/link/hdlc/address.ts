import { DlmsError } from "../../errors.ts";

/**
 * An HDLC address (IEC 62056-46, 6.4.2). `upper` is the logical device or, on the other side, the client; `lower` the
 * physical device on the bus, absent in addresses of one octet. `size` is the number of octets on the wire: 1, 2 or 4.
 */
export interface HdlcAddress {
  readonly upper: number;
  readonly lower?: number;
  readonly size: HdlcAddressSize;
}
export type HdlcAddressSize = 1 | 2 | 4;

/** Reserved addresses; those of 14 bits are for addresses of four octets. */
export const HDLC_ADDRESSES = {
  noStation: 0,
  managementLogicalDevice: 1,
  publicClient: 16,
  callingPhysicalDevice: 0x7e,
  allStation: 0x7f,
  callingPhysicalDevice14: 0x3ffe,
  allStation14: 0x3fff,
} as const;

const MAX_7_BITS = 0x7f;
const MAX_14_BITS = 0x3fff;

/** An address in the fewest octets that hold it, or in `size` octets. Throws DATA_OUT_OF_RANGE if it does not fit. */
export function hdlcAddress(upper: number, lower?: number, size?: HdlcAddressSize): HdlcAddress {
  const large = upper > MAX_7_BITS || (lower ?? 0) > MAX_7_BITS;
  const octets = size ?? (large ? 4 : lower === undefined ? 1 : 2);
  const max = octets === 4 ? MAX_14_BITS : MAX_7_BITS;
  const fits = inRange(upper, max) && (octets === 1 ? lower === undefined : inRange(lower ?? 0, max));
  if (!fits) throw new DlmsError("DATA_OUT_OF_RANGE", "caller", { upper, lower: lower ?? "none", octets });
  return octets === 1 ? { upper, size: octets } : { upper, lower: lower ?? 0, size: octets };
}

/** Writes the address into `octets` at `offset`; the octets are there. */
export function writeHdlcAddress(address: HdlcAddress, octets: Uint8Array, offset: number): void {
  const { upper, lower = 0, size } = address;
  switch (size) {
    case 1:
      octets[offset] = (upper << 1) | 1;
      return;
    case 2:
      octets[offset] = upper << 1;
      octets[offset + 1] = (lower << 1) | 1;
      return;
    case 4:
      octets[offset] = (upper >> 7) << 1;
      octets[offset + 1] = (upper & MAX_7_BITS) << 1;
      octets[offset + 2] = (lower >> 7) << 1;
      octets[offset + 3] = ((lower & MAX_7_BITS) << 1) | 1;
      return;
  }
}

/**
 * Reads the address at `offset`: its last octet is the first whose lowest bit is set. Undefined when `end` comes before
 * that; throws FRAME_INVALID for three octets and for more than four.
 */
export function readHdlcAddress(octets: Uint8Array, offset: number, end: number): HdlcAddress | undefined {
  const size = addressSize(octets, offset, end);
  const septet = (index: number) => (octets[offset + index] ?? 0) >> 1;
  switch (size) {
    case undefined:
      return undefined;
    case 1:
      return { upper: septet(0), size };
    case 2:
      return { upper: septet(0), lower: septet(1), size };
    case 4:
      return { upper: (septet(0) << 7) | septet(1), lower: (septet(2) << 7) | septet(3), size };
  }
}

/** Whether both mean the same station: sizes don't count, and a part that one leaves out fits any. */
export function sameStation(a: HdlcAddress, b: HdlcAddress): boolean {
  return a.upper === b.upper && (a.lower === undefined || b.lower === undefined || a.lower === b.lower);
}

/** Whether a frame from `source` may answer one to `asked`: to whichever physical device is calling, or to every one. */
export function mayAnswer(source: HdlcAddress, asked: HdlcAddress): boolean {
  const special = asked.size === 4 ? HDLC_ADDRESSES.callingPhysicalDevice14 : HDLC_ADDRESSES.callingPhysicalDevice;
  const anyDevice = asked.lower !== undefined && asked.lower >= special;
  return sameStation(source, anyDevice ? { upper: asked.upper, size: asked.size } : asked);
}

/** Whether every logical device is meant: a broadcast, which nobody answers. */
export function isAllStation({ upper, size }: HdlcAddress): boolean {
  return upper === (size === 4 ? HDLC_ADDRESSES.allStation14 : HDLC_ADDRESSES.allStation);
}

/** `1`, or `1/17` with the physical device. */
export function showHdlcAddress(address: HdlcAddress): string {
  return address.lower === undefined ? `${address.upper}` : `${address.upper}/${address.lower}`;
}

function addressSize(octets: Uint8Array, offset: number, end: number): HdlcAddressSize | undefined {
  for (let size = 1; size <= 4 && offset + size <= end; size++) {
    if (((octets[offset + size - 1] ?? 0) & 1) === 0) continue;
    if (size === 3) throw new DlmsError("FRAME_INVALID", "peer", { offset, addressOctets: size });
    return size === 1 ? 1 : size === 2 ? 2 : 4;
  }
  if (offset + 4 <= end) throw new DlmsError("FRAME_INVALID", "peer", { offset, addressOctets: "more than 4" });
  return undefined;
}

function inRange(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max;
}
