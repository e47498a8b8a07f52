import { GatewayLink } from "../../protocol/association/gateway-link.ts";
import { fromHex } from "../../protocol/bytes/hex.ts";
import { hdlcAddress } from "../../protocol/link/hdlc/address.ts";
import { HdlcClient } from "../../protocol/link/hdlc/client.ts";
import type { Link } from "../../protocol/link/link.ts";
import { WrapperLink } from "../../protocol/link/wrapper-link.ts";
import type { MeterQuirk } from "../../protocol/quirks.ts";
import type { AssociationConfig, ConnectionConfig } from "../config/schema.ts";
import { ModeELink } from "./mode-e-link.ts";
import { infoLengthFor, quirkyHdlc } from "./quirk-settings.ts";

/** Proposed to every meter; each takes what it can, down to the standard's 128. */
const PROPOSED_INFO_LENGTH = 1024;
const LEAST_INFO_LENGTH = 128;
/** Start bit, eight bits, stop bit. */
const BITS_PER_OCTET = 10;
/** Frame octets around the information field. */
const FRAME_OCTETS = 20;
/** Silence within a frame on a local line: USB adapters hold octets back, meters pause. */
const SERIAL_INTER_OCTET_MS = 500;
const SERIAL_RETRIES = 3;
const SECOND_MS = 1000;

export const DEFAULT_BAUD = 9600;
export const DEFAULT_TURNAROUND_MS = 20;
export const SIGN_ON_BAUD = 300;

/** The serial line under the links of one visit. */
export interface VisitedLine {
  setBaud(baud: number): void;
  /** What the meter chose when a link was opened by mode E. */
  openedBaud?: number;
}

/** Who talks to whom, and what is special about the meter. */
type Saps = Pick<AssociationConfig, "clientSap" | "serverSap"> & { readonly quirks?: ReadonlySet<MeterQuirk> };

const NO_QUIRKS: ReadonlySet<MeterQuirk> = new Set();

/** The client side of the link that a meter's connection says. Throws DATA_OUT_OF_RANGE for an address that can't be. */
export function sessionLink(connection: ConnectionConfig, saps: Saps, line?: VisitedLine): Link {
  const link = directLink(connection, saps, line);
  const { gateway } = connection;
  if (gateway === undefined) return link;
  const { network: networkId, device } = gateway;
  return new GatewayLink(link, "client", { networkId, physicalDeviceAddress: deviceOctets(device) });
}

/** The text's own octets, or hexadecimal octets after `0x`; the schema has checked the form. */
function deviceOctets(device: string): Uint8Array {
  return device.startsWith("0x") ? fromHex(device.slice(2)) : new TextEncoder().encode(device);
}

function directLink(connection: ConnectionConfig, saps: Saps, line?: VisitedLine): Link {
  if (line !== undefined) return serialLink(connection, saps, line);
  const { clientSap, serverSap, quirks = NO_QUIRKS } = saps;
  if (connection.link === "wrapper") return new WrapperLink({ role: "client", clientSap, serverSap });
  const infoLength = infoLengthFor(quirks, PROPOSED_INFO_LENGTH);
  return new HdlcClient({
    ...addressed(connection, saps),
    ...quirkyHdlc(quirks),
    parameters: { maxInfoTransmit: infoLength, maxInfoReceive: infoLength },
    responseTimeoutMs: connection.responseTimeout,
  });
}

/**
 * How long an answer may take. A serial line loses frames: its link must have had its tries before the answer is given
 * up, and request and answer take their time on the line.
 */
export function answerTimeoutMs(connection: ConnectionConfig, pduSize: number): number {
  const { serial, speed = DEFAULT_BAUD, responseTimeout } = connection;
  if (serial === undefined) return responseTimeout;
  const { frameTimeoutMs } = serialTimes(connection, speed);
  return (SERIAL_RETRIES + 1) * frameTimeoutMs + Math.ceil((2 * pduSize * BITS_PER_OCTET * SECOND_MS) / speed);
}

/** What the speed of a line means for its frames. */
function serialTimes({ responseTimeout }: ConnectionConfig, baud: number) {
  const octetsPerSecond = baud / BITS_PER_OCTET;
  // A frame should not have the line for longer than a second or so: what noise spoils is sent again whole.
  const infoLength = Math.min(PROPOSED_INFO_LENGTH, Math.max(LEAST_INFO_LENGTH, Math.trunc(octetsPerSecond)));
  // Our own frame has to get out first; an answer that has begun is waited for anyway.
  const transmissionMs = ((infoLength + FRAME_OCTETS) * SECOND_MS) / octetsPerSecond;
  return { infoLength, frameTimeoutMs: responseTimeout + Math.ceil(transmissionMs) };
}

function serialLink(connection: ConnectionConfig, saps: Saps, line: VisitedLine): Link {
  const { speed = DEFAULT_BAUD, opening = "hdlc", echo = false, deviceAddress } = connection;
  if (opening === "hdlc") return serialHdlc(connection, saps, speed);
  const { openedBaud } = line;
  return new ModeELink({
    opening: {
      maxBaud: speed,
      softwareParity: true,
      echo,
      ...(deviceAddress !== undefined && { deviceAddress }),
    },
    hdlc: (baud) => serialHdlc(connection, saps, baud),
    setLine: ({ baud }) => line.setBaud(baud),
    onOpened: (baud) => {
      line.openedBaud = baud;
    },
    ...(openedBaud !== undefined && { lastBaud: openedBaud }),
  });
}

function serialHdlc(connection: ConnectionConfig, saps: Saps, baud: number): HdlcClient {
  const { echo = false, turnaround = DEFAULT_TURNAROUND_MS } = connection;
  const { quirks = NO_QUIRKS } = saps;
  const { infoLength: most, frameTimeoutMs } = serialTimes(connection, baud);
  const infoLength = infoLengthFor(quirks, most);
  return new HdlcClient({
    ...addressed(connection, saps),
    ...quirkyHdlc(quirks),
    parameters: { maxInfoTransmit: infoLength, maxInfoReceive: infoLength },
    responseTimeoutMs: frameTimeoutMs,
    maxRetries: SERIAL_RETRIES,
    interOctetTimeoutMs: SERIAL_INTER_OCTET_MS,
    turnaroundMs: turnaround,
    echo,
  });
}

function addressed(connection: ConnectionConfig, { clientSap, serverSap }: Saps) {
  return { clientSap, server: hdlcAddress(serverSap, connection.physicalAddress, connection.addressLength) };
}
