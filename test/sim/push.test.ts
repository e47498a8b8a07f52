import { createSocket } from "node:dgram";
import { expect, test } from "vitest";
import { TcpListener } from "../../drivers/tcp/listener.ts";
import { decodeApdu } from "../../protocol/apdu/apdu.ts";
import { fromHex } from "../../protocol/bytes/hex.ts";
import { logicalNameToOctets } from "../../protocol/cosem/obis.ts";
import { decodeWrapper } from "../../protocol/link/wrapper.ts";
import { PUSHES } from "../../src/simulator/models/is15959.ts";
import { startStreet } from "../../src/simulator/street.ts";
import { visit } from "./visitor.ts";

/** A listener that gathers what one connection sends until it ends. */
async function gather() {
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  const listener = await TcpListener.listen({ host: "127.0.0.1", port: 0 }, (channel) => {
    const pieces: Uint8Array[] = [];
    channel.start({
      bytes: (bytes) => pieces.push(Uint8Array.from(bytes)),
      closed: () => resolve(fromHex(pieces.map((piece) => Buffer.from(piece).toString("hex")).join(""))),
    });
  });
  return { listener, received: promise, [Symbol.asyncDispose]: () => listener.close() };
}

test("push: a meter of the street pushes over TCP, ciphered as its association is", async () => {
  await using street = await startStreet({ count: 6 });
  await using pushes = await gather();
  await street.push("d1-01", PUSHES.instant, { ...pushes.listener.address, transport: "tcp" });
  const pdu = decodeWrapper(await pushes.received);
  expect([pdu.sourceWPort, pdu.destinationWPort]).toEqual([1, 64]);
  expect(pdu.apdu[0]).toBe(0xdb);
});

test("push: a plain push goes in one datagram over UDP", async () => {
  await using street = await startStreet({ count: 6 });
  const socket = createSocket("udp4");
  const datagram = new Promise<Uint8Array>((resolve) =>
    socket.once("message", (message) => resolve(new Uint8Array(message))),
  );
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", () => resolve()));
  await street.push("d1-06", PUSHES.daily, { host: "127.0.0.1", port: socket.address().port, transport: "udp" });
  expect(decodeApdu(decodeWrapper(await datagram).apdu)).toMatchObject({ apdu: "data-notification" });
  socket.close();
});

test("push: a client sets the destination and has the push sent", async () => {
  await using street = await startStreet({ count: 1 });
  await using pushes = await gather();
  const [meter] = street.meters;
  if (meter === undefined) throw new Error("an empty street");
  const visitor = await visit(meter);
  const destination = new TextEncoder().encode(`127.0.0.1:${pushes.listener.address.port}`);
  const setup = { classId: 40, logicalName: logicalNameToOctets(PUSHES.alert) };
  const value = {
    type: "structure",
    value: [
      { type: "enum", value: 0 },
      { type: "octet-string", value: destination },
      { type: "enum", value: 0 },
    ],
  } as const;
  expect(await visitor.ask({ type: "set", attribute: { ...setup, attributeId: 3 }, value })).toMatchObject({
    result: "success",
  });
  const method = { ...setup, methodId: 1 };
  const parameters = { type: "integer", value: 0 } as const;
  expect(await visitor.ask({ type: "action", method, parameters })).toMatchObject({ outcome: { result: "success" } });
  await visitor.leave();
  expect(decodeWrapper(await pushes.received).apdu[0]).toBe(0xdb);
});
