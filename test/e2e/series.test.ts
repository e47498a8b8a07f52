/** The verbs of series, collections and runs as real processes over a database. */

import { expect, test } from "vitest";
import { blockLoad, makeMeters, START_MS } from "../db/profile-batches.ts";
import { Gathering, keepAllQuantities } from "../db/series-tables.ts";
import { useTestDatabase } from "../db/test-database.ts";
import { type Ended, run } from "./command.ts";

const NAME = "m.CLI1.voltage_l1.block_load";

const current = useTestDatabase(async (database) => {
  await keepAllQuantities(database);
  const [key = 0] = await makeMeters(database, ["CLI1"]);
  const gathering = new Gathering(database);
  await gathering.write(blockLoad(key, [0, 1], { columns: [{ column: "voltage_l1", values: [230_000n, 231_000n] }] }));
  await database.query("select pg_sleep(0.01)");
  await gathering.write(blockLoad(key, [0], { columns: [{ column: "voltage_l1", values: [229_000n] }] }));
});

function series(...args: string[]): Promise<Ended> {
  return run([...args, "--url", "env:TEST_DATABASE"], { TEST_DATABASE: current().url });
}

test("series list, show and read: as a table, as JSON and as CSV", async () => {
  const list = await series("series", "list", "voltage");
  expect(list).toMatchObject({ code: 0, err: "" });
  expect(list.out.split("\n").slice(0, 3)).toEqual([
    expect.stringMatching(/^key +dataset +meter +quantity +unit$/) as string,
    expect.stringMatching(/^─+/) as string,
    expect.stringMatching(/^m\.CLI1\.voltage_l1\.block_load +block_load +CLI1 +voltage_l1 +V$/) as string,
  ]);
  const shown = await series("series", "show", NAME, "--json");
  expect(JSON.parse(shown.out)).toEqual([
    { key: NAME, name: "description", value: "Average voltage, phase l1", locale: "en", level: "gateway" },
  ]);
  const read = await series("series", "read", NAME, "--csv");
  expect(read.out.split("\n")[0]).toBe("key,at,value,unit,quality,known_from");
  expect(read.out.split("\n")[1]).toContain(`${NAME},${new Date(START_MS).toISOString()},229.000,V,raw,`);
  const history = JSON.parse((await series("series", "read", NAME, "--history", "--json")).out) as Record<
    string,
    string
  >[];
  expect(history.map(({ value }) => value)).toEqual(["230.000", "229.000", "231.000"]);
  const before = history[0]?.["known_from"] ?? "";
  // The driver's times end at milliseconds: the first version was known some microseconds later.
  const moment = new Date(Date.parse(before) + 1).toISOString();
  const asOf = JSON.parse((await series("series", "read", NAME, "--as-of", moment, "--json")).out) as Record<
    string,
    string
  >[];
  expect(asOf.map(({ value }) => value)).toEqual(["230.000", "231.000"]);
});

test("series read: a key that is not there is a failure with the database's words", async () => {
  const { code, err } = await series("series", "read", "m.NONE.voltage_l1.block_load");
  expect(code).toBe(1);
  expect(err).toContain("m.NONE.voltage_l1.block_load");
});

test("collections: made, filled, shown, emptied and dropped", async () => {
  expect(await series("collections", "make", "volts", "--pattern", "voltage", "--public")).toMatchObject({
    code: 0,
    err: "",
  });
  expect((await series("collections", "show", "volts", "--csv")).out).toBe(`member\n${NAME}\n`);
  expect((await series("collections", "make", "street", "--meters")).code).toBe(0);
  expect((await series("collections", "add", "street", "CLI1")).out).toBe("1 added to street\n");
  expect((await series("collections", "list", "--csv")).out).toMatch(/^street,.*,meters,private,,$/m);
  const removed = await series("collections", "remove", "street", "CLI1", "--json");
  expect(JSON.parse(removed.out)).toEqual({ collection: "street", removed: 1 });
  expect((await series("collections", "drop", "street")).code).toBe(0);
  expect((await series("collections", "show", "street")).code).toBe(1);
});

test("runs: drafted, frozen, released, read and verified; a change is told with exit code 1", async () => {
  const cutoff = new Date().toISOString();
  const period = ["--from", new Date(START_MS).toISOString(), "--to", "infinity"];
  const made = await series("runs", "make", "block_load/R1", ...period, "--cutoff", cutoff, "--pattern", "CLI1");
  expect(made).toEqual({ code: 0, out: "block_load/R1 is a draft\n", err: "" });
  expect((await series("runs", "freeze", "block_load/R1")).out).toMatch(/^[0-9a-f]{64}\n$/);
  expect((await series("runs", "release", "block_load/R1")).code).toBe(0);
  expect((await series("runs", "list", "--csv")).out).toMatch(/^block_load,R1,released,/m);
  expect((await series("series", "read", NAME, "--run", "block_load/R1", "--csv")).out.split("\n")).toHaveLength(4);
  expect(await series("runs", "verify", "block_load/R1")).toMatchObject({ code: 0, out: "" });
  await current().database.query("update dlms.block_load_profile_data set voltage_l1 = 1 where captured_at = $1", [
    new Date(START_MS + 900_000),
  ]);
  const verified = await series("runs", "verify", "block_load/R1");
  expect(verified.code).toBe(1);
  expect(verified.out).toContain(NAME);
});
