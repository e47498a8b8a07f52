import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PROFILE_COLUMNS } from "../../src/profiles/columns.ts";
import { type Database, openDatabase } from "../../src/store/database/database.ts";
import { migrate } from "../../src/store/database/migrations.ts";
import { BatchQueue } from "../../src/store/intake/batch-queue.ts";
import { ProfileWriter } from "../../src/store/profiles/profile-writer.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../src/store/server/embedded-postgres.ts";
import { blockLoad, makeMeters, slots } from "./profile-batches.ts";
import { query } from "./query.ts";
import { scratchDirectory } from "./scratch.ts";

/** More with CRASH_ROUNDS; each takes about a second. */
const ROUNDS = Number(process.env["CRASH_ROUNDS"] ?? 5);
const METERS = 10;
const SLOTS_AT_ONCE = 20;
/** After every slot that a long run brings. */
const READ_AT = new Date(Date.UTC(2060, 0, 1));

let directory = "";
let server: EmbeddedPostgres;
let database: Database;

beforeAll(async () => {
  directory = scratchDirectory("crash");
  server = await startEmbeddedPostgres({ directory });
  await migrate(server.url);
  database = await openDatabase({ url: server.url, connections: 4 });
});

afterAll(async () => {
  await database.close();
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

test("store: when the server is killed again and again, what was acknowledged is held, each row once", async () => {
  const meters = await makeMeters(
    database,
    slots(0, METERS).map((index) => `K${index}`),
  );
  const writer = new ProfileWriter(database, PROFILE_COLUMNS);
  let retries = 0;
  const queue = new BatchQueue({
    write: (batches) => writer.write(batches),
    writers: 3,
    groupRows: 100,
    groupDelayMs: 5,
    keptRows: 2000,
    onRetry: () => retries++,
  });
  const acknowledged = new Map<number, number>(meters.map((meter) => [meter, 0]));
  const refused: string[] = [];
  const progress = { putSlots: 0, ends: false };
  const bring = async () => {
    for (; !progress.ends; progress.putSlots += SLOTS_AT_ONCE) {
      const range = slots(progress.putSlots, progress.putSlots + SLOTS_AT_ONCE);
      for (const meter of meters) {
        const { written } = await queue.put(blockLoad(meter, range, { readAt: READ_AT }));
        written.then(
          () => acknowledged.set(meter, (acknowledged.get(meter) ?? 0) + range.length),
          (error: unknown) => refused.push(String(error)),
        );
      }
    }
  };
  const bringing = bring();
  const killedPids = new Set<number>();
  for (let round = 0; round < ROUNDS; round++) {
    await sleep(100 + ((round * 137) % 400));
    killedPids.add(server.pid);
    process.kill(server.pid, "SIGKILL");
    while (killedPids.has(server.pid)) await sleep(20);
  }
  progress.ends = true;
  await bringing;
  await queue.stop(60_000);
  const rows = await query(
    server.url,
    `select meter_key, count(*)::int, count(distinct captured_at)::int, sum(active_import)::text
     from dlms.block_load_profile_data group by meter_key order by meter_key`,
  );
  const sum = slots(0, progress.putSlots).reduce((total, slot) => total + 1000n * BigInt(slot), 0n);
  const { putSlots } = progress;
  expect(refused).toEqual([]);
  expect(rows).toEqual(meters.map((meter) => [meter, putSlots, putSlots, String(sum)]));
  expect([...acknowledged.values()]).toEqual(meters.map(() => putSlots));
  expect(retries).toBeGreaterThan(0);
  expect(database.busyConnections).toBe(0);
});
