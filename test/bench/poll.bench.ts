/** A secured poll: what it costs this process, and what it is made of. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { streetConfiguration } from "../../src/cli/demo-street.ts";
import type { MeterConnection } from "../../src/collect/meter-connection.ts";
import { pollProfiles } from "../../src/collect/meter-poller.ts";
import { readProfile } from "../../src/collect/meter-reader.ts";
import { visitMeter } from "../../src/collect/meter-session.ts";
import { type MeterTarget, meterTarget } from "../../src/collect/meter-target.ts";
import { meterSchema } from "../../src/config/schema.ts";
import { CounterTable } from "../../src/keys/counter-table.ts";
import { leaseKeyCounters } from "../../src/keys/key-counters.ts";
import { PROFILE_COLUMNS } from "../../src/profiles/columns.ts";
import type { StreetMeter } from "../../src/simulator/street.ts";
import { BatchQueue } from "../../src/store/batch-queue.ts";
import { type Database, openDatabase } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrations.ts";
import { ProfileWriter } from "../../src/store/profile-writer.ts";
import { startTestServer } from "../db/test-server.ts";
import type { Bench, BenchRow } from "./bench.ts";
import { Spawned } from "./load/spawned.ts";
import type { StreetMetersOrder } from "./load/street-meters.ts";

const HOUSES = 48;
const AT_ONCE = 16;
const POLLS_A_ROUND = 160;
const LEAST_ROUNDS = 3;
const DAY_MS = 86_400_000;
const BUDGET_MS = 60_000;
const MICROSECONDS = 1_000_000;
/** CPU of a poll with which four cores carry a million meters every 15 minutes and have time to spare, in µs. */
const GOAL_US = 1_000;

/** One more part of a poll than the one before. */
interface Stage {
  readonly name: string;
  readonly poll: (target: MeterTarget) => Promise<unknown>;
  readonly cpuUs: number[];
}

export const bench: Bench = {
  compares:
    "CPU of this process for a secured poll (wrapper, HLS-5, suite 0 authenticated and encrypted, invocation counter read and leased, a day of block load, mapped, stored with COPY) against the goal of 1 ms; each stage does one thing more, rounds take turns",
  unfair:
    "the meters and the database are processes of their own and not counted; layouts are known from the poll before, as in steady work; loopback has no loss",
  async run({ timeMs }) {
    await using stack = new AsyncDisposableStack();
    const server = await startTestServer("embedded", { durable: true });
    if (typeof server === "string") throw new Error(server);
    stack.defer(() => server.stop());
    await migrate(server.url);
    const database = stack.use(await openDatabase({ url: server.url, connections: 4 }));
    const street = stack.use(
      await Spawned.start<{ meters: readonly StreetMeter[] }>("street-meters.ts", {
        count: HOUSES,
      } satisfies StreetMetersOrder),
    );
    const targets = await securedTargets(street.told.meters, database, stack);
    const stages = stagesOf(database, stack, await newMeters(database));
    for (const stage of stages) await round({ ...stage, cpuUs: [] }, targets, database);
    const endMs = performance.now() + 10 * timeMs;
    for (let rounds = 0; rounds < LEAST_ROUNDS || performance.now() < endMs; rounds++) {
      for (const stage of stages) await round(stage, targets, database);
    }
    const whole = median(stages.at(-1)?.cpuUs ?? []);
    return {
      facts: stages.map(({ name, cpuUs }, index) => {
        const us = median(cpuUs);
        const before = index === 0 ? 0 : median(stages[index - 1]?.cpuUs ?? []);
        return `${name}: ${Math.round(us)} µs of CPU a poll, ${Math.round(us - before)} more than before`;
      }),
      rows: stages.map(row),
      ratios: { "poll-goal": GOAL_US / whole },
    };
  },
};

function stagesOf(database: Database, stack: AsyncDisposableStack, meterKeys: () => number): Stage[] {
  const writer = new ProfileWriter(database, PROFILE_COLUMNS);
  const queue = new BatchQueue({ write: (batches) => writer.write(batches), writers: 3, onWritten: () => {} });
  stack.defer(() => queue.stop(BUDGET_MS));
  const mapped = (target: MeterTarget) =>
    visit(target, (source) =>
      pollProfiles(source, {
        target,
        meterKey: meterKeys(),
        profiles: ["block_load"],
        wanted: () => ({ type: "since", fromMs: lastDay().fromMs }),
      }),
    );
  return [
    stage("associate and release", (target) => visit(target, () => Promise.resolve())),
    stage("read and decode a day", (target) =>
      visit(target, (source) => readProfile(source, target, "block_load", { range: lastDay() })),
    ),
    stage("map", mapped),
    stage("store", async (target) => {
      const { batches } = await mapped(target);
      for (const batch of batches) await (await queue.put(batch)).written;
    }),
  ];
}

function visit<T>(target: MeterTarget, work: (connection: MeterConnection) => Promise<T>): Promise<T> {
  return visitMeter(target, { budgetMs: BUDGET_MS }, work);
}

function lastDay(): { fromMs: number; toMs: number } {
  const toMs = Date.now();
  return { fromMs: toMs - DAY_MS, toMs };
}

function stage(name: string, poll: Stage["poll"]): Stage {
  return { name, poll, cpuUs: [] };
}

async function securedTargets(
  meters: readonly StreetMeter[],
  database: Database,
  stack: AsyncDisposableStack,
): Promise<MeterTarget[]> {
  const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-bench-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const secured = meters.filter(({ link, mechanism }) => link.type === "wrapper" && mechanism === "hls-5");
  const counters = new CounterTable(database);
  const configs = await streetConfiguration(secured, directory);
  return configs.map((config) =>
    meterTarget(meterSchema.parse(config), {
      leaseCounters: (key, title) => leaseKeyCounters(counters, { key, clientSystemTitle: title }),
      openStoredKey: () => Promise.reject(new Error("all keys are in files")),
    }),
  );
}

async function round({ poll, cpuUs }: Stage, targets: readonly MeterTarget[], database: Database): Promise<void> {
  await database.query("truncate dlms.block_load_profile_data");
  const before = process.cpuUsage();
  let left = POLLS_A_ROUND;
  // A meter takes one session at a time of one client: each worker has its own.
  const worker = async (_: unknown, index: number) => {
    const target = targets[index];
    if (target === undefined) return;
    while (left-- > 0) await poll(target);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, targets.length) }, worker));
  const { user, system } = process.cpuUsage(before);
  cpuUs.push((user + system) / POLLS_A_ROUND);
}

/** Each poll stores the rows of a meter of its own, so that all of them are fresh. */
async function newMeters(database: Database): Promise<() => number> {
  const rows = await database.query<{ meter_key: number }>(
    `insert into public.meters (meter_number, name)
     select number, number from (select gen_random_uuid()::text as number from generate_series(1, $1::int)) as n
     returning meter_key`,
    [POLLS_A_ROUND],
  );
  let at = 0;
  return () => rows[at++ % rows.length]?.meter_key ?? 0;
}

function row({ name, cpuUs }: Stage): BenchRow {
  return { task: `to ${name}, a second of CPU`, perSecond: MICROSECONDS / median(cpuUs), unit: "polls" };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
