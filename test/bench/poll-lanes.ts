/** Polls that go on beside something else: round trips over connections, in the lanes of the poll loop. */
import { once } from "node:events";
import { connect } from "node:net";
import { Worker } from "node:worker_threads";
import { UTC } from "../../protocol/cosem/time-zone.ts";
import { PollLoop } from "../../src/collect/poll-loop.ts";

const METERS = 200;
const EVERY_MS = 2000;
/** Requests of a small poll. */
const ROUND_TRIPS = 10;
const OCTETS = 200;

export interface PollLanes extends AsyncDisposable {
  /** In words: how long polls waited and ran since the last report. */
  report(): string;
}

export async function startPollLanes(): Promise<PollLanes> {
  const worker = new Worker(new URL("echo-worker.ts", import.meta.url));
  const [port] = (await once(worker, "message")) as [number];
  let tookMs: number[] = [];
  const loop = new PollLoop<string>({
    meters: Array.from({ length: METERS }, (_, index) => `m${index}`),
    nameOf: (meter) => meter,
    zoneOf: () => UTC,
    plansOf: () => PLANS,
    concurrency: 64,
    startsPerSecond: 1000,
    poll: async () => {
      const begun = performance.now();
      await roundTrips(port);
      tookMs.push(performance.now() - begun);
      return { answered: true, more: [] };
    },
  });
  loop.start();
  return {
    report: () => {
      const sorted = tookMs.toSorted((a, b) => a - b);
      tookMs = [];
      const part = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
      return `${sorted.length} polls, p50 ${part(0.5)} ms, p95 ${part(0.95)} ms, p99 ${part(0.99)} ms`;
    },
    [Symbol.asyncDispose]: async () => {
      await loop.stop();
      await worker.terminate();
    },
  };
}

const PLANS = [{ profile: "instant", everyMs: EVERY_MS, deadlineMs: EVERY_MS }] as const;

async function roundTrips(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const request = new Uint8Array(OCTETS);
  for (let trip = 0; trip < ROUND_TRIPS; trip++) {
    socket.write(request);
    for (let got = 0; got < OCTETS; ) {
      const [octets] = (await once(socket, "data")) as [Uint8Array];
      got += octets.length;
    }
  }
  socket.destroy();
}
