/** Meters whose way loses frames and datagrams, over real sockets: the reading arrives all the same, and only once. */
import { createSocket } from "node:dgram";
import { expect, test } from "vitest";
import type { ByteChannel } from "../../drivers/channel.ts";
import { Pump } from "../../drivers/pump.ts";
import { TcpListener } from "../../drivers/tcp/listener.ts";
import { AssociationServer } from "../../protocol/association/server/server.ts";
import type { Data } from "../../protocol/axdr/data.ts";
import { toHex } from "../../protocol/bytes/hex.ts";
import { decodeHdlcFrame } from "../../protocol/link/hdlc/frame.ts";
import { HdlcServer } from "../../protocol/link/hdlc/server.ts";
import type { Link } from "../../protocol/link/link.ts";
import { decodeWrapper } from "../../protocol/link/wrapper.ts";
import { WrapperLink } from "../../protocol/link/wrapper-link.ts";
import { visitMeter } from "../../src/collect/session/meter-session.ts";
import { meterTarget } from "../../src/collect/session/meter-target.ts";
import { meterSchema } from "../../src/config/schema.ts";
import { ServedLink } from "../protocol/association/served-link.ts";
import { CLOCK, FixtureObjects, OPEN_RULE } from "../protocol/association/server-fixture.ts";

const clock = { attribute: { classId: 8, logicalName: CLOCK, attributeId: 2 } };
const LONG: Data = { type: "octet-string", value: Uint8Array.from({ length: 5000 }, (_, index) => index) };

function served(link: Link, onRequest: () => void): ServedLink {
  const objects = new FixtureObjects();
  objects.values.set(FixtureObjects.key(8, CLOCK, 2), LONG);
  const get = objects.get;
  objects.get = (...order) => {
    onRequest();
    return get(...order);
  };
  const server = (clientSap: number) =>
    new AssociationServer({
      clientSap,
      serverSap: 1,
      rule: () => OPEN_RULE,
      objects,
      randomOctets: (length) => new Uint8Array(length),
    });
  return new ServedLink(link, server);
}

/** The channel without the writes that `lost` takes away. */
function lossy(channel: ByteChannel, lost: (octets: Uint8Array) => boolean): ByteChannel {
  return {
    name: channel.name,
    start: (sink) => channel.start(sink),
    write: (octets) => {
      if (!lost(octets)) channel.write(octets);
    },
    close: () => channel.close(),
  };
}

const noKeys = () => Promise.reject(new Error("no keys"));

async function readClock(connection: object): Promise<unknown> {
  const config = meterSchema.parse({ name: "m", number: "1", connection });
  const target = meterTarget(config, { leaseCounters: noKeys, openStoredKey: noKeys });
  return visitMeter(target, { budgetMs: 30_000 }, (meter) => meter.get(clock));
}

test("hdlc over TCP: a frame that is lost, either way, is asked for again before the answer is given up", async () => {
  let requests = 0;
  const written: string[] = [];
  // The answer's second and the acknowledging frame's successor never arrive.
  const losses = new Set([4, 7]);
  await using listener = await TcpListener.listen({ host: "127.0.0.1", port: 0 }, (channel) => {
    const meter = served(new HdlcServer({ logicalDevices: [1] }), () => requests++);
    const wire = lossy(channel, (octets) => {
      written.push(decodeHdlcFrame(octets)?.frame.control.type ?? toHex(octets));
      return losses.has(written.length);
    });
    new Pump(meter, wire, { event: () => {}, closed: () => {} }, { ended: { type: "channelEnded" } }).start();
  });
  const tcp = `127.0.0.1:${listener.address.port}`;
  const hdlc = { frameTimeout: "1s" };
  expect(await readClock({ tcp, link: "hdlc", hdlc, responseTimeout: "15s" })).toEqual({ type: "data", data: LONG });
  expect(requests).toBe(1);
  expect(written.slice(3, 8).filter((type) => type === "I").length).toBeGreaterThan(2);
});

test("wrapper over UDP: a datagram that is lost, either way, is made up for by asking again", async () => {
  let requests = 0;
  let received = 0;
  let sent = 0;
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const meter = served(new WrapperLink({ role: "server", datagrams: true }), () => requests++);
  const heard: number[] = [];
  socket.on("message", (message, from) => {
    heard.push(decodeWrapper(message).apdu[0] ?? 0);
    received++;
    // Two AARQs are the first, the first GET is lost on its way there.
    if (received === 3) return;
    meter.receive(new Uint8Array(message), 0);
    for (let octets = meter.takeBytes(); octets; octets = meter.takeBytes()) {
      sent++;
      // The first AARE and the first block of the answer are lost on their way back.
      if (sent !== 1 && sent !== 3) socket.send(octets, from.port, from.address);
    }
  });
  const udp = `127.0.0.1:${socket.address().port}`;
  expect(await readClock({ udp, responseTimeout: "3s" })).toEqual({ type: "data", data: LONG });
  expect(heard.slice(0, 5)).toEqual([0x60, 0x60, 0xc0, 0xc0, 0xc0]);
  expect(requests).toBe(2);
  await new Promise<void>((resolve) => socket.close(() => resolve()));
});

test("wrapper over UDP: a port where nobody listens is told as such", async () => {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  await expect(readClock({ udp: `127.0.0.1:${port}`, responseTimeout: "5s" })).rejects.toMatchObject({
    cause: { code: "CHANNEL_REFUSED" },
  });
});
