/** Clients that break the rules on purpose, over real sockets: an error with a name, in bounded time and memory. */
import { connect, type Socket } from "node:net";
import { expect, test } from "vitest";
import { Pump } from "../../drivers/pump.ts";
import { TcpListener } from "../../drivers/tcp/listener.ts";
import {
  ServerSession,
  type ServerSessionCommand,
  type ServerSessionEvent,
} from "../../protocol/association/server/server-session.ts";
import { fromHex } from "../../protocol/bytes/hex.ts";
import { encodeWrapper } from "../../protocol/link/wrapper.ts";
import { WrapperLink } from "../../protocol/link/wrapper-link.ts";
import { OPEN_RULE } from "../protocol/association/server-fixture.ts";
import { serve } from "../protocol/association/variants.ts";
import {
  asked,
  bounded,
  CONFORMANCE,
  closing,
  generalBlock,
  HEADER,
  nested,
  visit,
  wrapperLink,
} from "./hostile-octets.ts";

const AARQ = fromHex("601da109060760857405080101be10040e01000000065f1f0400207e1fffff");

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
