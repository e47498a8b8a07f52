/** Peers that break the rules on purpose, over real sockets: an error with a name, in bounded time and memory. */
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { Pump } from "../../drivers/pump.ts";
import { connectTcp } from "../../drivers/tcp/connect.ts";
import { TcpListener } from "../../drivers/tcp/listener.ts";
import { ClientAssociation } from "../../protocol/association/client/client.ts";
import type { ServiceOrder } from "../../protocol/association/client/client-events.ts";
import {
  ServerSession,
  type ServerSessionCommand,
  type ServerSessionEvent,
} from "../../protocol/association/server/server-session.ts";
import { ClientSession, type SessionCommand, type SessionEvent } from "../../protocol/association/session.ts";
import { conformanceFromNumber } from "../../protocol/ber/conformance.ts";
import { fromHex } from "../../protocol/bytes/hex.ts";
import { hdlcAddress } from "../../protocol/link/hdlc/address.ts";
import { HdlcClient } from "../../protocol/link/hdlc/client.ts";
import { decodeHdlcFrame, encodeHdlcFrame, type HdlcFrame } from "../../protocol/link/hdlc/frame.ts";
import type { Link } from "../../protocol/link/link.ts";
import { encodeWrapper } from "../../protocol/link/wrapper.ts";
import { WrapperLink } from "../../protocol/link/wrapper-link.ts";
import { OPEN_RULE } from "../protocol/association/server-fixture.ts";
import { serve } from "../protocol/association/variants.ts";

/** Everything that the open rule and the client here can do, general block transfer too. */
const CONFORMANCE = conformanceFromNumber(0x20_7e_1f);
const AARE = fromHex("6129a109060760857405080101a203020100a305a103020100be10040e0800065f1f0400207e1fffff0007");
const AARQ = fromHex("601da109060760857405080101be10040e01000000065f1f0400207e1fffff");
const CLOCK = fromHex("0000010000ff");
const GET: ServiceOrder = {
  type: "get",
  attribute: { classId: 8, logicalName: CLOCK, attributeId: 2 },
  access: undefined,
};
const BUDGET_MS = 4000;
/** More than any of these may take with what a loaded machine adds. */
const BOUND_MS = 30_000;
/** What a whole answer may weigh here, a few times over. */
const MEMORY_BOUND = 96 * 1024 * 1024;
const HEADER = 8;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** Says what it likes once it has been asked something; `request` is the APDU or the frame. */
type Malice = (socket: Socket, request: Uint8Array, turn: number) => unknown;

async function hostileServer(malice: Malice): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    let turn = 0;
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("data", (octets) => void malice(socket, new Uint8Array(octets), turn++));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

function wrapped(apdu: Uint8Array): Uint8Array {
  return encodeWrapper({ sourceWPort: 1, destinationWPort: 16, apdu });
}

/** Accepts the association, then does what it likes. */
function afterAssociation(then: Malice): Malice {
  return (socket, request, turn) => {
    return turn === 0 ? socket.write(wrapped(AARE)) : then(socket, request.subarray(HEADER), turn);
  };
}

/** How our client's visit ended: the code of its failure, or the type of the response. */
async function visit(port: number, link: Link, responseTimeoutMs = 1000): Promise<string> {
  const client = new ClientAssociation({
    authentication: { mechanism: "none" },
    challenge: () => new Uint8Array(16),
    conformance: CONFORMANCE,
    responseTimeoutMs,
    blockTimeoutMs: 300,
    generalBlocks: "when-needed",
    generalBlockWindow: 3,
  });
  const session = new ClientSession({ link, client, budgetMs: BUDGET_MS });
  const channel = await connectTcp({ host: "127.0.0.1", port });
  const { promise, resolve } = Promise.withResolvers<string>();
  const pump: Pump<SessionCommand, SessionEvent> = new Pump(
    session,
    channel,
    {
      event(event) {
        if (event.type === "opened") pump.command({ type: "associate" });
        if (event.type === "associated") pump.command(GET);
        if (event.type === "response") resolve(event.response.type);
        if (event.type === "failed") resolve(event.failure.error.code);
      },
      closed: (cause) => resolve(`closed ${cause?.message ?? ""}`),
      fault: (error) => resolve(`FAULT ${String(error)}`),
    },
    { ended: { type: "channelEnded" } },
  );
  pump.start();
  pump.command({ type: "open" });
  const ending = await promise;
  pump.close();
  return ending;
}

function wrapperLink(): Link {
  return new WrapperLink({ role: "client", clientSap: 16, serverSap: 1 });
}

function hdlcLink(): Link {
  return new HdlcClient({ clientSap: 16, server: hdlcAddress(1), responseTimeoutMs: 200 });
}

/** Runs it within the bounds of time and memory. */
async function bounded<T>(run: () => Promise<T>): Promise<T> {
  const before = process.memoryUsage();
  const startMs = performance.now();
  const value = await run();
  expect(performance.now() - startMs).toBeLessThan(BOUND_MS);
  const after = process.memoryUsage();
  const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  expect(grown).toBeLessThan(MEMORY_BOUND);
  return value;
}

/** Invoke-id-and-priority of a request. */
function invokeOf(request: Uint8Array): number {
  return request[2] ?? 0;
}

function getResponse(request: Uint8Array, data: Uint8Array): Uint8Array {
  return wrapped(Uint8Array.of(0xc4, 1, invokeOf(request), 0, ...data));
}

function block(request: Uint8Array, number: number, raw: Uint8Array): Uint8Array {
  const head = new DataView(new ArrayBuffer(12));
  head.setUint8(0, 0xc4);
  head.setUint8(1, 2);
  head.setUint8(2, invokeOf(request));
  head.setUint32(4, number);
  head.setUint8(9, 0x82);
  head.setUint16(10, raw.length);
  return wrapped(Uint8Array.of(...new Uint8Array(head.buffer), ...raw));
}

function generalBlock(number: number, acknowledged: number, control: number): Uint8Array {
  const octets = new Uint8Array(9 + 20_000);
  const view = new DataView(octets.buffer);
  octets.set([0xe0, control]);
  view.setUint16(2, number);
  view.setUint16(4, acknowledged);
  octets[6] = 0x82;
  view.setUint16(7, 20_000);
  return wrapped(octets);
}

const nested = new Uint8Array(20_000).map((_, index) => (index % 2 === 0 ? 2 : 1));
/** Nothing stands for a great deal: arrays of arrays of nulls, in no octets. Reading it must not unfold it. */
const COMPACT_BOMB = fromHex("13 01 ffff 01 ffff 00 01 00".replaceAll(" ", ""));

interface HostileServer {
  readonly name: string;
  readonly malice: Malice;
  /** The code of the client's failure, or the type of the response. */
  readonly expected: string;
}

const WRAPPER_SERVERS: readonly HostileServer[] = [
  {
    name: "blocks without end",
    malice: afterAssociation((socket, request, turn) => socket.write(block(request, turn, new Uint8Array(60_000)))),
    expected: "LENGTH_OVER_LIMIT",
  },
  {
    name: "a small block whenever the client is about to give up",
    malice: afterAssociation(async (socket, request, turn) => {
      await sleep(500);
      socket.write(block(request, turn, new Uint8Array(10)));
    }),
    expected: "SESSION_BUDGET_SPENT",
  },
  {
    name: "one and the same block without end",
    malice: afterAssociation((socket, request) => socket.write(block(request, 1, new Uint8Array(100)))),
    expected: "SERVICE_UNANSWERED",
  },
  {
    name: "an octet-string of four gigaoctets",
    malice: afterAssociation((socket, request) => socket.write(getResponse(request, fromHex("0984ffffffff00")))),
    expected: "LENGTH_OVER_LIMIT",
  },
  {
    name: "an array of four thousand million elements",
    malice: afterAssociation((socket, request) => socket.write(getResponse(request, fromHex("0184ffffffff00")))),
    expected: "LENGTH_OVER_LIMIT",
  },
  {
    name: "ten thousand structures in one another",
    malice: afterAssociation((socket, request) => socket.write(getResponse(request, nested))),
    expected: "DEPTH_OVER_LIMIT",
  },
  {
    name: "a compact array of nothing, four thousand million times",
    malice: afterAssociation((socket, request) => socket.write(getResponse(request, COMPACT_BOMB))),
    expected: "get",
  },
  {
    name: "five thousand answers to questions that nobody asked",
    malice: afterAssociation((socket) => {
      for (let i = 0; i < 5000; i++) socket.write(wrapped(fromHex("c501c700")));
    }),
    expected: "SERVICE_UNEXPECTED",
  },
  {
    name: "noise of eight megaoctets",
    malice: (socket) => {
      for (let i = 0; i < 128; i++) socket.write(new Uint8Array(65_536).fill(0x5a));
    },
    expected: "SERVICE_UNANSWERED",
  },
  {
    name: "a general block transfer that streams without end",
    malice: afterAssociation(async (socket) => {
      for (let number = 1; number < 400 && !socket.destroyed; number++) {
        socket.write(generalBlock(number, 0, 0x41));
        if (number % 16 === 0) await sleep(1);
      }
    }),
    expected: "LENGTH_OVER_LIMIT",
  },
  {
    name: "a general block transfer that begins again at every acknowledgement",
    malice: afterAssociation((socket) => socket.write(generalBlock(1, 0, 0x01))),
    expected: "BLOCK_NUMBER_INVALID",
  },
  {
    name: "an octet now and then",
    malice: async (socket) => {
      for (const octet of wrapped(AARE)) {
        if (socket.destroyed) return;
        socket.write(Uint8Array.of(octet));
        await sleep(400);
      }
    },
    expected: "SERVICE_UNANSWERED",
  },
  {
    name: "the half of a unit, and then nothing",
    malice: (socket) => socket.write(wrapped(AARE).subarray(0, 20)),
    expected: "SERVICE_UNANSWERED",
  },
  { name: "silence", malice: () => undefined, expected: "SERVICE_UNANSWERED" },
  { name: "the end of the connection", malice: (socket) => socket.destroy(), expected: "LINK_ENDED" },
];

test.for(WRAPPER_SERVERS)("hostile server: $name", async ({ malice, expected }) => {
  const port = await hostileServer(malice);
  expect(await bounded(() => visit(port, wrapperLink()))).toBe(expected);
});

const UA = fromHex("7ea01e210373c37a818012050180060180070400000001080400000001533b7e");

/** What a frame of the client is answered with. */
function answering(
  frame: (asked: HdlcFrame, turn: number) => Partial<HdlcFrame>,
  spoil = (octets: Uint8Array) => octets,
): Malice {
  return (socket, request, turn) => {
    if (turn === 0) return socket.write(UA);
    const asked = decodeHdlcFrame(request)?.frame;
    if (asked === undefined) return undefined;
    const answer = { ...asked, destination: asked.source, source: asked.destination, ...frame(asked, turn) };
    return socket.write(spoil(encodeHdlcFrame(answer)));
  };
}

const LLC_AARE = Uint8Array.of(0xe6, 0xe7, 0, ...AARE);

function information(ns: number, nr: number): HdlcFrame["control"] {
  return { type: "I", ns, nr, pollFinal: true };
}

const HDLC_SERVERS: readonly HostileServer[] = [
  {
    name: "a wrong frame check in every answer",
    malice: answering(
      () => ({ control: information(0, 1), information: LLC_AARE }),
      (octets) => octets.with(octets.length - 2, (octets.at(-2) ?? 0) ^ 1),
    ),
    expected: "LINK_NO_ANSWER",
  },
  {
    name: "a send number that was not due",
    malice: answering(() => ({ control: information(5, 1), information: LLC_AARE })),
    expected: "LINK_NO_ANSWER",
  },
  {
    name: "an acknowledgement of frames that were never sent",
    malice: answering(() => ({ control: information(0, 6), information: LLC_AARE })),
    expected: "LINK_SEQUENCE",
  },
  {
    name: "segments without end",
    malice: answering((_asked, turn) => ({
      control: information((turn - 1) % 8, 1),
      segmented: true,
      information: new Uint8Array(2000).fill(0xe6),
    })),
    expected: "LENGTH_OVER_LIMIT",
  },
  {
    name: "a length that is never reached",
    malice: (socket, _request, turn) => socket.write(turn === 0 ? UA : fromHex("7ea7ff2103")),
    expected: "LINK_NO_ANSWER",
  },
  {
    name: "flags and nothing else",
    malice: (socket) => socket.write(new Uint8Array(1_000_000).fill(0x7e)),
    expected: "LINK_NO_ANSWER",
  },
];

test.for(HDLC_SERVERS)("hostile server, HDLC: $name", async ({ malice, expected }) => {
  const port = await hostileServer(malice);
  expect(await bounded(() => visit(port, hdlcLink(), 3000))).toBe(expected);
});

/** Our server machine on a socket, for any number of clients. */
async function ownServer(): Promise<number> {
  const listener = await TcpListener.listen({ host: "127.0.0.1", port: 0 }, (channel) => {
    const session = new ServerSession({
      link: new WrapperLink({ role: "server" }),
      serverSap: 1,
      associationServer: () => serve({ ...OPEN_RULE, conformance: CONFORMANCE }).server,
    });
    const pump: Pump<ServerSessionCommand, ServerSessionEvent> = new Pump(
      session,
      channel,
      {
        event: () => undefined,
        closed: () => undefined,
        fault: (error) => faults.push(error),
      },
      { ended: { type: "channelEnded" } },
    );
    pump.start();
    pump.command({ type: "open" });
  });
  closing.push(() => listener.close());
  return listener.address.port;
}

const faults: unknown[] = [];

/** A client of raw octets; all that came back is counted. */
async function attack(port: number, send: (socket: Socket) => Promise<void>): Promise<number> {
  const socket = connect(port, "127.0.0.1");
  let heard = 0;
  socket.on("data", (octets) => {
    heard += octets.length;
  });
  socket.on("error", () => socket.destroy());
  closing.push(() => socket.destroy());
  await new Promise<void>((resolve) => void socket.once("connect", resolve));
  await send(socket);
  return heard;
}

function asked(apdu: Uint8Array): Uint8Array {
  return encodeWrapper({ sourceWPort: 16, destinationWPort: 1, apdu });
}

/** Waits until what was written has gone to the other side. */
function written(socket: Socket, octets: Uint8Array): Promise<void> {
  return new Promise((resolve) => void socket.write(octets, () => resolve()));
}

function setBlock(number: number): Uint8Array {
  const octets = new Uint8Array(12 + 20_000);
  const view = new DataView(octets.buffer);
  octets.set([0xc1, 3, 0xc1, 0]);
  view.setUint32(4, number);
  octets[8] = 0x82;
  view.setUint16(9, 20_000);
  return octets.subarray(0, 11 + 20_000);
}

const FIRST_SET_BLOCK = fromHex("c102c10008 0000010000ff 02 00 00 00000001 04 01020304".replaceAll(" ", ""));

const CLIENTS: readonly { readonly name: string; readonly send: (socket: Socket) => Promise<void> }[] = [
  {
    name: "a SET in blocks without end",
    async send(socket) {
      await written(socket, asked(AARQ));
      await written(socket, asked(FIRST_SET_BLOCK));
      for (let number = 2; number < 400 && !socket.destroyed; number++) await written(socket, asked(setBlock(number)));
    },
  },
  {
    name: "a general block transfer without end",
    async send(socket) {
      await written(socket, asked(AARQ));
      for (let number = 1; number < 400 && !socket.destroyed; number++)
        await written(socket, asked(generalBlock(number, 0, 0x41).subarray(HEADER)));
    },
  },
  {
    name: "ten thousand structures in one another",
    async send(socket) {
      await written(socket, asked(AARQ));
      await written(socket, asked(Uint8Array.of(...fromHex("c101c100080000010000ff0200"), ...nested)));
    },
  },
  {
    name: "five thousand AARQs",
    async send(socket) {
      for (let i = 0; i < 5000 && !socket.destroyed; i++) await written(socket, asked(AARQ));
    },
  },
  {
    name: "a thousand clients on one connection",
    async send(socket) {
      for (let sap = 1; sap <= 1000 && !socket.destroyed; sap++)
        await written(socket, encodeWrapper({ sourceWPort: sap, destinationWPort: 1, apdu: AARQ }));
    },
  },
  { name: "noise of eight megaoctets", send: (socket) => written(socket, new Uint8Array(8 << 20).fill(0x5a)) },
  { name: "the half of a unit, and then nothing", send: (socket) => written(socket, asked(AARQ).subarray(0, 20)) },
];

test.for(CLIENTS)("hostile client: $name; others are served all the same", async ({ send }) => {
  const port = await ownServer();
  await bounded(async () => {
    await attack(port, send);
    expect(await visit(port, wrapperLink())).toBe("get");
  });
  expect(faults).toEqual([]);
});

test("hostile client: two hundred connections that say nothing; others are served all the same", async () => {
  const port = await ownServer();
  await bounded(async () => {
    for (let i = 0; i < 200; i++) await attack(port, async () => undefined);
    expect(await visit(port, wrapperLink())).toBe("get");
  });
});
