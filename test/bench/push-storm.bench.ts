/** A feeder goes dark: last gasps of a hundred thousand meters within ten seconds, until all are durable. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { tcpAddress } from "../../drivers/tcp/address.ts";
import { encodeApdu } from "../../protocol/apdu/apdu.ts";
import type { Data } from "../../protocol/axdr/data.ts";
import { logicalNameToOctets } from "../../protocol/cosem/obis.ts";
import { encodeWrapper } from "../../protocol/link/wrapper.ts";
import { streetConfiguration } from "../../src/cli/demo/demo-street.ts";
import { configSchema } from "../../src/config/schema.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import type { GatewayEvent } from "../../src/observe/events.ts";
import type { StreetMeter } from "../../src/simulator/street.ts";
import type { Database } from "../../src/store/database/database.ts";
import type { Bench } from "./bench.ts";
import { embeddedDatabase } from "./bench-database.ts";
import { kernelDrops } from "./load/kernel-drops.ts";
import { Spawned } from "./load/spawned.ts";
import type { StormOrder } from "./storm-sender.ts";

const FULL = { meters: 100_000, perSecond: 10_000 };
const POLLED = 60;
const POLL_EVERY = "2s";
const LATENCY_MS = 20;
const WARM_VISITS = 4;
const QUIET_MS = 15_000;
/** Longer than the spool waits for a database that is at work, before it gives it the next of what it holds. */
const SETTLE_MS = 30_000;
const SETTLED_LOOK_MS = 500;
const LAST_GASP = 85;
const WORD_OCTETS = 16;
const MEBIBYTE = 1024 * 1024;
const NS_PER_MS = 1e6;

export const bench: Bench = {
  compares: `IS 15959 alerts with the last-gasp bit, one of each of ${FULL.meters} meters, sent within 10 s from loopback to the UDP listener of a whole gateway until each is a row of the history, with its values, a reading and an event, against the number that the socket delivered; meanwhile ${POLLED} simulated meters, a process of their own that takes ${LATENCY_MS} ms for each answer, are polled every ${POLL_EVERY}`,
  unfair: "sender, meters, gateway and database share this machine's cores; the last gasps are not ciphered",
  async run({ timeMs }) {
    const isQuick = timeMs < 1000;
    const meters = isQuick ? 2000 : FULL.meters;
    await using stack = new AsyncDisposableStack();
    const storm = await startStorm(meters, stack);
    const { gateway, told, port } = storm;
    gateway.run();
    // The first visits ask for much that later ones know.
    while (told.polledMs.length < WARM_VISITS * POLLED) await sleep(100);
    const loop = monitorEventLoopDelay({ resolution: 1 });
    loop.enable();
    told.polledMs = [];
    await sleep(isQuick ? 500 : QUIET_MS);
    const quiet = { polls: told.polledMs, loopMs: loop.percentile(99) / NS_PER_MS };
    told.polledMs = [];
    loop.reset();
    const { seconds, waitingMost, memoryMost, memoryBefore } = await blow(storm);
    const stormy = { polls: told.polledMs, loopMs: loop.percentile(99) / NS_PER_MS };
    told.polledMs = [];
    const lost = await kernelDrops(port);
    await settled(gateway, meters - lost);
    const [row] = await gateway.database.query<{ rows: bigint; meters: bigint; events: bigint }>(
      `select (select count(*) from dlms.push_history) as rows, (select count(distinct meter_id) from dlms.push_history) as meters,
         (select count(*) from public.meter_events e join public.meters m on m.id = e.meter_id where m.name like 'gasp-%') as events`,
    );
    return {
      facts: [
        `sent ${meters}, not delivered by the socket ${lost}, rows ${row?.rows}, meters ${row?.meters}, events ${row?.events}, rejected ${told.rejected}, dropped ${told.dropped}, spool taken to ${told.spooled} times`,
        `most waiting ${waitingMost}, memory +${Math.round((memoryMost - memoryBefore) / MEBIBYTE)} MiB, ${seconds.toFixed(1)} s until all was durable`,
        `polls without the storm: ${wordsOf(quiet)}`,
        `polls in the storm: ${wordsOf(stormy)}`,
      ],
      rows: [{ task: "last gasps to durable rows", perSecond: told.received / seconds, unit: "pushes" }],
      ratios: {
        "push-storm-kept": Number(row?.rows ?? 0) / (meters - lost),
        "push-storm-poll-p50": percentile(quiet.polls, 0.5) / percentile(stormy.polls, 0.5),
        "push-storm-poll-p99": percentile(quiet.polls, 0.99) / percentile(stormy.polls, 0.99),
      },
    };
  },
};

interface Told {
  received: number;
  rejected: number;
  dropped: number;
  spooled: number;
  polledMs: number[];
}

interface Storm {
  readonly gateway: Gateway;
  readonly told: Told;
  readonly port: number;
  readonly datagrams: readonly Uint8Array[];
}

/** A gateway over a database that knows the meters, as adopted ones, and a street that it polls. */
async function startStorm(meters: number, stack: AsyncDisposableStack): Promise<Storm> {
  const { url, database } = await embeddedDatabase(stack, 1);
  const numbers = await makeMeters(database, meters);
  const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-bench-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  await writeFile(join(directory, "database.url"), url);
  const order = { count: POLLED, latencyMs: LATENCY_MS };
  const street = stack.use(await Spawned.start<{ meters: readonly StreetMeter[] }>("street-meters.ts", order));
  const config = configSchema.parse({
    stateDirectory: directory,
    socket: join(directory, "control.sock"),
    database: { url: `file:${join(directory, "database.url")}` },
    meters: await streetConfiguration(street.told.meters, join(directory, "keys")),
    plans: [{ profile: "instant", every: POLL_EVERY }],
    push: { listen: [{ address: "127.0.0.1:0", transport: "udp" }] },
  });
  const told: Told = { received: 0, rejected: 0, dropped: 0, spooled: 0, polledMs: [] };
  let port = 0;
  const events = (event: GatewayEvent) => {
    if (event.event === "pushReceived") told.received += 1;
    if (event.event === "pushRejected") told.rejected += 1;
    if (event.event === "spoolBegun") told.spooled += 1;
    if (event.event === "pushesDropped") told.dropped += event.count;
    if (event.event === "meterPolled") told.polledMs.push(event.durationMs);
    if (event.event === "pushListening") ({ port } = tcpAddress(event.address));
  };
  const gateway = stack.use(await Gateway.start({ config, version: "bench", events }));
  return { gateway, told, port, datagrams: numbers.map(lastGasp) };
}

async function makeMeters(database: Database, count: number): Promise<string[]> {
  const rows = await database.query<{ meter_number: string }>(
    `insert into public.meters (meter_number, name, companion)
     select 'GASP' || n, 'gasp-' || n, 'is15959' from generate_series(1, $1::int) as n returning meter_number`,
    [count],
  );
  return rows.map((row) => row.meter_number);
}

/** Sends all datagrams, and ends when nothing has become durable for two seconds. */
async function blow({ told, port, datagrams }: Storm) {
  const memoryBefore = process.memoryUsage().rss;
  let [memoryMost, waitingMost] = [memoryBefore, 0];
  const begun = performance.now();
  const order: StormOrder = { port, datagrams, perSecond: FULL.perSecond };
  const worker = new Worker(new URL("storm-sender.ts", import.meta.url), { workerData: order });
  let sending = true;
  worker.once("exit", () => {
    sending = false;
  });
  let doneAt = begun;
  for (let idle = 0; idle < 20; ) {
    const before = told.received;
    await sleep(100);
    memoryMost = Math.max(memoryMost, process.memoryUsage().rss);
    const sent = Math.min(datagrams.length, ((performance.now() - begun) * FULL.perSecond) / 1000);
    waitingMost = Math.max(waitingMost, Math.round(sent) - told.received);
    if (told.received > before) doneAt = performance.now();
    idle = sending || told.received > before ? 0 : idle + 1;
  }
  return { seconds: (doneAt - begun) / 1000, waitingMost, memoryMost, memoryBefore };
}

/** Ends when all has come into the database, also what went to the spool, or nothing has come for long. */
async function settled({ database }: Gateway, wanted: number): Promise<void> {
  let rows = 0;
  let cameAt = performance.now();
  while (rows < wanted && performance.now() < cameAt + SETTLE_MS) {
    const [row] = await database.query<{ rows: bigint }>("select count(*) as rows from dlms.push_history");
    const before = rows;
    rows = Number(row?.rows ?? 0n);
    if (rows > before) cameAt = performance.now();
    else await sleep(SETTLED_LOOK_MS);
  }
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function wordsOf({ polls, loopMs }: { readonly polls: readonly number[]; readonly loopMs: number }): string {
  const part = (share: number) => Math.round(percentile(polls, share));
  return `${polls.length} polls, p50 ${part(0.5)} ms, p95 ${part(0.95)} ms, p99 ${part(0.99)} ms; event loop p99 ${loopMs.toFixed(0)} ms late`;
}

function octets(value: Uint8Array): Data {
  return { type: "octet-string", value };
}

function lastGasp(number: string): Uint8Array {
  const word = new Uint8Array(WORD_OCTETS);
  word[LAST_GASP >> 3] = 0x80 >> (LAST_GASP & 7);
  const body: Data = {
    type: "structure",
    value: [
      octets(Buffer.from(number)),
      octets(logicalNameToOctets("0.4.25.9.0.255")),
      octets(Uint8Array.from([0x07, 0xea, 1, 2, 255, 3, 0, 0, 0, 0, 0, 0])),
      { type: "bit-string", bitCount: 8 * WORD_OCTETS, value: word },
    ],
  };
  const apdu = encodeApdu({ apdu: "data-notification", body: { longInvokeIdAndPriority: 1, body } });
  return encodeWrapper({ sourceWPort: 1, destinationWPort: 64, apdu });
}
