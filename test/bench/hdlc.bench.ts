import { hdlcAddress } from "../../protocol/link/hdlc/address.ts";
import { decodeHdlcFrame, encodeHdlcFrame, type HdlcFrame } from "../../protocol/link/hdlc/frame.ts";
import { type Bench, measure } from "./bench.ts";

const TABLE = Uint16Array.from({ length: 256 }, (_, octet) => {
  let crc = octet;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x8408 : crc >>> 1;
  return crc;
});

function crc(octets: Uint8Array, to: number): number {
  let check = 0xffff;
  for (let i = 1; i < to; i++) check = (check >>> 8) ^ TABLE[(check ^ octets[i]!) & 0xff]!;
  return check ^ 0xffff;
}

/** The least that makes an I frame from client 16 to server 1: one octet of address each, nothing checked. */
function encodeMinimum(control: number, information: Uint8Array): Uint8Array {
  const length = 9 + information.length;
  const octets = new Uint8Array(length + 2);
  octets[0] = 0x7e;
  octets[1] = 0xa0 | (length >> 8);
  octets[2] = length;
  octets[3] = 0x03;
  octets[4] = 0x21;
  octets[5] = control;
  const header = crc(octets, 6);
  octets[6] = header;
  octets[7] = header >> 8;
  octets.set(information, 8);
  const frame = crc(octets, length - 1);
  octets[length - 1] = frame;
  octets[length] = frame >> 8;
  octets[length + 1] = 0x7e;
  return octets;
}

/** The least that takes it apart again: both checks, and where the information is. */
function decodeMinimum(octets: Uint8Array): Uint8Array | undefined {
  const length = ((octets[1]! & 0x07) << 8) | octets[2]!;
  const header = octets[6]! | (octets[7]! << 8);
  const frame = octets[length - 1]! | (octets[length]! << 8);
  if (header !== crc(octets, 6) || frame !== crc(octets, length - 1)) return undefined;
  return octets.subarray(8, length - 1);
}

/** A frame as profile buffers come in, with the information length that most meters use. */
const INFORMATION = Uint8Array.from({ length: 128 }, (_, index) => (index * 37) & 0xff);
const FRAME: HdlcFrame = {
  destination: hdlcAddress(1),
  source: hdlcAddress(16),
  control: { type: "I", ns: 0, nr: 0, pollFinal: true },
  segmented: false,
  information: INFORMATION,
};

function requireSame(ours: Uint8Array | undefined, theirs: Uint8Array | undefined): void {
  if (ours === undefined || theirs === undefined || Buffer.compare(ours, theirs) !== 0) {
    throw new Error("the two do not do the same work");
  }
}

export const bench: Bench = {
  compares: "encode and decode of one I frame of 128 octets of information, against the least code for that one frame",
  unfair:
    "the other side knows the addresses' size and place, takes every control field and refuses nothing but a check",
  async run(options) {
    requireSame(encodeHdlcFrame(FRAME), encodeMinimum(0x10, INFORMATION));
    requireSame(
      decodeHdlcFrame(encodeHdlcFrame(FRAME))?.frame.information,
      decodeMinimum(encodeMinimum(0x10, INFORMATION)),
    );
    const { rows, perSecond } = await measure(
      {
        ours: () => decodeHdlcFrame(encodeHdlcFrame(FRAME)),
        minimum: () => decodeMinimum(encodeMinimum(0x10, INFORMATION)),
      },
      "frames",
      options,
    );
    return { rows, ratios: { "hdlc-frame": perSecond.ours / perSecond.minimum } };
  },
};
