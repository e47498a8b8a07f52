/** Receiving pushes: from octets on sockets to durable rows, against sockets and COPY that understand nothing. */
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { Worker } from "node:worker_threads";
import { Client, type PoolClient } from "pg";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";
import { tcpAddress } from "../../drivers/tcp/address.ts";
import { encodeApdu } from "../../protocol/apdu/apdu.ts";
import type { Data } from "../../protocol/axdr/data.ts";
import { UTC } from "../../protocol/cosem/time-zone.ts";
import { encodeWrapper } from "../../protocol/link/wrapper.ts";
import { ApduProtection } from "../../protocol/security/apdu-protection.ts";
import { SecretKey } from "../../protocol/security/secret-key.ts";
import { systemTitle } from "../../protocol/security/system-title.ts";
import { PROFILE_COLUMNS } from "../../src/profiles/columns.ts";
import { PUSH_MAPPING } from "../../src/profiles/push-mapping.ts";
import { PushListeners } from "../../src/push/receive/push-listeners.ts";
import type { PushSender, SenderDirectory } from "../../src/push/senders/sender-directory.ts";
import type { Database } from "../../src/store/database/database.ts";
import { BatchQueue } from "../../src/store/intake/batch-queue.ts";
import { ProfileWriter } from "../../src/store/profiles/profile-writer.ts";
import { openPushQueue } from "../../src/store/push/push-history.ts";
import { name, register, structure, utcOctets } from "../e2e/push/pushed-values.ts";
import type { Bench, BenchRow } from "./bench.ts";
import { embeddedDatabase } from "./bench-database.ts";
import type { SenderOrder } from "./push-sender.ts";

const METERS = 504;
/** Each meter sends on one of them; the number of meters is a multiple. */
const CONNECTIONS = 8;
const ROUNDS = 3;
/** Pushes in one transaction of the floor: about as many as the gateway gathers. */
const GROUP = 160;
const TABLES = [
  "dlms.push_history",
  "dlms.push_values",
  "public.meter_readings",
  "dlms.instant_profile_data",
  "dlms.energy_measurements",
  "dlms.power_readings",
  "dlms.voltage_measurements",
  "dlms.current_measurements",
];
const START_MS = Date.UTC(2026, 0, 1);
const OWN_TITLE = systemTitle(Buffer.from("HES00001"));
const BLOCK_CIPHER_KEY = new SecretKey(
  "blockCipherKey",
  Uint8Array.from({ length: 16 }, (_, at) => at),
);
const AUTHENTICATION_KEY = new SecretKey(
  "authenticationKey",
  Uint8Array.from({ length: 16 }, (_, at) => 0xd0 + at),
);
const SECURITY = {
  suite: 0,
  ownSystemTitle: OWN_TITLE,
  blockCipherKey: BLOCK_CIPHER_KEY,
  authenticationKey: AUTHENTICATION_KEY,
} as const;

type Transport = SenderOrder["transport"];

export const bench: Bench = {
  compares:
    "pushes of 14 named values (Austrian list: number, clock, energies, powers, voltages, currents with scalers and units), plain and ciphered (AES-GCM-128 with tag), sent over 8 TCP connections and from 8 UDP sockets to the listeners until durable, against node:net and node:dgram that count wrapper frames, and binary COPY of the very same rows into the same eight tables",
  unfair:
    "the floor decodes nothing, knows its rows beforehand and need not find out whether one is there already; senders, server and database share this machine's cores, and the sender's thread costs both alike",
  async run({ timeMs }) {
    await using stack = new AsyncDisposableStack();
    const { url, database } = await embeddedDatabase(stack, 4);
    const senders = await makeSenders(database);
    const count = Math.max(METERS, timeMs * 2);
    const station = { database, url, senders };
    const pushes = { plain: frames(senders, count, false), ciphered: frames(senders, count, true) };
    const report = { rows: [] as BenchRow[], ratios: {} as Record<string, number> };
    for (const transport of ["tcp", "udp"] as const) {
      // Code and pages are warm when it counts.
      await measureGateway(station, transport, pushes.plain);
      const rates = { floor: [] as number[], plain: [] as number[], ciphered: [] as number[] };
      for (let round = 0; round < ROUNDS; round++) {
        rates.ciphered.push(await measureGateway(station, transport, pushes.ciphered));
        rates.plain.push(await measureGateway(station, transport, pushes.plain));
        rates.floor.push(await measureFloor(station, transport, pushes.plain));
      }
      const [floor, plain, ciphered] = [median(rates.floor), median(rates.plain), median(rates.ciphered)];
      report.rows.push(
        row(`${transport}: node:${transport === "tcp" ? "net" : "dgram"} + COPY`, floor),
        row(`${transport}: plain pushes`, plain),
        row(`${transport}: ciphered pushes`, ciphered),
      );
      report.ratios[`push-${transport}-plain`] = plain / floor;
      report.ratios[`push-${transport}-ciphered`] = ciphered / floor;
    }
    return report;
  },
};

function row(task: string, perSecond: number): BenchRow {
  return { task, perSecond, unit: "pushes" };
}

interface Station {
  readonly database: Database;
  readonly url: string;
  readonly senders: readonly BenchSender[];
}

interface BenchSender {
  readonly sender: PushSender;
  readonly number: string;
  readonly protection: ApduProtection;
}

async function makeSenders(database: Database): Promise<BenchSender[]> {
  const rows = await database.query<{ id: string; meter_key: number; meter_number: string }>(
    `insert into public.meters (meter_number, name)
     select '1BEN' || lpad(n::text, 9, '0'), 'bench-' || n from generate_series(1, $1::int) as n
     returning id, meter_key, meter_number`,
    [METERS],
  );
  return rows.map(({ id, meter_key: meterKey, meter_number: number }) => {
    const title = systemTitle(Buffer.from(`BEN${String(meterKey).padStart(5, "0")}`));
    let counter = 0;
    const protection = new ApduProtection({
      suite: 0,
      ownSystemTitle: title,
      keys: { blockCipherKey: BLOCK_CIPHER_KEY, authenticationKey: AUTHENTICATION_KEY },
      nextInvocationCounter: () => counter++,
    });
    const sender: PushSender = {
      meterId: id,
      meterKey,
      name: number,
      systemTitle: title,
      companion: "idis",
      clock: { deviation: "standard", zone: UTC },
      security: SECURITY,
    };
    return { sender, number, protection };
  });
}

function directoryOf(senders: readonly BenchSender[]): SenderDirectory {
  const byTitle = new Map(senders.map(({ sender }) => [Buffer.from(sender.systemTitle ?? []).toString("hex"), sender]));
  const byNumber = new Map(senders.map(({ sender, number }) => [number, sender]));
  return {
    bySystemTitle: (title) => [byTitle.get(Buffer.from(title).toString("hex"))].flatMap((each) => each ?? []),
    byIdentity: ({ numbers }) => numbers.flatMap((number) => byNumber.get(number) ?? []),
    countAt: () => 0,
    byHost: () => [],
  };
}

function frames(senders: readonly BenchSender[], count: number, isCiphered: boolean): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => {
    const { number, protection } = senders[index % senders.length] ?? { number: "", protection: undefined };
    const body = bodyOf(number, index);
    const plain = encodeApdu({ apdu: "data-notification", body: { longInvokeIdAndPriority: index, body } });
    const request = { control: "authenticated-encrypted", form: "general", keySet: "global" } as const;
    const apdu = isCiphered && protection !== undefined ? protection.protect(plain, request) : plain;
    return encodeWrapper({ sourceWPort: 1, destinationWPort: 102, apdu });
  });
}

function bodyOf(number: string, index: number): Data {
  const wholes = ["1.8", "2.8", "3.8", "4.8"].map((code, at) =>
    register(`${code}.0`, index * 10 + at, { unit: at < 2 ? 30 : 32 }),
  );
  const powers = ["1.7", "2.7"].map((code, at) => register(`${code}.0`, (index + at) % 20_000, { unit: 27 }));
  const voltages = ["32.7", "52.7", "72.7"].map((code, at) =>
    register(`${code}.0`, 2300 + ((index + at) % 100), { scaler: -1, unit: 35 }),
  );
  const currents = ["31.7", "51.7", "71.7"].map((code, at) =>
    register(`${code}.0`, (index + at) % 3000, { scaler: -2, unit: 33 }),
  );
  const clock = utcOctets(START_MS + Math.floor(index / METERS) * 1000);
  return {
    type: "structure",
    value: [
      structure(name("0.0.1.0.0.255"), { type: "octet-string", value: clock }),
      structure(name("0.0.96.1.0.255"), { type: "octet-string", value: Buffer.from(number) }),
      ...wholes,
      ...powers,
      ...voltages,
      ...currents,
    ],
  };
}

interface Sending {
  readonly transport: Transport;
  readonly port: number;
  readonly pushes: readonly Uint8Array[];
  /** See SenderOrder. */
  readonly through: Int32Array;
}

/** Starts the senders; the rate at which all were done, from the first octet sent. */
async function rateOf({ pushes, ...sending }: Sending, done: Promise<void>): Promise<number> {
  const lines = Array.from({ length: CONNECTIONS }, (_, line) => pushes.filter((__, at) => at % CONNECTIONS === line));
  const order: SenderOrder = { ...sending, lines };
  const worker = new Worker(new URL("push-sender.ts", import.meta.url), { workerData: order });
  await new Promise<void>((resolve) => worker.once("online", () => resolve()));
  const beganMs = performance.now();
  await done;
  const rate = (pushes.length / (performance.now() - beganMs)) * 1000;
  await worker.terminate();
  return rate;
}

function newCount(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4));
}

async function measureGateway(
  { database, senders }: Station,
  transport: Transport,
  pushes: readonly Uint8Array[],
): Promise<number> {
  await empty(database);
  const queue = openPushQueue(database);
  const writer = new ProfileWriter(database, PROFILE_COLUMNS);
  const rows = new BatchQueue({ write: (batches) => writer.write(batches), writers: 2 });
  const done = Promise.withResolvers<void>();
  const through = newCount();
  const listeners = await PushListeners.start([{ address: "127.0.0.1:0", transport }], {
    directory: directoryOf(senders),
    store: { putPush: (push) => queue.put(push), putRows: (batch) => rows.put(batch) },
    mapping: PUSH_MAPPING,
    events: (event) => {
      if (event.event === "pushRejected") done.reject(new Error(event.reason));
      if (event.event === "pushReceived" && Atomics.add(through, 0, 1) + 1 === pushes.length) done.resolve();
    },
  });
  const { port } = tcpAddress(listeners.addresses[transport][0] ?? "");
  const rate = await rateOf({ transport, port, pushes, through }, done.promise);
  await listeners.close();
  await queue.stop(10_000);
  await rows.stop(10_000);
  return rate;
}

/** Takes the rows that are there, empties the tables, and copies the rows in again as their pushes come. */
async function measureFloor(
  { database, url }: Station,
  transport: Transport,
  pushes: readonly Uint8Array[],
): Promise<number> {
  const tables = await exported(url);
  await empty(database);
  const done = Promise.withResolvers<void>();
  const through = newCount();
  let received = 0;
  let written = 0;
  let writing = Promise.resolve();
  const write = async (from: number, to: number): Promise<void> => {
    await database.transaction(async (client) => {
      for (const { table, rows } of tables) {
        const first = Math.floor((rows.length * from) / pushes.length);
        const last = Math.floor((rows.length * to) / pushes.length);
        if (last > first) await copyIn(client, table, rows.slice(first, last));
      }
    });
    Atomics.store(through, 0, to);
  };
  const count = (frames: number): void => {
    received += frames;
    while (received - written >= GROUP || (received === pushes.length && written < received)) {
      const [from, to] = [written, Math.min(received, written + GROUP)];
      written = to;
      writing = writing.then(() => write(from, to));
    }
    if (received === pushes.length) writing.then(done.resolve, done.reject);
  };
  await using counter = await (transport === "tcp" ? countStream(count) : countDatagrams(count));
  return await rateOf({ transport, port: counter.port, pushes, through }, done.promise);
}

interface Counter extends AsyncDisposable {
  readonly port: number;
}

const HEADER_LENGTH = 8;

/** Counts whole frames of the wrapper and looks at nothing else. */
async function countStream(count: (frames: number) => void): Promise<Counter> {
  const server = createServer((socket) => {
    let rest: Buffer = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let frames = 0;
      let at = 0;
      for (; rest.length - at >= HEADER_LENGTH; frames++) {
        const length = HEADER_LENGTH + rest.readUInt16BE(at + 6);
        if (rest.length - at < length) break;
        at += length;
      }
      rest = rest.subarray(at);
      count(frames);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: address !== null && typeof address === "object" ? address.port : 0,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function countDatagrams(count: (frames: number) => void): Promise<Counter> {
  const socket = createSocket({ type: "udp4", recvBufferSize: 8 * 1024 * 1024 });
  socket.on("message", () => count(1));
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return {
    port: socket.address().port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

async function empty(database: Database): Promise<void> {
  await database.query(`truncate ${TABLES.join(", ")}`);
}

const COPY_HEADER_LENGTH = 19;

interface Table {
  readonly table: string;
  /** In the binary form of COPY, each on its own. */
  readonly rows: readonly Buffer[];
}

/** All rows of all tables. */
async function exported(url: string): Promise<Table[]> {
  const client = new Client(url);
  await client.connect();
  const tables: Table[] = [];
  for (const table of TABLES) {
    const chunks: Buffer[] = [];
    for await (const chunk of client.query(copyTo(`copy ${table} to stdout (format binary)`))) chunks.push(chunk);
    tables.push({ table, rows: rowsIn(Buffer.concat(chunks)) });
  }
  await client.end();
  return tables;
}

function rowsIn(octets: Buffer): Buffer[] {
  const rows: Buffer[] = [];
  let at = COPY_HEADER_LENGTH;
  while (octets.readInt16BE(at) >= 0) {
    const start = at;
    const fields = octets.readInt16BE(at);
    at += 2;
    for (let field = 0; field < fields; field++) at += 4 + Math.max(0, octets.readInt32BE(at));
    rows.push(octets.subarray(start, at));
  }
  return rows;
}

const SIGNATURE = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");

async function copyIn(client: PoolClient, table: string, rows: readonly Buffer[]): Promise<void> {
  const stream = client.query(copyFrom(`copy ${table} from stdin (format binary)`));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  stream.once("error", reject);
  stream.once("finish", resolve);
  stream.end(Buffer.concat([SIGNATURE, ...rows, Buffer.from([0xff, 0xff])]));
  await promise;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
