/**
 * The packets of a capture file: pcap in either byte order and resolution, and pcapng (draft-ietf-opsawg-pcapng). Reads
 * on as it is asked; what a hostile file can make it hold is bounded.
 */
import { joinOctets } from "../../protocol/bytes/octets.ts";

/** The file is no capture, or breaks its own lengths. */
export class CaptureError extends Error {
  override readonly name = "CaptureError";
}

export interface CapturedPacket {
  readonly atMs: number;
  /** LINKTYPE of tcpdump.org. */
  readonly linkType: number;
  readonly octets: Uint8Array;
  /** What pcapng says of it: towards the capturing side, or from it. */
  readonly dir?: "rx" | "tx" | undefined;
}

interface Interface {
  readonly linkType: number;
  /** Units of its clock in a millisecond. */
  readonly perMs: number;
}

const MAGIC = { section: 0x0a0d0d0a, order: 0x1a2b3c4d, pcapMicros: 0xa1b2c3d4, pcapNanos: 0xa1b23c4d } as const;
const BLOCKS = { interface: 1, simple: 3, packet: 6 } as const;
const OPTIONS = { end: 0, flags: 2, timeResolution: 9 } as const;
const PCAP_HEADER = 24;
const RECORD_HEADER = 16;
const LONGEST_PACKET = 1024 * 1024;
const LONGEST_BLOCK = LONGEST_PACKET + 64 * 1024;
const MOST_INTERFACES = 256;
/** The resolution of a clock that says none: 10 to the power of minus six. */
const MICROSECONDS = 6;
const MICROS_PER_MS = 1000;
const NANOS_PER_MS = 1_000_000;

/** Throws CaptureError where the file is none, or breaks its own lengths. */
export async function* capturedPackets(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<CapturedPacket> {
  const octets = new ByteQueue(chunks);
  const head = await octets.peek(4);
  if (head === undefined) throw invalid(0, "too short");
  const magic = head.getUint32(0, true);
  if (magic === MAGIC.section) yield* ofPcapng(octets);
  else yield* ofPcap(octets, head);
}

async function* ofPcap(octets: ByteQueue, head: DataView): AsyncGenerator<CapturedPacket> {
  const isLittle = [MAGIC.pcapMicros, MAGIC.pcapNanos].some((magic) => magic === head.getUint32(0, true));
  const magic = head.getUint32(0, isLittle);
  if (magic !== MAGIC.pcapMicros && magic !== MAGIC.pcapNanos) throw invalid(0, "neither pcap nor pcapng");
  const header = await octets.take(PCAP_HEADER);
  if (header === undefined) throw invalid(0, "too short");
  const linkType = header.getUint32(20, isLittle) & 0xffff;
  const perMs = magic === MAGIC.pcapMicros ? MICROS_PER_MS : NANOS_PER_MS;
  for (let record = await octets.take(RECORD_HEADER); record; record = await octets.take(RECORD_HEADER)) {
    const length = record.getUint32(8, isLittle);
    if (length > LONGEST_PACKET) throw invalid(octets.offset, "a packet is too long");
    const packet = await octets.take(length);
    // A capture that was cut off ends in the middle of a packet.
    if (packet === undefined) return;
    const atMs = record.getUint32(0, isLittle) * 1000 + record.getUint32(4, isLittle) / perMs;
    yield { atMs, linkType, octets: octetsOf(packet) };
  }
}

async function* ofPcapng(octets: ByteQueue): AsyncGenerator<CapturedPacket> {
  let isLittle = true;
  let interfaces: Interface[] = [];
  for (let head = await octets.peek(12); head; head = await octets.peek(12)) {
    const isSection = head.getUint32(0, true) === MAGIC.section;
    if (isSection) {
      isLittle = head.getUint32(8, true) === MAGIC.order;
      if (!isLittle && head.getUint32(8, false) !== MAGIC.order) throw invalid(octets.offset, "byte order");
      interfaces = [];
    }
    const length = head.getUint32(4, isLittle);
    if (length < 12 || length > LONGEST_BLOCK || length % 4 !== 0) throw invalid(octets.offset, "length of a block");
    const block = await octets.take(length);
    if (block === undefined) return;
    const type = head.getUint32(0, isLittle);
    if (type === BLOCKS.interface && !isSection) {
      if (interfaces.length === MOST_INTERFACES) throw invalid(octets.offset, "too many interfaces");
      interfaces.push(interfaceOf(block, isLittle));
    }
    const packet = isSection ? undefined : packetOf(block, { type, isLittle, interfaces });
    if (packet !== undefined) yield packet;
  }
}

function interfaceOf(block: DataView, isLittle: boolean): Interface {
  if (block.byteLength < 20) throw invalid(0, "an interface is too short");
  const resolution = optionsIn(block, 16, isLittle).get(OPTIONS.timeResolution);
  const octet = resolution === undefined || resolution.byteLength === 0 ? MICROSECONDS : resolution.getUint8(0);
  const perSecond = (octet & 0x80) === 0 ? 10 ** octet : 2 ** (octet & 0x7f);
  return { linkType: block.getUint16(8, isLittle), perMs: perSecond / 1000 };
}

function packetOf(
  block: DataView,
  { type, isLittle, interfaces }: { type: number; isLittle: boolean; interfaces: readonly Interface[] },
): CapturedPacket | undefined {
  if (type === BLOCKS.simple) {
    const [found] = interfaces;
    if (found === undefined || block.byteLength < 16) return undefined;
    const length = Math.min(block.getUint32(8, isLittle), block.byteLength - 16);
    return { atMs: 0, linkType: found.linkType, octets: octetsOf(block).subarray(12, 12 + length) };
  }
  if (type !== BLOCKS.packet || block.byteLength < 32) return undefined;
  const found = interfaces[block.getUint32(8, isLittle)];
  const length = block.getUint32(20, isLittle);
  if (found === undefined || 28 + length > block.byteLength - 4) return undefined;
  const units = block.getUint32(12, isLittle) * 2 ** 32 + block.getUint32(16, isLittle);
  const flags = optionsIn(block, 28 + length + (-length & 3), isLittle).get(OPTIONS.flags);
  const direction = flags === undefined || flags.byteLength < 4 ? 0 : flags.getUint32(0, isLittle) & 3;
  return {
    atMs: units / found.perMs,
    linkType: found.linkType,
    octets: octetsOf(block).subarray(28, 28 + length),
    dir: ([undefined, "rx", "tx", undefined] as const)[direction],
  };
}

function optionsIn(block: DataView, from: number, isLittle: boolean): Map<number, DataView> {
  const options = new Map<number, DataView>();
  for (let at = from; at + 4 <= block.byteLength - 4; ) {
    const code = block.getUint16(at, isLittle);
    const length = block.getUint16(at + 2, isLittle);
    if (code === OPTIONS.end || at + 4 + length > block.byteLength - 4) break;
    options.set(code, new DataView(block.buffer, block.byteOffset + at + 4, length));
    at += 4 + length + (-length & 3);
  }
  return options;
}

function octetsOf(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function invalid(offset: number, what: string): CaptureError {
  return new CaptureError(`no pcap or pcapng that can be read: ${what}, at octet ${offset}`);
}

/** Octets of a stream, as many as are wanted at a time. */
class ByteQueue {
  /** Of what is next, from the beginning of the file. */
  offset = 0;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #held: Uint8Array = new Uint8Array(0);

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Undefined when fewer are left. */
  async peek(length: number): Promise<DataView | undefined> {
    while (this.#held.length < length) {
      const { value, done } = await this.#chunks.next();
      if (done === true) return undefined;
      this.#held = joinOctets([this.#held, value]);
    }
    return new DataView(this.#held.buffer, this.#held.byteOffset, length);
  }

  async take(length: number): Promise<DataView | undefined> {
    const taken = await this.peek(length);
    if (taken === undefined) return undefined;
    this.#held = this.#held.subarray(length);
    this.offset += length;
    return taken;
  }
}
