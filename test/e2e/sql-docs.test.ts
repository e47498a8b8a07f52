/** Runs every query of docs/sql.md, and of the dashboards, over what a street of meters gave. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { type Database, openDatabase } from "../../src/store/database/database.ts";
import { type GatewayOverStreet, gatewayOverStreet } from "./street.ts";

/** Those that tell of what did not happen in the street: no pushes, revisions or disagreements. */
const WITHOUT_ROWS = new Set([8, 15, 16]);

const COUNT = 5;

let over: GatewayOverStreet;
/** As the dashboards' login. */
let grafana: Database;
beforeAll(async () => {
  over = await gatewayOverStreet({ count: COUNT, faults: { 3: "refuses-association" } });
  await over.pollOnce();
}, 120_000);
beforeAll(async () => {
  const script = await readFile(join(import.meta.dirname, "../../docs/observe/grafana.sql"), "utf8");
  await over.gateway.database.query(script.replace(":'password'", "'of-a-test'"));
  const url = new URL(over.gateway.databaseUrl);
  Object.assign(url, { username: "grafana", password: "of-a-test" });
  grafana = await openDatabase({ url: url.href, connections: 1 });
});
afterAll(async () => {
  await grafana.close();
  await over[Symbol.asyncDispose]();
});

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

const dashboardSchema = z.object({
  templating: z.object({ list: z.array(z.object({ name: z.string(), query: z.string() })) }),
  panels: z.array(
    z.object({ title: z.string(), targets: z.array(z.object({ format: z.string(), rawSql: z.string() })) }),
  ),
});

/** As Grafana asks: the last month, of this meter. */
function asked(sql: string, meterNumber: string): string {
  return sql
    .replace(/\$__timeFilter\(([\w.]+)\)/g, "$1 between now() - interval '31 days' and now()")
    .replace(/\$\{meter:sqlstring\}/g, `'${meterNumber}'`);
}

/** Nobody pushes in the street. */
const PUSHES = /^Pushes/;

test.each(["fleet", "meter"])("dashboard %s: each panel's query runs, and gives what the panel shows", async (name) => {
  const text = await readFile(join(import.meta.dirname, `../../docs/observe/dashboards/${name}.json`), "utf8");
  const { templating, panels } = dashboardSchema.parse(JSON.parse(text));
  const variable = templating.list.find((each) => each.name === "meter");
  const meters = variable === undefined ? [] : await grafana.query<{ __value: string }>(variable.query);
  expect(meters).toHaveLength(name === "meter" ? COUNT : 0);
  const meterNumber = over.street.meters[0]?.serial ?? "";
  for (const { title, targets } of panels) {
    for (const { format, rawSql } of targets) {
      const rows = await grafana.query<Record<string, unknown>>(asked(rawSql, meterNumber));
      const shown = rows.some((row) => Object.entries(row).some(([name, value]) => name !== "time" && value !== null));
      expect([title, shown]).toEqual([title, !PUSHES.test(title)]);
      const isTimed = rows.every((row) => format !== "time_series" || row["time"] instanceof Date);
      expect([title, isTimed]).toEqual([title, true]);
    }
  }
});

test("dashboards: their login can't read keys or tokens", async () => {
  for (const table of ["keys", "api_tokens", "added_meters"]) {
    await expect(grafana.query(`select from dlms.${table}`)).rejects.toThrow(/permission denied/);
  }
});
