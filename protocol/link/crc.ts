/** Both cyclic redundancy checks of the links: reflected, 16 bits, by table. */

/** Octets that one step of the X-25 loop takes; each has its own table of 256 (slicing), twice as fast as one. */
const SLICES = 8;
/** CRC-16/X-25 (ISO/IEC 13239): polynomial 1021, reflected 8408; HDLC's HCS and FCS, sent low octet first. */
const X25 = tables(0x8408, SLICES);
/** CRC-16/ARC: polynomial 8005, reflected A001; the P1 telegram's. */
const ARC = tables(0xa001, 1);

/** The X-25 register before the first octet, and after octets with their own check sequence behind them. */
const START = 0xffff;
export const X25_RESIDUE = 0xf0b8;

/** The HDLC check sequence of the octets from `from` up to `to`; `register` goes on from octets before them. */
export function crcX25(octets: Uint8Array, from = 0, to = octets.length, register = START): number {
  let crc = register;
  let i = from;
  for (; i + SLICES <= to; i += SLICES) {
    const mixed = crc ^ (octets[i]! | (octets[i + 1]! << 8));
    crc =
      X25[0x700 | (mixed & 0xff)]! ^
      X25[0x600 | (mixed >>> 8)]! ^
      X25[0x500 | octets[i + 2]!]! ^
      X25[0x400 | octets[i + 3]!]! ^
      X25[0x300 | octets[i + 4]!]! ^
      X25[0x200 | octets[i + 5]!]! ^
      X25[0x100 | octets[i + 6]!]! ^
      X25[octets[i + 7]!]!;
  }
  for (; i < to; i++) crc = (crc >>> 8) ^ X25[(crc ^ octets[i]!) & 0xff]!;
  return crc ^ 0xffff;
}

/** The P1 check sequence of the octets. */
export function crcArc(octets: Uint8Array): number {
  let crc = 0;
  for (const octet of octets) crc = (crc >>> 8) ^ ARC[(crc ^ octet) & 0xff]!;
  return crc;
}

function tables(polynomial: number, count: number): Uint16Array {
  const table = new Uint16Array(256 * count);
  for (let octet = 0; octet < 256; octet++) {
    let crc = octet;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    table[octet] = crc;
  }
  for (let i = 256; i < table.length; i++) {
    const before = table[i - 256]!;
    table[i] = (before >>> 8) ^ table[before & 0xff]!;
  }
  return table;
}
