/** A feeder goes dark: last gasps of a hundred thousand meters within ten seconds, until all are durable. */
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { tcpAddress } from "../../drivers/tcp/address.ts";
import { encodeApdu } from "../../protocol/apdu/apdu.ts";
import type { Data } from "../../protocol/axdr/data.ts";
import { logicalNameToOctets } from "../../protocol/cosem/obis.ts";
import { UTC } from "../../protocol/cosem/time-zone.ts";
import { encodeWrapper } from "../../protocol/link/wrapper.ts";
import { PUSH_MAPPING } from "../../src/profiles/push-mapping.ts";
import { PushListeners } from "../../src/push/push-listeners.ts";
import type { PushSender } from "../../src/push/sender-directory.ts";
import { openDatabase } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrations.ts";
import { openPushQueue } from "../../src/store/push-history.ts";
import { startTestServer } from "../db/test-server.ts";
import type { Bench } from "./bench.ts";
import { startPollLanes } from "./poll-lanes.ts";
import type { StormOrder } from "./storm-sender.ts";

const FULL = { meters: 100_000, perSecond: 10_000 };
const QUIET_MS = 6000;
const LAST_GASP = 85;
const WORD_OCTETS = 16;
const MEBIBYTE = 1024 * 1024;

export const bench: Bench = {
  compares:
    "IS 15959 alerts with the last-gasp bit, one of each of 100,000 meters, sent within 10 s from loopback to the UDP listener until each is a row of the history, with its values, a reading and an event, against the number that the socket delivered; meanwhile 200 meters are polled every 2 s with 10 round trips each",
  unfair: "sender, gateway and database share this machine's cores; nothing is ciphered",
  async run({ timeMs }) {
    const meters = timeMs < 1000 ? 2000 : FULL.meters;
    await using stack = new AsyncDisposableStack();
    const server = await startTestServer("embedded", { durable: true });
    if (typeof server === "string") throw new Error(server);
    stack.adopt(server, (each) => each.stop());
    await migrate(server.url);
    const database = stack.use(await openDatabase({ url: server.url, connections: 4 }));
    const senders = await makeSenders(database.query.bind(database), meters);
    const queue = openPushQueue(database);
    let [durable, failed, dropped, waitingMost, memoryMost] = [0, 0, 0, 0, 0];
    const listeners = await PushListeners.start([{ address: "127.0.0.1:0", transport: "udp" }], {
      directory: {
        bySystemTitle: () => [],
        byIdentity: ({ numbers }) => numbers.flatMap((each) => senders.get(each) ?? []),
        byHost: () => [],
      },
      store: { putPush: (push) => queue.put(push), putRows: async () => ({ written: Promise.resolve() }) },
      mapping: PUSH_MAPPING,
      events: (event) => {
        if (event.event === "pushReceived") durable += 1;
        if (event.event === "pushRejected") failed += 1;
        if (event.event === "pushesDropped") dropped += event.count;
      },
    });
    const { port } = tcpAddress(listeners.addresses.udp[0] ?? "");
    const datagrams = [...senders.keys()].map(lastGasp);
    const order: StormOrder = { port, datagrams, perSecond: FULL.perSecond };
    const lanes = stack.use(await startPollLanes());
    await sleep(timeMs < 1000 ? 500 : QUIET_MS);
    const quiet = lanes.report();
    const memoryBefore = process.memoryUsage().rss;
    const begun = performance.now();
    const worker = new Worker(new URL("storm-sender.ts", import.meta.url), { workerData: order });
    let sending = true;
    worker.once("exit", () => {
      sending = false;
    });
    let lost = 0;
    for (let idle = 0; idle < 20; ) {
      const before = durable;
      await sleep(100);
      waitingMost = Math.max(waitingMost, listeners.waiting);
      memoryMost = Math.max(memoryMost, process.memoryUsage().rss);
      if (sending) lost = await lostBySocket(port);
      else idle = listeners.waiting === 0 && durable === before ? idle + 1 : 0;
    }
    const seconds = (performance.now() - begun) / 1000;
    lost = await lostBySocket(port);
    console.log(`polls without the storm: ${quiet}; in the storm: ${lanes.report()}`);
    const [row] = await database.query<{ rows: bigint; meters: bigint; events: bigint }>(
      `select (select count(*) from dlms.push_history) as rows, (select count(distinct meter_id) from dlms.push_history) as meters,
         (select count(*) from public.meter_events) as events`,
    );
    await listeners.close();
    await queue.stop(10_000);
    console.log(
      `sent ${meters}, not delivered by the socket ${lost}, rows ${row?.rows}, meters ${row?.meters}, events ${row?.events}, rejected ${failed}, dropped ${dropped}; most waiting ${waitingMost}, memory +${Math.round((memoryMost - memoryBefore) / MEBIBYTE)} MiB, ${seconds.toFixed(1)} s until all was durable`,
    );
    return {
      rows: [{ task: "last gasps to durable rows", perSecond: durable / seconds, unit: "pushes" }],
      ratios: { "push-storm-kept": Number(row?.rows ?? 0) / (meters - lost) },
    };
  },
};

async function makeSenders(
  query: (text: string, values: readonly unknown[]) => Promise<unknown[]>,
  count: number,
): Promise<ReadonlyMap<string, PushSender>> {
  const rows = await query(
    `insert into public.meters (meter_number, name) select 'GASP' || n, 'gasp-' || n from generate_series(1, $1::int) as n
     returning id, meter_key, meter_number`,
    [count],
  );
  return new Map(
    (rows as { id: string; meter_key: number; meter_number: string }[]).map((row) => [
      row.meter_number,
      {
        meterId: row.id,
        meterKey: row.meter_key,
        name: row.meter_number,
        systemTitle: undefined,
        companion: "is15959",
        clock: { deviation: "standard", zone: UTC },
        security: undefined,
      },
    ]),
  );
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

/** Datagrams that the kernel threw away for want of room in our socket. */
async function lostBySocket(port: number): Promise<number> {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  const lines = (await readFile("/proc/net/udp", "utf8")).split("\n");
  const line = lines.find((each) => each.includes(`:${wanted} `));
  return Number(line?.trim().split(/\s+/).at(-1) ?? 0);
}
