/**
 * Sessions as a pcapng file that Wireshark opens (draft-ietf-opsawg-pcapng). What went over TCP is put into IPv4 and TCP
 * again, with port 4059 at the meter's side, so that the DLMS dissector is found; what went over a serial line are HDLC
 * frames of a link type for users.
 */

import type { RecordingEntry } from "../../drivers/recording/recording.ts";
import { joinOctets } from "../../protocol/bytes/octets.ts";

export interface CapturedSession {
  readonly startedAt: Date;
  /** Of the channel, as `tcp 10.1.2.3:4059` or `serial /dev/ttyUSB0`. */
  readonly channel: string;
}

const LINK_TYPES = { raw: 101, user0: 147 } as const;
const INTERFACES = [LINK_TYPES.raw, LINK_TYPES.user0] as const;
const BLOCKS = { section: 0x0a0d0d0a, interface: 1, packet: 6 } as const;
const OPTIONS = { end: 0, comment: 1, timeResolution: 9, flags: 2 } as const;
const BYTE_ORDER = 0x1a2b3c4d;
const MICROSECONDS = 6;
const DLMS_PORT = 4059;
const FIRST_CLIENT_PORT = 49_152;
const CLIENT_PORTS = 16_384;
/** Documentation addresses (RFC 5737), where the meter's is no IPv4 address. */
const CLIENT_ADDRESS = [192, 0, 2, 1] as const;
const METER_ADDRESS = [192, 0, 2, 2] as const;
const FLAGS = { fin: 1, syn: 2, push: 8, ack: 16 } as const;
const IPV4_LENGTH = 20;
const TCP_LENGTH = 20;
const UDP_LENGTH = 8;
const PROTOCOLS = { tcp: 6, udp: 17 } as const;
const MOST_PAYLOAD = 16_384;
const DIRECTIONS = { rx: 1, tx: 2 } as const;

export class PcapngWriter {
  readonly #write: (octets: Uint8Array) => void;
  #sessions = 0;

  /** Begins the file. */
  constructor(write: (octets: Uint8Array) => void) {
    this.#write = write;
    this.#block(BLOCKS.section, [u32(BYTE_ORDER), u16(1), u16(0), u32(0xffffffff), u32(0xffffffff)]);
    for (const linkType of INTERFACES) {
      const resolution = option(OPTIONS.timeResolution, Uint8Array.of(MICROSECONDS));
      this.#block(BLOCKS.interface, [u16(linkType), u16(0), u32(0), resolution, option(OPTIONS.end)]);
    }
  }

  /** A session whose entries follow. */
  session(session: CapturedSession): (entry: RecordingEntry) => void {
    const clientPort = FIRST_CLIENT_PORT + (this.#sessions++ % CLIENT_PORTS);
    const [transport = ""] = session.channel.split(" ");
    if (transport === "serial") return this.#serial(session);
    return transport === "udp" ? this.#udp(session, clientPort) : this.#tcp(session, clientPort);
  }

  #serial(session: CapturedSession): (entry: RecordingEntry) => void {
    return (entry) => {
      if (entry.dir !== "end") this.#packet(1, { session, entry, octets: entry.octets });
    };
  }

  #udp(session: CapturedSession, clientPort: number): (entry: RecordingEntry) => void {
    return (entry) => {
      if (entry.dir === "end") return;
      const [source, destination] = entry.dir === "tx" ? [clientPort, DLMS_PORT] : [DLMS_PORT, clientPort];
      const header = joinOctets([u16be(source), u16be(destination), u16be(UDP_LENGTH + entry.octets.length), u16be(0)]);
      this.#packet(0, { session, entry, octets: ipv4(session, entry.dir, [header, entry.octets], PROTOCOLS.udp) });
    };
  }

  #tcp(session: CapturedSession, clientPort: number): (entry: RecordingEntry) => void {
    const next = { tx: 0, rx: 0 };
    const send = (at: { tMs: number; dir: "tx" | "rx" }, flags: number, payload: Uint8Array = new Uint8Array(0)) => {
      const [source, destination] = at.dir === "tx" ? [clientPort, DLMS_PORT] : [DLMS_PORT, clientPort];
      const acknowledged = next[at.dir === "tx" ? "rx" : "tx"];
      const header = tcpHeader({ source, destination, sequence: next[at.dir], acknowledged, flags });
      this.#packet(0, { session, entry: at, octets: ipv4(session, at.dir, [header, payload], PROTOCOLS.tcp) });
      next[at.dir] += payload.length + ((flags & (FLAGS.syn | FLAGS.fin)) === 0 ? 0 : 1);
    };
    send({ tMs: 0, dir: "tx" }, FLAGS.syn);
    send({ tMs: 0, dir: "rx" }, FLAGS.syn | FLAGS.ack);
    send({ tMs: 0, dir: "tx" }, FLAGS.ack);
    return (entry) => {
      if (entry.dir === "end") {
        const first = entry.by === "local" ? "tx" : "rx";
        send({ tMs: entry.tMs, dir: first }, FLAGS.fin | FLAGS.ack);
        send({ tMs: entry.tMs, dir: first === "tx" ? "rx" : "tx" }, FLAGS.fin | FLAGS.ack);
        return;
      }
      for (let at = 0; at < entry.octets.length; at += MOST_PAYLOAD) {
        send(entry, FLAGS.push | FLAGS.ack, entry.octets.subarray(at, at + MOST_PAYLOAD));
      }
    };
  }

  #packet(
    interfaceId: number,
    {
      session,
      entry,
      octets,
    }: { session: CapturedSession; entry: { tMs: number; dir: "tx" | "rx" }; octets: Uint8Array },
  ): void {
    const micros = BigInt(Math.round((session.startedAt.getTime() + entry.tMs) * 1000));
    const length = u32(octets.length);
    this.#block(BLOCKS.packet, [
      u32(interfaceId),
      u32(Number(micros >> 32n)),
      u32(Number(micros & 0xffffffffn)),
      length,
      length,
      padded(octets),
      option(OPTIONS.comment, new TextEncoder().encode(session.channel)),
      option(OPTIONS.flags, u32(DIRECTIONS[entry.dir])),
      option(OPTIONS.end),
    ]);
  }

  #block(type: number, parts: readonly Uint8Array[]): void {
    const length = u32(12 + parts.reduce((sum, part) => sum + part.length, 0));
    this.#write(joinOctets([u32(type), length, ...parts, length]));
  }
}

function tcpHeader(fields: {
  readonly source: number;
  readonly destination: number;
  readonly sequence: number;
  readonly acknowledged: number;
  readonly flags: number;
}): Uint8Array {
  const { source, destination, sequence, acknowledged, flags } = fields;
  const offsetAndFlags = ((TCP_LENGTH / 4) << 12) | flags;
  const window = 0xffff;
  return joinOctets([
    u16be(source),
    u16be(destination),
    u32be(sequence),
    u32be((flags & FLAGS.ack) === 0 ? 0 : acknowledged),
    u16be(offsetAndFlags),
    u16be(window),
    u32be(0),
  ]);
}

/** The packet with both checksums right. */
function ipv4(
  { channel }: CapturedSession,
  dir: "tx" | "rx",
  parts: readonly Uint8Array[],
  protocol: number,
): Uint8Array {
  const meter = /(\d+)\.(\d+)\.(\d+)\.(\d+)/.exec(channel)?.slice(1).map(Number) ?? METER_ADDRESS;
  const [source, destination] = dir === "tx" ? [CLIENT_ADDRESS, meter] : [meter, CLIENT_ADDRESS];
  const payload = joinOctets(parts);
  const header = joinOctets([
    Uint8Array.of(0x45, 0),
    u16be(IPV4_LENGTH + payload.length),
    u32be(0x4000),
    Uint8Array.of(64, protocol, 0, 0, ...source, ...destination),
  ]);
  header.set(u16be(checksum([header])), 10);
  const pseudo = Uint8Array.of(...source, ...destination, 0, protocol, payload.length >> 8, payload.length & 0xff);
  const place = protocol === PROTOCOLS.tcp ? 16 : 6;
  payload.set(u16be(checksum([pseudo, payload])), place);
  return joinOctets([header, payload]);
}

/** The internet checksum (RFC 1071). */
function checksum(parts: readonly Uint8Array[]): number {
  const octets = joinOctets(parts);
  let sum = 0;
  for (let at = 0; at < octets.length; at += 2) sum += ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

function option(code: number, value: Uint8Array = new Uint8Array(0)): Uint8Array {
  return joinOctets([u16(code), u16(value.length), padded(value)]);
}

function padded(octets: Uint8Array): Uint8Array {
  const missing = -octets.length & 3;
  return missing === 0 ? octets : joinOctets([octets, new Uint8Array(missing)]);
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >> 8);
}

function u32(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24);
}

function u16be(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}

function u32be(value: number): Uint8Array {
  return u32(value).toReversed();
}
