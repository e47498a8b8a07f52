import { createSocket } from "node:dgram";
import { once } from "node:events";
import { expect, test, vi } from "vitest";
import { UdpChannel } from "../../drivers/udp/channel.ts";

/** A datagram socket of a peer that only is there. */
async function peer() {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    socket,
    address: { host: "127.0.0.1", port: socket.address().port },
    [Symbol.dispose]: () => socket.close(),
  };
}

test("udp channel: one that was closed before anybody listens tells its end once", async () => {
  using far = await peer();
  const channel = await UdpChannel.connect(far.address);
  channel.close();
  const closed = vi.fn<(cause?: Error) => void>();
  channel.start({ bytes: () => {}, closed });
  await expect.poll(() => closed).toHaveBeenCalled();
  await new Promise((resolve) => setImmediate(resolve));
  expect(closed.mock.calls).toEqual([[undefined]]);
});

test("udp channel: what comes before anybody listens is kept, within bounds", async () => {
  using far = await peer();
  const channel = await UdpChannel.connect(far.address);
  const heard = once(far.socket, "message");
  channel.write(Uint8Array.of(0));
  const [, from] = await heard;
  for (let count = 0; count < 200; count++) far.socket.send(Uint8Array.of(count), from.port, from.address);
  const early: number[] = [];
  const last = Promise.withResolvers<void>();
  await expect.poll(() => channel.held).toBe(64);
  channel.start({ bytes: ([octet = 0]) => early.push(octet), closed: () => last.resolve() });
  expect(early).toEqual(Array.from({ length: 64 }, (_, index) => index));
  channel.close();
  await last.promise;
});
