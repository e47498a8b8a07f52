/** A primary that dies, and the standby that takes its place; and a gateway that is pointed at a standby. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { configSchema } from "../../src/config/schema.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import type { GatewayEvent } from "../../src/observe/events.ts";
import { PROFILE_COLUMNS } from "../../src/profiles/columns.ts";
import { openDatabase } from "../../src/store/database/database.ts";
import { migrate } from "../../src/store/database/migrations.ts";
import { StoreIntake } from "../../src/store/intake/store-intake.ts";
import { checkCoverage } from "../../src/store/ledger/coverage.ts";
import { journalCoverage } from "../../src/store/ledger/coverage-journal.ts";
import { ProfileWriter } from "../../src/store/profiles/profile-writer.ts";
import { blockLoad, makeMeters, slots } from "./profile-batches.ts";
import { query } from "./query.ts";
import { type ReplicatedServers, startReplicated } from "./standby.ts";

const SLOTS_AT_ONCE = 4;
const READ_AT = new Date(Date.UTC(2060, 0, 1));

async function openIntake(url: string, stack: AsyncDisposableStack) {
  const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-replica-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const database = stack.use(await openDatabase({ url, connections: 3 }));
  const events: GatewayEvent[] = [];
  const intake = await StoreIntake.open({
    database,
    writer: new ProfileWriter(database, PROFILE_COLUMNS, [journalCoverage]),
    writers: 2,
    spool: { directory, quota: 1e8, patienceMs: 300 },
    events: (event) => events.push(event),
  });
  stack.defer(() => intake.stop(10_000));
  return { intake, database, events };
}

type Progress = { acknowledged: number; ends: boolean };

async function bring(intake: StoreIntake, meter: number, progress: Progress): Promise<void> {
  for (; !progress.ends; progress.acknowledged += SLOTS_AT_ONCE) {
    const range = slots(progress.acknowledged, progress.acknowledged + SLOTS_AT_ONCE);
    const { written } = await intake.rows.put(blockLoad(meter, range, { readAt: READ_AT }));
    await written;
  }
}

async function held(url: string, meter: number): Promise<unknown> {
  const [row] = await query(
    url,
    `select count(*)::int, count(distinct captured_at)::int,
       (select count(*)::int from dlms.profile_revisions where meter_key = $1)
     from dlms.block_load_profile_data where meter_key = $1`,
    [meter],
  );
  return row;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(10);
}

async function prepared(stack: AsyncDisposableStack): Promise<{ servers: ReplicatedServers; meters: number[] }> {
  const servers = stack.use(await startReplicated());
  await migrate(servers.url);
  await using database = await openDatabase({ url: servers.url, connections: 1 });
  return { servers, meters: await makeMeters(database, ["A", "B"]) };
}

test("replica: the primary dies, the standby is promoted: every acknowledged row is there once, as the ledger says", {
  timeout: 180_000,
}, async () => {
  await using stack = new AsyncDisposableStack();
  const { servers, meters } = await prepared(stack);
  const [meter = 0] = meters;
  const { intake, database } = await openIntake(servers.url, stack);
  const progress: Progress = { acknowledged: 0, ends: false };
  const bringing = bring(intake, meter, progress);
  await until(() => progress.acknowledged >= 100);
  await servers.killPrimary();
  const before = progress.acknowledged;
  // Nothing can be written anywhere now; then the way leads to a server that only reads; then to one that writes.
  await until(() => progress.acknowledged >= before + 40);
  servers.switchOver();
  const reading = progress.acknowledged;
  await until(() => progress.acknowledged >= reading + 40);
  expect(intake.isSpooling).toBe(true);
  await servers.promote();
  await intake.drained();
  const after = progress.acknowledged;
  await until(() => progress.acknowledged >= after + 40);
  progress.ends = true;
  await bringing;
  await intake.drained();
  expect(await held(servers.standbyUrl, meter)).toEqual([progress.acknowledged, progress.acknowledged, 0]);
  expect((await checkCoverage(database, {})).faults).toEqual([]);
});

test("replica: a gateway that is pointed at a standby keeps all in its spool, and a start waits, until it is promoted", {
  timeout: 180_000,
}, async () => {
  await using stack = new AsyncDisposableStack();
  const { servers, meters } = await prepared(stack);
  const [, meter = 0] = meters;
  const { intake, events } = await openIntake(servers.standbyUrl, stack);
  const progress: Progress = { acknowledged: 0, ends: false };
  const bringing = bring(intake, meter, progress);
  await until(() => progress.acknowledged >= 40);
  expect(events.find((event) => event.event === "spoolRetried" || event.event === "spoolBegun")).toBeDefined();
  const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-replica-start-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  process.env["DLMS_GATEWAY_REPLICA_TEST"] = servers.standbyUrl;
  const heard: GatewayEvent[] = [];
  const starting = Gateway.start({
    config: configSchema.parse({
      stateDirectory: directory,
      socket: join(directory, "control.sock"),
      database: { url: "env:DLMS_GATEWAY_REPLICA_TEST" },
      plans: [],
      meters: [],
    }),
    version: "test",
    stopping: new AbortController().signal,
    events: (event) => heard.push(event),
  });
  await until(() => heard.some((event) => event.event === "databaseAway"));
  expect(heard.find((event) => event.event === "databaseAway")).toMatchObject({
    goesOn: false,
    reason: expect.stringContaining("read-only"),
  });
  // Its primary waits for it with every commit until then.
  await servers.killPrimary();
  await servers.promote();
  await using gateway = await starting;
  expect(gateway.database.capabilities.edition).toBe("postgresql");
  progress.ends = true;
  await bringing;
  await intake.drained();
  expect(await held(servers.standbyUrl, meter)).toEqual([progress.acknowledged, progress.acknowledged, 0]);
});
