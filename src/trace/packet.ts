/** What of a captured packet matters here: who sends which octets to whom, over TCP or UDP, or on a serial line. */
import type { CapturedPacket } from "./capture-reader.ts";

export type Transported =
  | {
      readonly type: "tcp";
      /** `host:port` */
      readonly source: string;
      readonly destination: string;
      readonly sequence: number;
      readonly flags: { readonly syn: boolean; readonly ack: boolean; readonly ends: boolean };
      readonly octets: Uint8Array;
    }
  | { readonly type: "udp"; readonly source: string; readonly destination: string; readonly octets: Uint8Array }
  | { readonly type: "serial"; readonly octets: Uint8Array };

/** How many octets stand before the type of the network protocol, and where that is; by LINKTYPE. */
const LINK_TYPES: Readonly<Record<number, { readonly header: number; readonly protocolAt: number }>> = {
  1: { header: 14, protocolAt: 12 },
  113: { header: 16, protocolAt: 14 },
  276: { header: 20, protocolAt: 0 },
};
const LOOPBACK = new Set([0, 108]);
const RAW_IP = new Set([12, 101, 228, 229]);
/** HDLC frames: link types for users, of which Wireshark is told what they are. */
const SERIAL = { from: 147, to: 162 };
const VLANS: ReadonlySet<number> = new Set([0x8100, 0x88a8]);
const ETHER_TYPES: ReadonlySet<number> = new Set([0x0800, 0x86dd]);
const LOOPBACK_HEADER = 4;
const VLAN_LENGTH = 4;
const MOST_VLANS = 2;
const IPV6_HEADER = 40;
/** Extension headers of IPv6 that say their length in units of eight octets. */
const EXTENSIONS: ReadonlySet<number> = new Set([0, 43, 60]);
const PROTOCOLS = { tcp: 6, udp: 17 } as const;
const TCP_FLAGS = { fin: 1, syn: 2, rst: 4, ack: 16 } as const;
const UDP_HEADER = 8;
const MOST_EXTENSIONS = 8;

/** Undefined for what is neither, and for fragments. */
export function transported({ linkType, octets }: CapturedPacket): Transported | undefined {
  if (linkType >= SERIAL.from && linkType <= SERIAL.to) return { type: "serial", octets };
  const ip = networkPacket(linkType, octets);
  if (ip === undefined) return undefined;
  const version = (ip[0] ?? 0) >> 4;
  if (version === 4) return ofIpv4(ip);
  return version === 6 ? ofIpv6(ip) : undefined;
}

function networkPacket(linkType: number, octets: Uint8Array): Uint8Array | undefined {
  if (RAW_IP.has(linkType)) return octets;
  if (LOOPBACK.has(linkType)) return octets.subarray(LOOPBACK_HEADER);
  const link = LINK_TYPES[linkType];
  if (link === undefined) return undefined;
  const { header, protocolAt } = link;
  let tags = 0;
  while (tags < MOST_VLANS * VLAN_LENGTH && VLANS.has(u16(octets, protocolAt + tags))) tags += VLAN_LENGTH;
  return ETHER_TYPES.has(u16(octets, protocolAt + tags)) ? octets.subarray(header + tags) : undefined;
}

function ofIpv4(ip: Uint8Array): Transported | undefined {
  const header = ((ip[0] ?? 0) & 0x0f) * 4;
  // Offloading leaves the length 0; frames of Ethernet are filled up.
  const total = u16(ip, 2) || ip.length;
  const isFragment = (u16(ip, 6) & 0x3fff) !== 0;
  if (header < 20 || total < header || ip.length < header || isFragment) return undefined;
  const hosts = [ip.subarray(12, 16).join("."), ip.subarray(16, 20).join(".")] as const;
  return ofTransport(ip[9] ?? 0, ip.subarray(header, total), hosts);
}

function ofIpv6(ip: Uint8Array): Transported | undefined {
  if (ip.length < IPV6_HEADER) return undefined;
  const end = IPV6_HEADER + (u16(ip, 4) || ip.length);
  const hosts = [ipv6Text(ip.subarray(8, 24)), ipv6Text(ip.subarray(24, 40))] as const;
  let protocol = ip[6] ?? 0;
  let at = IPV6_HEADER;
  for (let count = 0; EXTENSIONS.has(protocol) && count < MOST_EXTENSIONS; count++) {
    protocol = ip[at] ?? 0;
    at += 8 + (ip[at + 1] ?? 0) * 8;
  }
  return ofTransport(protocol, ip.subarray(at, end), hosts);
}

function ofTransport(
  protocol: number,
  octets: Uint8Array,
  [from, to]: readonly [string, string],
): Transported | undefined {
  const [source, destination] = [`${from}:${u16(octets, 0)}`, `${to}:${u16(octets, 2)}`];
  if (protocol === PROTOCOLS.udp) {
    const length = u16(octets, 4);
    if (length < UDP_HEADER || length > octets.length) return undefined;
    return { type: "udp", source, destination, octets: octets.subarray(UDP_HEADER, length) };
  }
  const header = ((octets[12] ?? 0) >> 4) * 4;
  if (protocol !== PROTOCOLS.tcp || header < 20 || header > octets.length) return undefined;
  const bits = octets[13] ?? 0;
  const sequence = ((u16(octets, 4) << 16) | u16(octets, 6)) >>> 0;
  const flags = {
    syn: (bits & TCP_FLAGS.syn) !== 0,
    ack: (bits & TCP_FLAGS.ack) !== 0,
    ends: (bits & (TCP_FLAGS.fin | TCP_FLAGS.rst)) !== 0,
  };
  return { type: "tcp", source, destination, sequence, flags, octets: octets.subarray(header) };
}

function ipv6Text(address: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, index) => u16(address, 2 * index).toString(16));
  return `[${groups.join(":").replace(/(^|:)0(:0)+(:|$)/, "::")}]`;
}

function u16(octets: Uint8Array, at: number): number {
  return ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);
}
