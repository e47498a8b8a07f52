import { afterAll, beforeAll, expect, test } from "vitest";
import { type GapRow, gapRowSchema } from "../../src/api/gap-order.ts";
import { askForLines, type LocalOrder } from "../../src/api/local-client.ts";
import { maintenanceLineSchema } from "../../src/api/maintenance-order.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import type { GatewayEvent } from "../../src/observe/events.ts";
import { checkCoverage, rebuildCoverage } from "../../src/store/ledger/coverage.ts";
import { type GatewayOverStreet, gatewayOverStreet } from "./street.ts";

const DAY_MS = 86_400_000;
const COUNT = 5;
/** The last one never answers. */
const FAULTS = { 4: "answers-nothing" } as const;

let over: GatewayOverStreet;
let gateway: Gateway;
const events: GatewayEvent[] = [];
beforeAll(async () => {
  over = await gatewayOverStreet({ count: COUNT, faults: FAULTS }, { responseTimeout: "3s" });
  gateway = over.gateway;
  await gateway.pollOnce();
}, 120_000);
afterAll(async () => {
  if (gateway !== over.gateway) await gateway.stop("test");
  await over[Symbol.asyncDispose]();
});

async function collected<T>(lines: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

async function gaps(order: LocalOrder["query"]): Promise<GapRow[]> {
  const [from, to] = [Date.now() - 8 * DAY_MS, Date.now()].map((ms) => new Date(ms).toISOString());
  const query = { from, to, ...order };
  return collected(askForLines(over.config.socket, { path: "/v1/gaps", query }, gapRowSchema));
}

async function blockRows(): Promise<number> {
  const rows = await gateway.database.query<{ count: number }>(
    "select count(*)::int as count from dlms.block_load_profile_data",
  );
  return rows[0]?.count ?? 0;
}

test("ledger: what was polled is held, the ledger agrees, and how meters capture is known", async () => {
  const check = await checkCoverage(gateway.database);
  expect(check.faults).toEqual([]);
  expect(check.pages).toBeGreaterThan(COUNT * 7);
  const memories = await gateway.database.query<{ profile: string; meters: number; entries: number }>(
    `select profile, count(*)::int as meters, min(entries) as entries from dlms.meter_profiles group by profile order by 1`,
  );
  expect(memories.map(({ profile, meters }) => [profile, meters])).toEqual([
    ["billing", COUNT - 1],
    ["block_load", COUNT - 1],
    ["daily_load", COUNT - 1],
  ]);
  for (const { entries } of memories) expect(entries).toBeGreaterThan(1);
});

test("ledger: gaps tell of the meter that never answered, with the cause and the next step", async () => {
  const silent = over.street.meters[4]?.name ?? "";
  const unread = await gaps({ state: ["unread"] });
  expect(unread.map(({ meter, profile }) => [meter, profile])).toEqual([
    [silent, "block_load"],
    [silent, "daily_load"],
    [silent, "billing"],
  ]);
  expect(unread[0]).toMatchObject({ willCome: "when the meter answers, if it has the profile" });
  // The record of attempts is written a moment later than the rows.
  await expect
    .poll(async () => (await gaps({ state: ["unread"] }))[0]?.why, { timeout: 20_000 })
    .toContain("no answer");
  expect((await gaps({ state: ["unread"] }))[0]?.nextStep).toContain("power");
  expect(await gaps({ state: ["late", "missing", "gone"], meter: [over.street.meters[0]?.name ?? ""] })).toEqual([]);
  await expect(gaps({ meter: ["nobody"] })).rejects.toThrow("nobody");
});

test("replay: the octets of what was polled make the same rows again", async () => {
  const buffers = async () => {
    const rows = await gateway.database.query<{ count: number }>(
      `select count(distinct (meter_key, profile))::int as count
       from dlms.raw_buffers cross join unnest(meter_keys) as m (meter_key)`,
    );
    return rows[0]?.count;
  };
  // They are written a moment later than the rows.
  await expect.poll(buffers, { timeout: 20_000 }).toBe(4 * (COUNT - 1));
  const order = { path: "/v1/maintenance", body: { task: "replay" } };
  const lines = await collected(askForLines(over.config.socket, order, maintenanceLineSchema));
  const told = lines.filter((line) => "text" in line);
  expect(told.filter((line) => line.isFault)).toEqual([]);
  const [, revised, filled, fresh] = / (\d+) revised, (\d+) filled in, (\d+) new /.exec(told.at(-1)?.text ?? "") ?? [];
  const steps = lines.filter((line) => "done" in line);
  expect(steps.length).toBeGreaterThan(0);
  expect(steps.at(-1)).toMatchObject({ done: steps.length, total: steps.length });
  expect([revised, filled]).toEqual(["0", "0"]);
  // A range is asked for a period wider than wanted; what lay in the margin is in the octets too.
  expect(Number(fresh)).toBeLessThanOrEqual(2 * 3 * (COUNT - 1));
  expect((await checkCoverage(gateway.database)).faults).toEqual([]);
});

test("replay: of registers that were read one by one their row can be made again", async () => {
  const { database } = gateway;
  const rowsOf = (meterKey: number) =>
    database.query("select to_jsonb(d) - 'known_from' as row from dlms.instant_profile_data d where meter_key = $1", [
      meterKey,
    ]);
  const [kept] = await database.query<{ meter_key: number }>(
    "select meter_keys[1] as meter_key from dlms.raw_buffers where form = 'registers' and profile = 'instant' limit 1",
  );
  const meterKey = kept?.meter_key ?? 0;
  const before = await rowsOf(meterKey);
  expect(before.length).toBeGreaterThan(0);
  await database.query("delete from dlms.instant_profile_data where meter_key = $1", [meterKey]);
  const order = { path: "/v1/maintenance", body: { task: "replay" } };
  await collected(askForLines(over.config.socket, order, maintenanceLineSchema));
  expect(await rowsOf(meterKey)).toEqual(before);
});

test("ledger: rows that are gone from the database are open again, and only they are asked for", async () => {
  const before = await blockRows();
  const since = new Date(Date.now() - 3 * DAY_MS);
  const deleted = await gateway.database.query<{ meter_key: number }>(
    `delete from dlms.block_load_profile_data
     where captured_at between $1::timestamptz and $1::timestamptz + interval '5 hours' returning meter_key`,
    [since],
  );
  expect(deleted.length).toBeGreaterThan(COUNT);
  const order = { path: "/v1/maintenance", body: { task: "coverage-check" } };
  const lines = await collected(askForLines(over.config.socket, order, maintenanceLineSchema));
  expect(lines.filter((line) => "text" in line && line.isFault).length).toBeGreaterThanOrEqual(COUNT - 1);
  await rebuildCoverage(gateway.database);
  expect((await checkCoverage(gateway.database)).faults).toEqual([]);
  const late = await gaps({ state: ["late"], profile: ["block_load"] });
  expect(late.reduce((sum, gap) => sum + gap.slots, 0)).toBe(deleted.length);
  // A gateway that starts anew knows of it from the ledger alone.
  await gateway.stop("restart");
  gateway = await Gateway.start({ config: over.config, version: "test", events: (event) => events.push(event) });
  await gateway.pollOnce();
  expect(await blockRows()).toBeGreaterThanOrEqual(before);
  expect(await gaps({ state: ["late"], profile: ["block_load"] })).toEqual([]);
  const rows = events.flatMap((event) => (event.event === "rowsStored" ? [event.rows] : [])).reduce((a, b) => a + b, 0);
  expect(rows).toBeLessThan(2 * deleted.length + 20 * COUNT);
});
