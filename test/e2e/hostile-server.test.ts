/** Servers that break the rules on purpose, over real sockets: an error with a name, in bounded time and memory. */
import { createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { fromHex } from "../../protocol/bytes/hex.ts";
import { hdlcAddress } from "../../protocol/link/hdlc/address.ts";
import { HdlcClient } from "../../protocol/link/hdlc/client.ts";
import { decodeHdlcFrame, encodeHdlcFrame, type HdlcFrame } from "../../protocol/link/hdlc/frame.ts";
import type { Link } from "../../protocol/link/link.ts";
import {
  block,
  bounded,
  closing,
  generalBlock,
  HEADER,
  invokeOf,
  nested,
  visit,
  wrapped,
  wrapperLink,
} from "./hostile-octets.ts";

const AARE = fromHex("6129a109060760857405080101a203020100a305a103020100be10040e0800065f1f0400207e1fffff0007");

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

/** Accepts the association, then does what it likes. */
function afterAssociation(then: Malice): Malice {
  return (socket, request, turn) => {
    return turn === 0 ? socket.write(wrapped(AARE)) : then(socket, request.subarray(HEADER), turn);
  };
}

function hdlcLink(): Link {
  return new HdlcClient({ clientSap: 16, server: hdlcAddress(1), responseTimeoutMs: 1000 });
}

function getResponse(request: Uint8Array, data: Uint8Array): Uint8Array {
  return wrapped(Uint8Array.of(0xc4, 1, invokeOf(request), 0, ...data));
}

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
  // Where the time is not what ends it, a machine that stands still for a while must not end it either.
  const responseTimeoutMs = expected === "SERVICE_UNANSWERED" ? 1000 : 5000;
  expect(await bounded(() => visit(port, wrapperLink(), responseTimeoutMs))).toBe(expected);
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
  expect(await bounded(() => visit(port, hdlcLink(), 20_000))).toBe(expected);
});
