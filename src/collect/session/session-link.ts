import { GatewayLink } from "../../../protocol/association/gateway-link.ts";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { hdlcAddress } from "../../../protocol/link/hdlc/address.ts";
import { HdlcClient } from "../../../protocol/link/hdlc/client.ts";
import type { HdlcLineSettings } from "../../../protocol/link/hdlc/line.ts";
import type { ModeEOpeningSettings } from "../../../protocol/link/iec62056-21/mode-e-opening.ts";
import type { Link } from "../../../protocol/link/link.ts";
import { WrapperLink } from "../../../protocol/link/wrapper-link.ts";
import type { MeterQuirk } from "../../../protocol/quirks.ts";
import type { AssociationConfig, ConnectionConfig } from "../../config/schema.ts";
import { ModeELink } from "./mode-e-link.ts";
import { infoLengthFor, quirkyHdlc, quirkyWrapper, windowFor } from "./quirk-settings.ts";

/** Proposed to every meter; each takes what it can, down to the standard's 128. */
const PROPOSED_INFO_LENGTH = 1024;
const LEAST_INFO_LENGTH = 128;
/** Start bit, eight bits, stop bit. */
const BITS_PER_OCTET = 10;
/** Frame octets around the information field. */
const FRAME_OCTETS = 20;
/** Silence within a frame on a local line: USB adapters hold octets back, meters pause. */
const SERIAL_INTER_OCTET_MS = 500;
const DEFAULT_RETRIES = 3;
const UDP_REPETITIONS = 2;
const SECOND_MS = 1000;
/** A day of block load comes in one APDU; a transfer that breaks off loses no more than one. */
const STREAMED_PDU_SIZE = 8192;
/** What a datagram holds, or what a slow line carries within seconds. */
const PDU_SIZE = 1024;

export const DEFAULT_BAUD = 9600;
export const DEFAULT_TURNAROUND_MS = 20;
export const SIGN_ON_BAUD = 300;

/** The serial line under the links of one visit. */
export interface VisitedLine {
  setBaud(baud: number): void;
  /** What the meter chose when a link was opened by mode E. */
  openedBaud?: number;
}

type HdlcHabits = NonNullable<ConnectionConfig["hdlc"]>;
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
  const { link, udp } = connection;
  if (link === "hdlc") return hdlcLink(connection, saps, hdlcTimes(connection));
  const datagrams = udp !== undefined;
  return new WrapperLink({ role: "client", clientSap, serverSap, datagrams, ...quirkyWrapper(quirks) });
}

/** Octets of the largest APDU that we take from a meter. */
export function receivePduSize(
  { link, udp }: Pick<ConnectionConfig, "link" | "udp">,
  { maxReceivePduSize }: Pick<AssociationConfig, "maxReceivePduSize">,
): number {
  return maxReceivePduSize ?? (link === "wrapper" && udp === undefined ? STREAMED_PDU_SIZE : PDU_SIZE);
}

/**
 * How long an answer may take. HDLC asks again for what was lost: its link must have had its tries before the answer is
 * given up. On a serial line, request and answer take their time besides.
 */
export function answerTimeoutMs(connection: ConnectionConfig, pduSize: number): number {
  const { link, serial, speed = DEFAULT_BAUD, responseTimeout, hdlc } = connection;
  if (link !== "hdlc") return responseTimeout;
  const { frameTimeoutMs } = hdlcTimes(connection, serial === undefined ? undefined : speed);
  const transmissionMs = serial === undefined ? 0 : Math.ceil((2 * pduSize * BITS_PER_OCTET * SECOND_MS) / speed);
  return ((hdlc?.retries ?? DEFAULT_RETRIES) + 1) * frameTimeoutMs + transmissionMs;
}

/** TCP loses nothing and HDLC asks again by itself; datagrams get lost. */
export function readRepetitions({ udp, repeatReads }: ConnectionConfig): number {
  return repeatReads ?? (udp === undefined ? 0 : UDP_REPETITIONS);
}

interface HdlcTimes {
  /** Octets of information that a frame may have. */
  readonly infoLength: number;
  readonly frameTimeoutMs: number;
}

/** What the speed of a line means for its frames; without one, the way to the meter takes no time of its own. */
function hdlcTimes({ hdlc, responseTimeout }: ConnectionConfig, baud?: number): HdlcTimes {
  const frameTimeoutMs = hdlc?.frameTimeout ?? responseTimeout;
  if (baud === undefined) return { infoLength: hdlc?.infoLength ?? PROPOSED_INFO_LENGTH, frameTimeoutMs };
  const octetsPerSecond = baud / BITS_PER_OCTET;
  // A frame should not have the line for longer than a second or so: what noise spoils is sent again whole.
  const inOneSecond = Math.min(PROPOSED_INFO_LENGTH, Math.max(LEAST_INFO_LENGTH, Math.trunc(octetsPerSecond)));
  const infoLength = hdlc?.infoLength ?? inOneSecond;
  // Our own frame has to get out first; an answer that has begun is waited for anyway.
  const transmissionMs = ((infoLength + FRAME_OCTETS) * SECOND_MS) / octetsPerSecond;
  return { infoLength, frameTimeoutMs: frameTimeoutMs + Math.ceil(transmissionMs) };
}

function serialLink(connection: ConnectionConfig, saps: Saps, line: VisitedLine): Link {
  const { speed = DEFAULT_BAUD, opening = "hdlc", echo = false } = connection;
  if (opening === "hdlc") return serialHdlc(connection, saps, speed);
  const { openedBaud } = line;
  return new ModeELink({
    opening: { maxBaud: speed, softwareParity: true, echo, ...modeEHabits(connection) },
    hdlc: (baud) => serialHdlc(connection, saps, baud),
    setLine: ({ baud }) => line.setBaud(baud),
    onOpened: (baud) => {
      line.openedBaud = baud;
    },
    ...(openedBaud !== undefined && { lastBaud: openedBaud }),
  });
}

function modeEHabits({ deviceAddress, modeE }: ConnectionConfig): ModeEOpeningSettings {
  if (modeE === undefined) return deviceAddress === undefined ? {} : { deviceAddress };
  const { reactionTimeout, interOctetTimeout, switchDelay, retries, retryDelay, confirmation, unannounced } = modeE;
  return {
    ...(deviceAddress !== undefined && { deviceAddress }),
    ...(reactionTimeout !== undefined && { responseTimeoutMs: reactionTimeout }),
    ...(interOctetTimeout !== undefined && { interOctetTimeoutMs: interOctetTimeout }),
    ...(switchDelay !== undefined && { switchDelayMs: switchDelay }),
    ...(retryDelay !== undefined && { retryDelayMs: retryDelay }),
    maxRetries: retries,
    confirmation,
    unannounced,
  };
}

function serialHdlc(connection: ConnectionConfig, saps: Saps, baud: number): HdlcClient {
  const { echo = false, turnaround = DEFAULT_TURNAROUND_MS, hdlc } = connection;
  return hdlcLink(connection, saps, hdlcTimes(connection, baud), {
    interOctetTimeoutMs: hdlc?.interOctetTimeout ?? SERIAL_INTER_OCTET_MS,
    turnaroundMs: turnaround,
    echo,
  });
}

function hdlcLink(
  connection: ConnectionConfig,
  saps: Saps,
  { infoLength, frameTimeoutMs }: HdlcTimes,
  line: HdlcLineSettings = {},
): HdlcClient {
  const habits: Partial<HdlcHabits> = connection.hdlc ?? {};
  const { retries = DEFAULT_RETRIES, keepAlive, interOctetTimeout } = habits;
  const { recovery, discFirst, bareSnrm, infoReserve } = habits;
  const { quirks = NO_QUIRKS } = saps;
  const information = infoLengthFor(quirks, infoLength);
  const window = windowFor(quirks, habits.window ?? 1);
  return new HdlcClient({
    ...addressed(connection, saps),
    parameters: {
      maxInfoTransmit: information,
      maxInfoReceive: information,
      windowTransmit: window,
      windowReceive: window,
    },
    responseTimeoutMs: frameTimeoutMs,
    maxRetries: retries,
    ...(recovery && { recovery }),
    ...(discFirst && { discFirst }),
    ...(bareSnrm && { bareSnrm }),
    ...(infoReserve !== undefined && { infoReserve }),
    ...(keepAlive !== undefined && { keepAliveMs: keepAlive }),
    ...(interOctetTimeout !== undefined && { interOctetTimeoutMs: interOctetTimeout }),
    ...quirkyHdlc(quirks),
    ...line,
  });
}

function addressed(connection: ConnectionConfig, { clientSap, serverSap }: Saps) {
  return { clientSap, server: hdlcAddress(serverSap, connection.physicalAddress, connection.addressLength) };
}
