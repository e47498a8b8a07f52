import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ByteChannel } from "../../drivers/channel.ts";
import { RecordingFile } from "../../drivers/recording/file.ts";
import { parseRecording } from "../../drivers/recording/recording.ts";
import { RecordingTee } from "../../drivers/recording/tee.ts";
import type { TcpChannel } from "../../drivers/tcp/channel.ts";
import { connectTcp } from "../../drivers/tcp/connect.ts";
import { TcpListener } from "../../drivers/tcp/listener.ts";
import { UdpReceiver } from "../../drivers/udp/receiver.ts";
import { sendDatagram } from "../../drivers/udp/send.ts";

const LOOPBACK = { host: "127.0.0.1", port: 0 };

/** Collects what a channel delivers; `until` resolves when that many octets are there. */
function collect(channel: ByteChannel) {
  const octets: number[] = [];
  const closed = Promise.withResolvers<Error | undefined>();
  let wake: (() => void) | undefined;
  channel.start({
    bytes(bytes) {
      octets.push(...bytes);
      wake?.();
    },
    closed: closed.resolve,
  });
  const until = async (count: number) => {
    while (octets.length < count) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return Uint8Array.from(octets);
  };
  return { octets, closed: closed.promise, until };
}

async function pair(listenerOptions = {}, connectOptions = {}) {
  const accepted = Promise.withResolvers<TcpChannel>();
  const listener = await TcpListener.listen(LOOPBACK, accepted.resolve, listenerOptions);
  const client = await connectTcp(listener.address, connectOptions);
  return { listener, client, server: await accepted.promise };
}

test("tcp: what comes with the end is delivered before it", async () => {
  const { listener, client, server } = await pair();
  await using _ = listener;
  const [atServer, atClient] = [collect(server), collect(client)];
  client.write(Uint8Array.of(1));
  await atServer.until(1);
  server.write(Uint8Array.of(2));
  server.finish();
  await atClient.closed;
  expect(atClient.octets).toEqual([2]);
});

test("tcp: what is written before the close goes out, in its order", async () => {
  const { listener, client, server } = await pair();
  await using _ = listener;
  const atServer = collect(server);
  collect(client);
  for (let octet = 0; octet < 3; octet++) client.write(Uint8Array.of(octet));
  client.close();
  await atServer.closed;
  expect(atServer.octets).toEqual([0, 1, 2]);
});

test("tcp: octets pass both ways and the end is told on both sides, once", async () => {
  const { listener, client, server } = await pair();
  await using _ = listener;
  // Sent before anybody listens at the other end.
  client.write(Uint8Array.of(1, 2, 3));
  await new Promise((resolve) => setTimeout(resolve, 20));
  const atServer = collect(server);
  const atClient = collect(client);
  expect(await atServer.until(3)).toEqual(Uint8Array.of(1, 2, 3));
  server.write(Uint8Array.of(4));
  expect(await atClient.until(1)).toEqual(Uint8Array.of(4));
  expect(client.name).toBe(`tcp 127.0.0.1:${listener.address.port}`);
  client.write(Uint8Array.of(5));
  client.close();
  client.write(Uint8Array.of(6));
  expect(await atClient.closed).toBeUndefined();
  expect(await atServer.closed).toBeUndefined();
  expect(atServer.octets).toEqual([1, 2, 3, 5]);
});

test("tcp: a refused port and an unknown name are told apart", async () => {
  const listener = await TcpListener.listen(LOOPBACK, () => {});
  await listener.close();
  await expect(connectTcp(listener.address)).rejects.toMatchObject({ code: "CHANNEL_REFUSED" });
  await expect(connectTcp({ host: "no-such-host.invalid", port: 1 })).rejects.toMatchObject({
    code: "CHANNEL_NAME_UNKNOWN",
  });
});

/** Listens and then never takes a connection: when the backlog is full, the kernel leaves callers without answer. */
const DEAF_SERVER = `
  const server = require("node:net").createServer().listen({ host: "127.0.0.1", port: 0, backlog: 1 }, () => {
    require("node:fs").writeSync(1, String(server.address().port) + "\\n");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30000);
  });`;

test("tcp: a host that stays silent is CHANNEL_NO_ANSWER after the time allowed", async () => {
  const deaf = spawn(process.execPath, ["-e", DEAF_SERVER], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const port = await new Promise<number>((resolve) => deaf.stdout.once("data", (text) => resolve(Number(text))));
    const attempts = Array.from({ length: 6 }, () =>
      connectTcp({ host: "127.0.0.1", port }, { connectTimeoutMs: 300 }),
    );
    const outcomes = await Promise.allSettled(attempts);
    const failures = outcomes.filter((outcome) => outcome.status === "rejected");
    expect(failures.length).toBeGreaterThan(0);
    for (const failure of failures) {
      expect(failure.reason).toMatchObject({
        code: "CHANNEL_NO_ANSWER",
        at: { host: "127.0.0.1", port, afterMs: 300 },
      });
    }
    for (const outcome of outcomes) if (outcome.status === "fulfilled") outcome.value.close();
  } finally {
    deaf.kill();
  }
});

test("tcp: an aborted connect ends at once and leaves no listener on the signal", async () => {
  const controller = new AbortController();
  const pending = connectTcp({ host: "192.0.2.1", port: 4059 }, { signal: controller.signal });
  controller.abort(new Error("shutdown"));
  await expect(pending).rejects.toMatchObject({ code: expect.stringMatching(/^CHANNEL_(ABORTED|UNREACHABLE)$/) });
  await expect(connectTcp({ host: "127.0.0.1", port: 1 }, { signal: controller.signal })).rejects.toMatchObject({
    code: "CHANNEL_ABORTED",
  });
});

test("tcp: a peer that resets is told as CHANNEL_RESET", async () => {
  const server = createServer((socket) => void setTimeout(() => socket.resetAndDestroy(), 10));
  await new Promise<void>((resolve) => server.listen(LOOPBACK, resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const client = await connectTcp({ host: "127.0.0.1", port: address.port });
  // The reset comes before anybody listens.
  await new Promise((resolve) => setTimeout(resolve, 40));
  expect(await collect(client).closed).toMatchObject({ code: "CHANNEL_RESET" });
  server.close();
});

test("tcp: a peer that takes no octets ends in CHANNEL_WRITE_OVERFLOW, not in memory", async () => {
  const { listener, client } = await pair({}, { writeQueueLimit: 100_000 });
  await using _ = listener;
  const { closed } = collect(client);
  const piece = new Uint8Array(1_000_000);
  for (let i = 0; i < 100; i++) client.write(piece);
  expect(await closed).toMatchObject({ code: "CHANNEL_WRITE_OVERFLOW" });
});

test("tcp: a closed channel is torn down although the peer keeps its side open", async () => {
  const server = createServer({ allowHalfOpen: true }, (socket) => void socket.resume().on("error", () => {}));
  await new Promise<void>((resolve) => server.listen(LOOPBACK, resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const client = await connectTcp({ host: "127.0.0.1", port: address.port }, { lingerMs: 50 });
  const { closed } = collect(client);
  client.close();
  expect(await closed).toBeUndefined();
  server.close();
});

test("tcp: a finished channel still hears what the peer has said", async () => {
  const { listener, client, server } = await pair({ lingerMs: 10_000 });
  await using _ = listener;
  const atServer = collect(server);
  client.write(Uint8Array.of(1, 2));
  server.finish();
  server.write(Uint8Array.of(9));
  expect(await atServer.until(2)).toEqual(Uint8Array.of(1, 2));
  client.close();
  expect(await atServer.closed).toBeUndefined();
});

test("tcp: a paused channel delivers nothing until it goes on", async () => {
  const { listener, client, server } = await pair();
  await using _ = listener;
  const atServer = collect(server);
  server.pause();
  client.write(Uint8Array.of(1, 2, 3));
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(atServer.octets).toEqual([]);
  server.resume();
  expect(await atServer.until(3)).toEqual(Uint8Array.of(1, 2, 3));
  client.close();
  await atServer.closed;
});

test("udp: datagrams come with their sender, who can be answered; a taken port is named", async () => {
  const { promise, resolve } = Promise.withResolvers<[Uint8Array, { host: string; port: number }]>();
  await using receiver = await UdpReceiver.bind(LOOPBACK, (octets, peer) => resolve([octets, peer]));
  await expect(UdpReceiver.bind(receiver.address, () => undefined)).rejects.toMatchObject({ name: "ChannelError" });
  const answer = Promise.withResolvers<Uint8Array>();
  await using meter = await UdpReceiver.bind(LOOPBACK, (octets) => answer.resolve(octets));
  meter.send(Uint8Array.of(1, 2), receiver.address);
  const [octets, peer] = await promise;
  expect([octets, peer]).toEqual([Uint8Array.of(1, 2), meter.address]);
  receiver.send(Uint8Array.of(3), peer);
  expect(await answer.promise).toEqual(Uint8Array.of(3));
});

test("udp: a handler that throws is told, and the next datagram comes", async () => {
  const faults: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  await using receiver = await UdpReceiver.bind(
    LOOPBACK,
    ([first]) => {
      if (first === 1) throw new Error("stumbled");
      resolve();
    },
    { onError: (error) => faults.push(error.message) },
  );
  await sendDatagram(receiver.address, Uint8Array.of(1));
  await sendDatagram(receiver.address, Uint8Array.of(2));
  await promise;
  expect(faults).toEqual(["stumbled"]);
  await receiver.close();
  receiver.send(Uint8Array.of(1), LOOPBACK);
});

test("tcp: a handler that throws costs its own connection only", async () => {
  const errors: string[] = [];
  let count = 0;
  const listener = await TcpListener.listen(
    LOOPBACK,
    (channel) => {
      count++;
      if (count === 1) throw new Error("first");
      channel.start({ bytes: (bytes) => channel.write(bytes), closed: () => {} });
    },
    { onError: (error) => errors.push(error.message) },
  );
  await using _ = listener;
  await collect(await connectTcp(listener.address)).closed;
  const second = await connectTcp(listener.address);
  second.write(Uint8Array.of(7));
  expect(await collect(second).until(1)).toEqual(Uint8Array.of(7));
  expect(errors).toEqual(["first"]);
  expect(listener.connectionCount).toBe(1);
});

test("tcp: a connection over the limit is closed, and a taken port is named", async () => {
  const listener = await TcpListener.listen(
    LOOPBACK,
    (channel) => channel.start({ bytes: () => {}, closed: () => {} }),
    {
      connectionLimit: 1,
    },
  );
  await using _ = listener;
  const first = collect(await connectTcp(listener.address));
  await collect(await connectTcp(listener.address)).closed;
  expect(listener.connectionCount).toBe(1);
  await expect(TcpListener.listen(listener.address, () => {})).rejects.toMatchObject({ code: "CHANNEL_LOCAL_LIMIT" });
  await listener.close();
  await first.closed;
});

test("recording file: a real session is in the file, readable by its owner only, and is not overwritten", async () => {
  const directory = await mkdtemp(join(tmpdir(), "recording-"));
  const path = join(directory, "session.jsonl");
  const { listener, client, server } = await pair();
  await using _ = listener;
  const file = new RecordingFile(path);
  const tee = new RecordingTee(client, {
    header: { peer: "echo", version: "1", command: "test" },
    writeLine: file.writeLine,
  });
  const atServer = collect(server);
  const atClient = collect(tee);
  tee.write(Uint8Array.of(1, 2));
  await atServer.until(2);
  server.write(Uint8Array.of(3));
  await atClient.until(1);
  server.close();
  await atClient.closed;
  await file.close();
  expect(file.error).toBeUndefined();
  const recording = parseRecording(await readFile(path, "utf8"));
  expect(recording.entries.map((entry) => entry.dir)).toEqual(["tx", "rx", "end"]);
  const again = new RecordingFile(path);
  await again.close();
  expect(again.error).toMatchObject({ code: "EEXIST" });
  await rm(directory, { recursive: true });
});
