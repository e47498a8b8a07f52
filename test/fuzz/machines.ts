/** The machines that take octets off the wire, each in the states in which a peer can meet it. */
import { isDeepStrictEqual } from "node:util";
import { ClientAssociation } from "../../protocol/association/client/client.ts";
import type { ClientCommand } from "../../protocol/association/client/client-events.ts";
import { ClientSession } from "../../protocol/association/session.ts";
import { conformanceFromNumber } from "../../protocol/ber/conformance.ts";
import { fromHex, toHex } from "../../protocol/bytes/hex.ts";
import { hdlcAddress } from "../../protocol/link/hdlc/address.ts";
import { HdlcClient } from "../../protocol/link/hdlc/client.ts";
import { HdlcFrameParser } from "../../protocol/link/hdlc/frame-parser.ts";
import { HdlcServer } from "../../protocol/link/hdlc/server.ts";
import { ModeEOpening } from "../../protocol/link/iec62056-21/mode-e-opening.ts";
import { P1Parser } from "../../protocol/link/iec62056-21/p1.ts";
import { ReadoutParser } from "../../protocol/link/iec62056-21/readout.ts";
import { MbusParser } from "../../protocol/link/mbus.ts";
import { PushReceiver } from "../../protocol/link/push-receiver.ts";
import { WrapperParser } from "../../protocol/link/wrapper.ts";
import { WrapperLink } from "../../protocol/link/wrapper-link.ts";
import type { Machine } from "../../protocol/machine.ts";
import { clientProtection, OPEN_RULE, Served } from "../protocol/association/server-fixture.ts";

export interface StreamTarget {
  readonly name: string;
  /** Layers of the corpus whose octets are good seeds. */
  readonly layers: readonly string[];
  /** Takes the pieces in order and gives everything that came out. */
  run(pieces: readonly Uint8Array[]): unknown[];
}

/** Most outputs that one input may cause; more is a loop. */
const OUTPUT_LIMIT = 10_000;

/** The events of a machine, then what it sent: which of them comes first depends on how the octets were cut. */
function drive<Command, Event>(machine: Machine<Command, Event>, pieces: readonly Uint8Array[]): unknown[] {
  const events: unknown[] = [];
  const sent: string[] = [];
  const take = () => {
    for (let event = machine.takeEvent(); event !== undefined; event = machine.takeEvent()) events.push(event);
    for (let bytes = machine.takeBytes(); bytes !== undefined; bytes = machine.takeBytes()) sent.push(toHex(bytes));
    if (events.length + sent.length > OUTPUT_LIMIT) throw new Error("the machine does not stop giving");
  };
  take();
  for (const piece of pieces) {
    machine.receive(piece, 0);
    take();
  }
  return [...events, ...sent];
}

interface Parser {
  receive(octets: Uint8Array): void;
  takeUnit(): unknown;
}

function parse(parser: Parser, pieces: readonly Uint8Array[]): unknown[] {
  const units: unknown[] = [];
  for (const piece of pieces) {
    parser.receive(piece);
    for (let unit = parser.takeUnit(); unit !== undefined; unit = parser.takeUnit()) units.push(unit);
  }
  return units;
}

const HDLC = ["hdlc", "hdlc-stream"];
const WRAPPER = ["wrapper", "wrapper-stream"];
const UA = "7ea01f21022373e6c781801205018006018007040000000108040000000153 3b7e";

function hdlcClient(): HdlcClient {
  const client = new HdlcClient({ clientSap: 16, server: hdlcAddress(1, 17, 4) });
  client.command({ type: "open" }, 0);
  return client;
}

export const STREAMS: readonly StreamTarget[] = [
  { name: "wrapper-parser", layers: WRAPPER, run: (pieces) => parse(new WrapperParser(), pieces) },
  { name: "hdlc-parser", layers: HDLC, run: (pieces) => parse(new HdlcFrameParser(), pieces) },
  { name: "mbus-parser", layers: ["mbus"], run: (pieces) => parse(new MbusParser(), pieces) },
  { name: "p1-parser", layers: ["p1", "p1-stream"], run: (pieces) => parse(new P1Parser(), pieces) },
  { name: "readout-parser", layers: ["mode-e", "p1"], run: (pieces) => parse(new ReadoutParser(), pieces) },
  ...(["hdlc", "mbus", "raw"] as const).map(
    (framing): StreamTarget => ({
      name: `push-receiver-${framing}`,
      layers: framing === "raw" ? ["apdu-stream", "apdu"] : [framing],
      run(pieces) {
        const receiver = new PushReceiver({ framing });
        receiver.command({ type: "open" }, 0);
        return drive(receiver, pieces);
      },
    }),
  ),
  {
    name: "wrapper-link",
    layers: WRAPPER,
    run(pieces) {
      const link = new WrapperLink({ role: "client", clientSap: 16, serverSap: 1 });
      link.command({ type: "open" }, 0);
      // A part of a PDU is progress, however it was cut.
      return drive(link, pieces).filter((event) => !isDeepStrictEqual(event, { type: "progress" }));
    },
  },
  { name: "hdlc-client-opening", layers: HDLC, run: (pieces) => drive(hdlcClient(), pieces) },
  {
    name: "hdlc-client-open",
    layers: HDLC,
    run(pieces) {
      const client = hdlcClient();
      client.receive(fromHex(UA), 0);
      if (client.takeEvent()?.type !== "opened") throw new Error("the client was not opened");
      client.command({ type: "send", apdu: fromHex("c001c100080000010000ff0200") }, 0);
      return drive(client, pieces);
    },
  },
  {
    name: "hdlc-server",
    layers: HDLC,
    run: (pieces) => drive(new HdlcServer({ logicalDevices: [1], physicalDevice: 17 }), pieces),
  },
  {
    name: "mode-e-opening",
    layers: ["mode-e"],
    run(pieces) {
      const opening = new ModeEOpening({});
      opening.command({ type: "open" }, 0);
      return drive(opening, pieces);
    },
  },
  {
    name: "session",
    layers: WRAPPER,
    run(pieces) {
      const link = new WrapperLink({ role: "client", clientSap: 1, serverSap: 1 });
      const session = new ClientSession({ link, client: client("none") });
      session.command({ type: "open" }, 0);
      session.command({ type: "associate" }, 0);
      return drive(session, pieces);
    },
  },
];

function client(mechanism: "none" | "hls-gmac"): ClientAssociation {
  return new ClientAssociation({
    authentication: { mechanism },
    challenge: () => new Uint8Array(16).fill(7),
    conformance: conformanceFromNumber(0x407e1f),
    ...(mechanism === "none"
      ? {}
      : { protection: clientProtection(), ciphering: { request: "authenticated-encrypted" } }),
  });
}

const AARE = "6129a109060760857405080101a203020100a305a103020100be10040e0800065f1f0400007e1f01f40007";
const GET_CLOCK: ClientCommand = {
  type: "get",
  attribute: { classId: 8, logicalName: fromHex("0000010000ff"), attributeId: 2 },
  access: undefined,
};
const GET_PROFILE: ClientCommand = {
  type: "get",
  attribute: { classId: 7, logicalName: fromHex("0100630100ff"), attributeId: 2 },
  access: undefined,
};

/** A client in each state in which an APDU may come. */
const CLIENT_STATES: Readonly<Record<string, () => ClientAssociation>> = {
  idle: () => client("none"),
  associating: () => ordered(client("none"), { type: "associate" }),
  "associating-ciphered": () => ordered(client("hls-gmac"), { type: "associate" }),
  associated: () => associated(),
  requesting: () => ordered(associated(), GET_CLOCK),
  "in-blocks": () => heard(ordered(associated(), GET_PROFILE), "c402c10000000001000401020301"),
  listing: () => {
    const { attribute, access } = GET_CLOCK;
    return ordered(associated(), { type: "getList", attributes: [{ attribute, access }] });
  },
  releasing: () => ordered(associated(), { type: "release" }),
};

function associated(): ClientAssociation {
  return heard(ordered(client("none"), { type: "associate" }), AARE);
}

function ordered(machine: ClientAssociation, command: ClientCommand): ClientAssociation {
  machine.command(command, 0);
  return machine;
}

function heard(machine: ClientAssociation, hex: string): ClientAssociation {
  machine.receive(fromHex(hex), 0);
  return machine;
}

/** A server before and after an association. */
const SERVER_STATES: Readonly<Record<string, readonly string[]>> = {
  idle: [],
  associated: ["601da109060760857405080101be10040e01000000065f1f0400007e1f04b0"],
};

/** Machines over whole APDUs: any APDU in any state gives events, never an exception. */
export const APDU_MACHINES = [
  ...Object.entries(CLIENT_STATES).map(([state, make]) => ({
    name: `client-${state}`,
    layers: ["apdu"],
    truncation: "sampled" as const,
    decode: (octets: Uint8Array) => drive(make(), [octets, octets]),
  })),
  ...Object.entries(SERVER_STATES).map(([state, before]) => ({
    name: `server-${state}`,
    layers: ["apdu"],
    truncation: "sampled" as const,
    decode: (octets: Uint8Array) => {
      const { machine } = new Served(OPEN_RULE);
      return drive(machine, [...before.map((hex) => fromHex(hex)), octets, octets]);
    },
  })),
];
