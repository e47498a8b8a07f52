/** Runs every query of docs/series.md, in order, as people would. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { blockLoad, makeMeters, slots } from "./profile-batches.ts";
import { query } from "./query.ts";
import { Gathering, keepAllQuantities } from "./series-tables.ts";
import { useTestDatabase } from "./test-database.ts";

const current = useTestDatabase(async (database) => {
  await keepAllQuantities(database);
  const [key = 0] = await makeMeters(database, ["SMT10007"]);
  await new Gathering(database).write(blockLoad(key, slots(0, 100)));
  // The page makes a run with its cutoff a second ago.
  await database.query("select pg_sleep(1.1)");
});

/** Of these, whatever stands in the page gives no row, or one. */
const EMPTY = [/verify_run/, /least_quality/, /as_of/, /dlms_views\.runs/];

test("docs/series.md: each query runs, in order, and gives rows", async () => {
  const page = await readFile(join(import.meta.dirname, "../../docs/series.md"), "utf8");
  const statements = [...page.matchAll(/```sql\n([\s\S]*?)```/g)]
    .flatMap(([, block = ""]) => block.split(/;\n/))
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
  expect(statements.length).toBeGreaterThan(20);
  const withoutRows: string[] = [];
  for (const statement of statements) {
    const rows = await query(current().url, statement);
    if (rows.length === 0 && !EMPTY.some((pattern) => pattern.test(statement))) withoutRows.push(statement);
  }
  expect(withoutRows).toEqual([]);
  expect(await query(current().url, "select * from dlms_api.verify_run('block_load', '2026-01 R1')")).toEqual([]);
});
