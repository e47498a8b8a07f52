/** What somebody reads through the daemon is kept as what it is. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { SOURCES } from "../../src/store/profiles/profile-tables.ts";
import { type GatewayOverStreet, gatewayOverStreet } from "./street.ts";

const DAY_MS = 86_400_000;
/** The place of `on_demand` among the sources. */
const ON_DEMAND = SOURCES.indexOf("on_demand") + 1;
const ENERGY = "1.0.1.8.0.255";

let over: GatewayOverStreet;
beforeAll(async () => {
  over = await gatewayOverStreet({ count: 1 });
}, 120_000);
afterAll(() => over[Symbol.asyncDispose]());

function name(): string {
  return over.street.meters[0]?.name ?? "";
}

async function count(sql: string): Promise<number> {
  const [row] = await over.gateway.database.query<{ count: number }>(sql);
  return row?.count ?? -1;
}

test("on demand: rows of a profile are kept with their source and their octets, and polls go on after them", async () => {
  const toMs = Date.now();
  const answer = await over.gateway.read(name(), "block", { range: { fromMs: toMs - DAY_MS, toMs } });
  expect(answer.rows.length).toBeGreaterThan(20);
  const rows = () => count("select count(*)::int as count from dlms.block_load_profile where source = 'on_demand'");
  await expect.poll(rows, { timeout: 20_000 }).toBe(answer.rows.length);
  const buffers = () =>
    count(`select count(*)::int as count from dlms.raw_buffers where profile = 'block_load' and source = ${ON_DEMAND}`);
  expect(await buffers()).toBe(1);
  await over.gateway.pollOnce();
  expect(await count("select count(*)::int as count from dlms.profile_revisions")).toBe(0);
  expect(await rows()).toBe(answer.rows.length);
  const polled = "select count(*)::int as count from dlms.block_load_profile where source = 'poll'";
  expect(await count(polled)).toBeGreaterThan(answer.rows.length);
});

test("on demand: a single value is among the readings, exact and with its unit", async () => {
  const answer = await over.gateway.read(name(), `3:${ENERGY}:2`);
  const readings = () =>
    over.gateway.database.query<{ capture_object: string; value: string; unit: string; source: string }>(
      "select capture_object, value::text as value, unit, source from public.meter_readings where source = 'on_demand'",
    );
  await expect.poll(async () => (await readings()).length, { timeout: 20_000 }).toBe(1);
  const [reading] = await readings();
  expect(reading).toMatchObject({ capture_object: `3:${ENERGY}:2`, unit: "W.h", source: "on_demand" });
  expect(Number(reading?.value)).toBe(Number(answer.rows[0]?.[0]));
});
