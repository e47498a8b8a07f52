/** A worker that sends last gasps at a steady rate from several sockets, however the receiver fares. */
import { createSocket } from "node:dgram";
import { setTimeout as sleep } from "node:timers/promises";
import { workerData } from "node:worker_threads";

export interface StormOrder {
  readonly port: number;
  readonly datagrams: readonly Uint8Array[];
  readonly perSecond: number;
}

const SOCKETS = 8;
const { port, datagrams, perSecond } = workerData as StormOrder;
const sockets = Array.from({ length: SOCKETS }, () => createSocket("udp4"));
const begun = performance.now();
for (let at = 0; at < datagrams.length; ) {
  const due = Math.min(datagrams.length, Math.floor(((performance.now() - begun) * perSecond) / 1000));
  const sent: Promise<void>[] = [];
  for (; at < due; at++) {
    const datagram = datagrams[at];
    const socket = sockets[at % SOCKETS];
    if (datagram === undefined || socket === undefined) continue;
    sent.push(new Promise((resolve) => socket.send(datagram, port, "127.0.0.1", () => resolve())));
  }
  await Promise.all(sent);
  await sleep(1);
}
for (const socket of sockets) socket.close();
