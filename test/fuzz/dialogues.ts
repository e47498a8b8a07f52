/** Whole sessions against a peer that says anything: what recorded peers said is the seed, and orders follow its answers. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseRecording } from "../../drivers/recording/recording.ts";
import { ClientAssociation } from "../../protocol/association/client/client.ts";
import type { ServiceOrder } from "../../protocol/association/client/client-events.ts";
import { inShortNames } from "../../protocol/association/client/short-name-orders.ts";
import { ServerSession } from "../../protocol/association/server/server-session.ts";
import { ClientSession, type SessionCommand } from "../../protocol/association/session.ts";
import { conformanceFromNumber } from "../../protocol/ber/conformance.ts";
import { fromHex } from "../../protocol/bytes/hex.ts";
import { ShortNames } from "../../protocol/cosem/short-names.ts";
import { DlmsError } from "../../protocol/errors.ts";
import { hdlcAddress } from "../../protocol/link/hdlc/address.ts";
import { HdlcClient } from "../../protocol/link/hdlc/client.ts";
import { HdlcServer } from "../../protocol/link/hdlc/server.ts";
import type { Link } from "../../protocol/link/link.ts";
import { WrapperLink } from "../../protocol/link/wrapper-link.ts";
import { ApduPair } from "../protocol/association/pair.ts";
import { clientProtection, counter, serverProtection } from "../protocol/association/server-fixture.ts";
import { serve, settingsOf, VARIANTS } from "../protocol/association/variants.ts";
import { type Repair, repairHdlc, repairWrapper } from "./repair.ts";

export interface Dialogue {
  readonly name: string;
  readonly seeds: () => readonly Uint8Array[];
  readonly repair?: Repair;
  run(octets: Uint8Array): void;
}

type Direction = "rx" | "tx";
/** A longer session is cut: mutations of its start are worth more than its length. */
const LONGEST_SEED = 6000;
/** Units that one dialogue is fed; the rest of a long input adds nothing. */
const MOST_UNITS = 60;
const STEP_LIMIT = 10_000;
const RECORDINGS = join(import.meta.dirname, "..", "recordings");

/** All that one side said, of every recording over this link. */
function said(direction: Direction, link: "wrapper" | "hdlc"): Uint8Array[] {
  const files = globSync("*.jsonl", { cwd: RECORDINGS }).sort();
  const recordings = files.map((file) => parseRecording(readFileSync(join(RECORDINGS, file), "utf8")));
  const wanted = recordings.filter(({ header }) => header.settings?.["link"] === link);
  return wanted.map(({ entries }) => {
    const pieces = entries.flatMap((entry) => (entry.dir === direction ? [entry.octets] : []));
    return new Uint8Array(Buffer.concat(pieces).subarray(0, LONGEST_SEED));
  });
}

/** What would be sent at once: a wrapper unit or a frame, as its length says. */
function* unitsOf(octets: Uint8Array, link: "wrapper" | "hdlc"): Generator<Uint8Array> {
  for (let at = 0, count = 0; at < octets.length && count < MOST_UNITS; count++) {
    const [, high = 0, low = 0] = octets.subarray(at);
    const [, , , , , , long = 0, short = 0] = octets.subarray(at);
    const end = at + (link === "hdlc" ? (((high & 7) << 8) | low) + 2 : 8 + ((long << 8) | short));
    yield octets.subarray(at, end);
    at = end;
  }
}

const CLOCK = { classId: 8, logicalName: fromHex("0000010000ff"), attributeId: 2 };
const PROFILE = { classId: 7, logicalName: fromHex("0100630100ff"), attributeId: 2 };
const CAPTURE = { classId: 7, logicalName: fromHex("0100630100ff"), methodId: 2 };
const VALUE = { type: "octet-string", value: new Uint8Array(12) } as const;
const BY_LOGICAL_NAME: readonly ServiceOrder[] = [
  { type: "get", attribute: CLOCK, access: undefined },
  { type: "get", attribute: PROFILE, access: undefined },
  {
    type: "getList",
    attributes: [
      { attribute: CLOCK, access: undefined },
      { attribute: PROFILE, access: undefined },
    ],
  },
  { type: "set", attribute: CLOCK, access: undefined, value: VALUE },
  { type: "set", attribute: CLOCK, access: undefined, value: { type: "octet-string", value: new Uint8Array(3000) } },
  { type: "setList", attributes: [{ attribute: CLOCK, access: undefined }], values: [VALUE] },
  { type: "action", method: CAPTURE, parameters: { type: "integer", value: 0 } },
  { type: "actionList", methods: [CAPTURE, CAPTURE], parameters: [VALUE, VALUE] },
];
const NAMES = new ShortNames([
  { baseName: 0x100, classId: 8, version: 0, logicalName: "0.0.1.0.0.255" },
  { baseName: 0x200, classId: 7, version: 1, logicalName: "1.0.99.1.0.255" },
]);
const BY_SHORT_NAME = BY_LOGICAL_NAME.filter(
  ({ type }) => type === "get" || type === "set" || type === "action",
).flatMap((order) => inShortNames(order, NAMES).orders);

/** A client that goes on with the next order whenever the peer lets it. */
function clientDialogue(link: Link, units: Iterable<Uint8Array>, shortNames: boolean): void {
  const client = new ClientAssociation({
    authentication: { mechanism: "none" },
    challenge: () => new Uint8Array(16),
    conformance: conformanceFromNumber(shortNames ? 0x18_1a_20 : 0x40_7e_1d),
    maxReceivePduSize: 1024,
    ...(shortNames && { referencing: "short-name" }),
  });
  const session = new ClientSession({ link, client });
  const orders: SessionCommand[] = [
    { type: "associate" },
    ...(shortNames ? BY_SHORT_NAME : BY_LOGICAL_NAME),
    { type: "release" },
    { type: "close" },
  ];
  session.command({ type: "open" }, 0);
  let steps = 0;
  const react = () => {
    for (let event = session.takeEvent(); event !== undefined; event = session.takeEvent()) {
      if (++steps > STEP_LIMIT) throw new Error("the session does not stop giving");
      const free = event.type === "opened" || event.type === "associated" || event.type === "response";
      const failed = event.type === "failed" && event.failure.stage === "request";
      const next = (free || failed) && session.state === "open" ? orders.shift() : undefined;
      if (next !== undefined) order(session, next);
    }
    while (session.takeBytes() !== undefined) steps++;
  };
  react();
  for (const unit of units) {
    session.receive(unit, 0);
    react();
  }
}

/** What the association has not agreed on, or is not there to carry, is refused to us: no fault of the peer's. */
function order(session: ClientSession, next: SessionCommand): void {
  try {
    session.command(next, 0);
  } catch (error) {
    if (!(error instanceof DlmsError && error.fault === "caller")) throw error;
  }
}

function serverDialogue(link: Link, units: Iterable<Uint8Array>): void {
  const variant = VARIANTS[0]?.rule();
  if (variant === undefined) throw new Error("no rule to serve by");
  const session = new ServerSession({ link, serverSap: 1, associationServer: () => serve(variant).server });
  session.command({ type: "open" }, 0);
  let steps = 0;
  for (const unit of units) {
    session.receive(unit, 0);
    while (session.takeEvent() !== undefined) steps++;
    while (session.takeBytes() !== undefined) steps++;
    if (steps > STEP_LIMIT) throw new Error("the server does not stop giving");
  }
}

const LINKS = {
  wrapper: {
    repair: repairWrapper,
    client: () => new WrapperLink({ role: "client", clientSap: 16, serverSap: 1 }),
    server: () => new WrapperLink({ role: "server" }),
  },
  hdlc: {
    repair: repairHdlc,
    client: () => new HdlcClient({ clientSap: 16, server: hdlcAddress(1) }),
    server: () => new HdlcServer({ logicalDevices: [1] }),
  },
} as const;

/** Well-sealed APDUs with any content, for the machines behind the cipher. */
function sealed(side: "client" | "server", name: string): Dialogue {
  const variant = VARIANTS.find((each) => each.name === name);
  if (variant === undefined) throw new Error(`no variant is called ${name}`);
  return {
    name: `${side}-sealed`,
    seeds: () => [],
    run(octets) {
      const { server } = serve(variant.rule());
      const pair = new ApduPair(settingsOf(variant.settings()), server);
      pair.run({ type: "associate" });
      if (side === "client") pair.client.command({ type: "get", attribute: CLOCK, access: undefined }, pair.nowMs);
      const other = { nextInvocationCounter: counter(5000) };
      const peer = side === "client" ? serverProtection(other) : clientProtection(other);
      const machine = side === "client" ? pair.client : server;
      for (let again = 0; again < 2; again++) {
        if (octets.length === 0) return;
        const request = { control: "authenticated-encrypted", form: "general", keySet: "global" } as const;
        machine.receive(peer.protect(octets, request), pair.nowMs);
        while (machine.takeEvent() !== undefined);
        while (machine.takeBytes() !== undefined);
      }
    },
  };
}

export const DIALOGUES: readonly Dialogue[] = [
  ...(["wrapper", "hdlc"] as const).flatMap((name): Dialogue[] => {
    const { repair, client, server } = LINKS[name];
    return [
      {
        name: `client-session-${name}`,
        seeds: () => said("rx", name),
        repair,
        run: (octets) => clientDialogue(client(), unitsOf(octets, name), false),
      },
      {
        name: `client-session-${name}-short-names`,
        seeds: () => said("rx", name),
        repair,
        run: (octets) => clientDialogue(client(), unitsOf(octets, name), true),
      },
      {
        name: `server-session-${name}`,
        seeds: () => said("tx", name),
        repair,
        run: (octets) => serverDialogue(server(), unitsOf(octets, name)),
      },
    ];
  }),
  sealed("client", "hls-gmac, ciphered, dedicated key"),
  sealed("server", "hls-gmac, ciphered, dedicated key"),
];
