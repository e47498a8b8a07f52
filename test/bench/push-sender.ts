/** A worker that sends frames it was given, as fast as they are taken: over TCP, or in datagrams within a window. */
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { workerData } from "node:worker_threads";

export interface SenderOrder {
  readonly transport: "tcp" | "udp";
  readonly port: number;
  /** One list of frames for each connection, or socket. */
  readonly lines: readonly (readonly Uint8Array[])[];
  /** How many pushes the receiver is through with: nobody else tells a sender of datagrams to wait. */
  readonly through: Int32Array;
}

/** Frames in one write: a concentrator sends what it has gathered. */
const AT_ONCE = 20;
/** Datagrams on their way at most: what the receiver's socket can hold. */
const WINDOW = 1500;

async function sendStream(port: number, frames: readonly Uint8Array[]): Promise<void> {
  const socket = connect({ port, host: "127.0.0.1" });
  for (let at = 0; at < frames.length; at += AT_ONCE) {
    const more = socket.write(Buffer.concat(frames.slice(at, at + AT_ONCE)));
    if (!more) await new Promise((resolve) => socket.once("drain", resolve));
  }
  await new Promise<void>((resolve) => socket.end(() => resolve()));
}

async function sendDatagrams({ port, lines, through }: SenderOrder): Promise<void> {
  const sockets = lines.map((frames) => ({ socket: createSocket("udp4"), frames }));
  const most = Math.max(...lines.map((frames) => frames.length));
  let sent = 0;
  for (let at = 0; at < most; at++) {
    while (sent - Atomics.load(through, 0) > WINDOW) await sleep(1);
    for (const { socket, frames } of sockets) {
      const frame = frames[at];
      if (frame === undefined) continue;
      sent += 1;
      await new Promise<void>((resolve) => socket.send(frame, port, "127.0.0.1", () => resolve()));
    }
  }
  for (const { socket } of sockets) socket.close();
}

const order = workerData as SenderOrder;
if (order.transport === "udp") await sendDatagrams(order);
else await Promise.all(order.lines.map((frames) => sendStream(order.port, frames)));
