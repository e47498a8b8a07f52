/** A secured poll: what it costs this process, and what it is made of. */
import { fromHex } from "../../protocol/bytes/hex.ts";
import { pollProfiles } from "../../src/collect/read/meter-poller.ts";
import { readProfile } from "../../src/collect/read/meter-reader.ts";
import type { MeterConnection } from "../../src/collect/session/meter-connection.ts";
import { visitMeter } from "../../src/collect/session/meter-session.ts";
import type { MeterTarget } from "../../src/collect/session/meter-target.ts";
import { SerialLines } from "../../src/collect/session/serial-lines.ts";
import { SYSTEM_ENVIRONMENT, type VisitEnvironment } from "../../src/collect/session/visit-environment.ts";
import type { CounterLease } from "../../src/keys/counter-lease.ts";
import { CounterTable } from "../../src/keys/counter-table.ts";
import { leaseKeyCounters } from "../../src/keys/key-counters.ts";
import type { ProfileBatch } from "../../src/profiles/batch.ts";
import { PROFILE_COLUMNS } from "../../src/profiles/columns.ts";
import { type Database, openDatabase } from "../../src/store/database/database.ts";
import { migrate } from "../../src/store/database/migrations.ts";
import { BatchQueue } from "../../src/store/intake/batch-queue.ts";
import { journalCoverage } from "../../src/store/ledger/coverage-journal.ts";
import { noteLoadChanges } from "../../src/store/profiles/load-changes.ts";
import { ProfileWriter } from "../../src/store/profiles/profile-writer.ts";
import { startTestServer } from "../db/test-server.ts";
import type { Bench, BenchRow } from "./bench.ts";
import { bareSession } from "./load/bare-client.ts";
import { cannedOrder } from "./load/canned-meter.ts";
import { type LeastKeys, leastPoll } from "./load/least-client.ts";
import { parentOf, treeCpuUs } from "./load/process-cpu.ts";
import { Spawned } from "./load/spawned.ts";
import { at, findMeter, record, type Transcript } from "./load/transcript.ts";

/** As many as a gateway talks to at the same time when its configuration says nothing else. */
const AT_ONCE = 200;
const POLLS_A_ROUND = 1_000;
const LEAST_ROUNDS = 3;
/** Polls that each stage makes before any is measured: the engine then compiles next to nothing any more. */
const WARM_POLLS = 6_000;
const QUICK_WARM_POLLS = 64;
const QUICK_MS = 500;
const DAY_MS = 86_400_000;
const BUDGET_MS = 60_000;
const MICROSECONDS = 1_000_000;
/** CPU of a poll with which four cores carry a million meters every 15 minutes and have time to spare, in µs. */
const GOAL_US = 1_000;
/** The meters' answers are recorded ones, and one of them proves that the meter has understood our challenge. */
const SAME_CHALLENGE: VisitEnvironment = {
  ...SYSTEM_ENVIRONMENT,
  randomOctets: (length) => new Uint8Array(length).fill(7),
};

/** One more part of a poll than the one before. */
interface Stage {
  readonly name: string;
  readonly poll: (worker: number) => Promise<unknown>;
  readonly cpuUs: number[];
  readonly serverCpuUs: number[];
}

/** What a round is made with. */
interface Store {
  /** Process that all others of the database server belong to. */
  readonly postmaster: number;
  /** Empties the tables. */
  readonly forget: () => Promise<void>;
  /** Stores the rows as those of another day. */
  readonly put: (batch: ProfileBatch, daysLater: number) => Promise<void>;
  readonly nextMeter: () => { readonly meterKey: number; readonly daysLater: number };
}

export const bench: Bench = {
  compares:
    "CPU of this process for a secured poll (wrapper, HLS-5, suite 0 authenticated and encrypted, invocation counters leased, a day of block load, mapped, stored with COPY together with its ledger) against the goal of 1 ms; 200 at once, the gateway's default; each stage does one thing more, rounds take turns after 6,000 polls of each, when the engine has compiled what it will compile; the first stage is bare node:net that sends and takes the same octets",
  unfair:
    "the meters, which play what was recorded, and the database are processes of their own and not counted; our challenge is always the same; layouts are known from the poll before and rows are those of a meter's next day, as in steady work; loopback has no loss",
  async run({ timeMs }) {
    await using stack = new AsyncDisposableStack();
    const server = await startTestServer("embedded", { durable: true });
    if (typeof server === "string") throw new Error(server);
    stack.defer(() => server.stop());
    await migrate(server.url);
    const database = stack.use(await openDatabase({ url: server.url, connections: 4 }));
    const store = await openStore(database, stack);
    const recorded = await recordPolls(database);
    const stages = await stagesOf(store, recorded, stack);
    const least = await leastOf(recorded, stack);
    const warmPolls = timeMs < QUICK_MS ? QUICK_WARM_POLLS : WARM_POLLS;
    for (const stage of [least, ...stages]) await round({ ...stage, cpuUs: [], serverCpuUs: [] }, store, warmPolls);
    const endMs = performance.now() + 10 * timeMs;
    for (let rounds = 0; rounds < LEAST_ROUNDS || performance.now() < endMs; rounds++) {
      for (const stage of [least, ...stages]) await round(stage, store, Math.min(POLLS_A_ROUND, warmPolls));
    }
    const whole = stages.at(-1);
    const serverUs = median(whole?.serverCpuUs ?? []);
    return {
      facts: [
        ...stages.map(({ name, cpuUs }, index) => {
          const us = median(cpuUs);
          const before = index === 0 ? 0 : median(stages[index - 1]?.cpuUs ?? []);
          return `${name}: ${Math.round(us)} µs of CPU a poll, ${Math.round(us - before)} more than before`;
        }),
        `a client made for this meter alone, which knows no refusal, no bound and no other meter, takes ${Math.round(median(least.cpuUs))} µs to read the day`,
        `not ours: ${Math.round(serverUs)} µs of CPU a poll in the database server`,
        `${AT_ONCE} meters at once`,
      ],
      rows: [least, ...stages].map(row),
      ratios: {
        "poll-goal": GOAL_US / median(whole?.cpuUs ?? []),
        "poll-least": median(least.cpuUs) / median(whole?.cpuUs ?? []),
        "poll-bare": median(stages[0]?.cpuUs ?? []) / median(whole?.cpuUs ?? []),
      },
    };
  },
};

/** What is known of a meter after its first poll, and what it says when it is visited for nothing, and when it is read. */
interface RecordedPolls {
  readonly target: MeterTarget;
  /** Counters for one more of those who visit it. */
  readonly newLease: () => Promise<CounterLease>;
  readonly range: { readonly fromMs: number; readonly toMs: number };
  readonly empty: Transcript;
  readonly read: Transcript;
}

async function recordPolls(database: Database): Promise<RecordedPolls> {
  const toMs = Date.now();
  const range = { fromMs: toMs - DAY_MS, toMs };
  const counters = new CounterTable(database);
  let newLease: (() => Promise<CounterLease>) | undefined;
  const { target, street } = await findMeter({
    clock: () => toMs,
    fits: ({ link, mechanism }) => link.type === "wrapper" && mechanism === "hls-5",
    services: {
      leaseCounters: (key, clientSystemTitle) => {
        newLease = () => leaseKeyCounters(counters, { key, clientSystemTitle });
        return newLease();
      },
      openStoredKey: () => Promise.reject(new Error("all keys are in files")),
    },
  });
  await using _ = street;
  const work = (connection: MeterConnection) => readProfile(connection, target, "block_load", { range });
  await record(target, SAME_CHALLENGE, work);
  const empty = await record(target, SAME_CHALLENGE, () => Promise.resolve());
  const read = await record(target, SAME_CHALLENGE, work);
  if (newLease === undefined) throw new Error("the meter wants no counters");
  return { target, newLease, range, empty, read };
}

/** What a client can't do without that reads this day of this meter. */
async function leastOf({ target, read }: RecordedPolls, stack: AsyncDisposableStack): Promise<Stage> {
  const [port, keys] = [await playing(read, stack), leastKeys(target)];
  return stage("read a day with the least client", async () => {
    if ((await leastPoll(port, read, keys)) === 0) throw new Error("the least client has read no rows");
  });
}

async function stagesOf(
  { put, nextMeter }: Store,
  { target, newLease, range, empty, read }: RecordedPolls,
  stack: AsyncDisposableStack,
): Promise<Stage[]> {
  const [emptyPort, readPort] = [await playing(empty, stack), await playing(read, stack)];
  const lines = stack.use(new SerialLines());
  /** Each worker has a meter of its own: one that is being visited is not visited by another. */
  const targetsAt = (port: number) =>
    Promise.all(
      Array.from({ length: AT_ONCE }, async (): Promise<MeterTarget> => {
        const lease = await newLease();
        return { ...at(target, port), openCounters: () => Promise.resolve(lease) };
      }),
    );
  const [emptyTargets, readTargets] = [await targetsAt(emptyPort), await targetsAt(readPort)];
  const visit = <T>(each: MeterTarget | undefined, work: (connection: MeterConnection) => Promise<T>): Promise<T> =>
    visitMeter(each ?? target, { budgetMs: BUDGET_MS, lines, environment: SAME_CHALLENGE }, work);
  const mapped = (worker: number, meterKey: number) => {
    const each = readTargets[worker] ?? target;
    return visit(each, (source) =>
      pollProfiles(source, {
        target: each,
        meterKey,
        profiles: ["block_load"],
        wanted: () => ({ type: "since", fromMs: range.fromMs }),
      }),
    );
  };
  return [
    stage("the same octets, bare", () => bareSession(readPort, read)),
    stage("associate and release", (worker) => visit(emptyTargets[worker], () => Promise.resolve())),
    stage("read and decode a day", (worker) => {
      const each = readTargets[worker] ?? target;
      return visit(each, (source) => readProfile(source, each, "block_load", { range }));
    }),
    stage("map", (worker) => mapped(worker, 1)),
    stage("store", async (worker) => {
      const { meterKey, daysLater } = nextMeter();
      const { batches } = await mapped(worker, meterKey);
      for (const batch of batches) await put(batch, daysLater);
    }),
  ];
}

function leastKeys({ secrets, association }: MeterTarget): LeastKeys {
  const { blockCipherKey, authenticationKey } = secrets;
  const title = association.security?.serverSystemTitle;
  if (blockCipherKey === undefined || authenticationKey === undefined || title === undefined) {
    throw new Error("the meter has no keys");
  }
  const authentication = new Uint8Array(authenticationKey.length);
  authenticationKey.copyInto(authentication, 0);
  return { encryption: blockCipherKey.keyObject, authentication, serverTitle: fromHex(title) };
}

/** Starts meters that play a transcript; returns their port. */
async function playing(transcript: Transcript, stack: AsyncDisposableStack): Promise<number> {
  const order = cannedOrder(transcript, 0);
  return stack.use(await Spawned.start<{ port: number }>("canned-meter.ts", order)).told.port;
}

async function openStore(database: Database, stack: AsyncDisposableStack): Promise<Store> {
  const writer = new ProfileWriter(database, PROFILE_COLUMNS, [journalCoverage, noteLoadChanges]);
  const queue = new BatchQueue({ write: (batches) => writer.write(batches), writers: 3, onWritten: () => {} });
  stack.defer(() => queue.stop(BUDGET_MS));
  return {
    postmaster: await postmasterOf(database),
    forget: async () => {
      await database.query("truncate dlms.block_load_profile_data, dlms.coverage_journal, dlms.load_changes");
    },
    put: async (batch, daysLater) => (await queue.put(later(batch, daysLater))).written,
    nextMeter: await newMeters(database),
  };
}

function stage(name: string, poll: Stage["poll"]): Stage {
  return { name, poll, cpuUs: [], serverCpuUs: [] };
}

async function round({ poll, cpuUs, serverCpuUs }: Stage, { postmaster, forget }: Store, polls: number): Promise<void> {
  await forget();
  const serverBefore = await treeCpuUs(postmaster);
  const before = process.cpuUsage();
  let left = polls;
  const worker = async (_: unknown, index: number) => {
    while (left-- > 0) await poll(index);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const { user, system } = process.cpuUsage(before);
  cpuUs.push((user + system) / polls);
  serverCpuUs.push(((await treeCpuUs(postmaster)) - serverBefore) / polls);
}

async function postmasterOf(database: Database): Promise<number> {
  const [row] = await database.query<{ pid: number }>("select pg_backend_pid() as pid");
  return parentOf(row?.pid ?? 0);
}

function later(batch: ProfileBatch, days: number): ProfileBatch {
  const ms = days * DAY_MS;
  const readAt = new Date(batch.readAt.getTime() + ms);
  return { ...batch, readAt, instantsMs: batch.instantsMs.map((instantMs) => instantMs + ms) };
}

/** The meters in turns, each with another day whenever it is its turn again, so that all rows are fresh. */
async function newMeters(database: Database): Promise<Store["nextMeter"]> {
  const rows = await database.query<{ meter_key: number }>(
    `insert into public.meters (meter_number, name)
     select number, number from (select gen_random_uuid()::text as number from generate_series(1, $1::int)) as n
     returning meter_key`,
    [WARM_POLLS],
  );
  let polls = 0;
  return () => {
    const at = polls++;
    return { meterKey: rows[at % rows.length]?.meter_key ?? 0, daysLater: Math.floor(at / rows.length) };
  };
}

function row({ name, cpuUs }: Stage): BenchRow {
  return { task: `to ${name}, a second of CPU`, perSecond: MICROSECONDS / median(cpuUs), unit: "polls" };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
