/** Runs every query of docs/sql.md over what a street of meters gave. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type GatewayOverStreet, gatewayOverStreet } from "./street.ts";

/** Those that tell of what did not happen in the street: no pushes, revisions or disagreements. */
const WITHOUT_ROWS = new Set([8, 15, 16]);

const COUNT = 5;

let over: GatewayOverStreet;
beforeAll(async () => {
  over = await gatewayOverStreet({ count: COUNT, faults: { 3: "refuses-association" } });
  await over.gateway.pollOnce();
  // Tries are written in groups.
  const allTried = async () => {
    const tried = await over.gateway.database.query("select distinct meter_id from dlms.read_attempts");
    return tried.length === COUNT;
  };
  await vi.waitUntil(allTried, { timeout: 20_000 });
}, 120_000);
afterAll(() => over[Symbol.asyncDispose]());

async function queries(): Promise<readonly (readonly [number: number, sql: string])[]> {
  const page = await readFile(join(import.meta.dirname, "../../docs/sql.md"), "utf8");
  const found = [...page.matchAll(/^\*\*(\d+)\. [\s\S]*?```sql\n([\s\S]*?)```/gm)];
  return found.map(([, number = "", sql = ""]) => [Number(number), sql]);
}

test("docs/sql.md: each of its questions has a query that runs, and gives rows", async () => {
  const { database } = over.gateway;
  const all = await queries();
  expect(all.map(([number]) => number)).toEqual(Array.from({ length: 16 }, (_, index) => index + 1));
  const told: (readonly [number, boolean])[] = [];
  for (const [number, sql] of all) told.push([number, (await database.query(sql)).length > 0]);
  expect(told.filter(([number, rows]) => rows === WITHOUT_ROWS.has(number))).toEqual([]);
});

test("docs/sql.md: the day's consumption is that of the meter, and the meter that does not answer is named", async () => {
  const { database } = over.gateway;
  const sql = new Map(await queries());
  const days = await database.query<{ kwh: string; complete: boolean }>(sql.get(1) ?? "");
  expect(days.filter(({ complete }) => complete).length).toBeGreaterThanOrEqual(6);
  for (const { kwh } of days) expect(Number(kwh)).toBeGreaterThan(0);
  const silent = await database.query<{ name: string; cause: string }>(sql.get(14) ?? "");
  expect(silent).toMatchObject([{ name: over.street.meters[3]?.name, cause: "association refused" }]);
});
