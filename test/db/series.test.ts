import { expect, test } from "vitest";
import { blockLoad, makeMeters, SLOT_MS, START_MS, slots } from "./profile-batches.ts";
import { query } from "./query.ts";
import { Gathering, keepAllQuantities } from "./series-tables.ts";
import { useTestDatabase } from "./test-database.ts";

const current = useTestDatabase(keepAllQuantities);
let made = 0;

async function newMeter(): Promise<{ key: number; number: string }> {
  const number = `S${++made}`;
  const [key = 0] = await makeMeters(current().database, [number]);
  return { key, number };
}

function rows(text: string, values: readonly unknown[] = []): Promise<unknown[][]> {
  return query(current().url, text, values);
}

async function databaseTime(): Promise<Date> {
  const [row] = await current().database.query<{ now: Date }>("select clock_timestamp() as now");
  if (row === undefined) throw new Error("no time");
  // The driver's Date has whole milliseconds: the next one lies after all that was done.
  return new Date(row.now.getTime() + 1);
}

async function pause(): Promise<void> {
  await rows("select pg_sleep(0.003)");
}

/** Value, quality by slot number, as known at a moment. */
async function asOf(key: string, moment: Date | "infinity", bounds: readonly [string, string] = ["raw", "final"]) {
  const found = await rows(
    `select (extract(epoch from at) * 1000)::bigint, value::text, quality
     from dlms_api.read_series(array[$1::text], as_of => $2::timestamptz, least_quality => $3, best_quality => $4)`,
    [key, moment, ...bounds],
  );
  return found.map(([ms, value, quality]) => [(Number(ms) - START_MS) / SLOT_MS, value, quality]);
}

test("series: the first batch of a layout makes the series of its columns, further ones none", async () => {
  const { key, number } = await newMeter();
  const gathering = new Gathering(current().database);
  const others = [{ captureObject: "3:1.0.99.99.0.255:2", unit: "kWh", values: ["12.30", "12.40"] }];
  const columns = [
    { column: "voltage_l1", values: [230_123n, 230_124n] },
    { column: "mbus1_time", values: [1n, 2n] },
  ];
  await gathering.write(blockLoad(key, [0, 1], { columns, others }));
  expect(await gathering.catalogue.learn([blockLoad(key, [2, 3], { columns, others })])).toBe(0);
  const again = new Gathering(current().database);
  expect(await again.catalogue.learn([blockLoad(key, [2, 3], { columns, others })])).toBe(0);
  expect(
    await rows("select key, dataset, meter_number, quantity, unit from dlms_api.find_series($1) order by 1", [
      `^m\\.${number}\\.`,
    ]),
  ).toEqual([
    [`m.${number}.0100636300ff.a2.block_load`, "block_load", number, "0100636300ff.a2", "kWh"],
    [`m.${number}.voltage_l1.block_load`, "block_load", number, "voltage_l1", "V"],
  ]);
  expect(
    await rows("select key, value::text, value_text, unit, quality from dlms_api.read_series($1)", [
      [`m.${number}.0100636300ff.a2.block_load`, `m.${number}.voltage_l1.block_load`],
    ]),
  ).toEqual([
    [`m.${number}.0100636300ff.a2.block_load`, "12.30", null, "kWh", "raw"],
    [`m.${number}.0100636300ff.a2.block_load`, "12.40", null, "kWh", "raw"],
    [`m.${number}.voltage_l1.block_load`, "230.123", null, "V", "raw"],
    [`m.${number}.voltage_l1.block_load`, "230.124", null, "V", "raw"],
  ]);
});

test("series: numbers are not used up by layouts that are met again", async () => {
  const { key } = await newMeter();
  const latest = "select max(series_key) from dlms.series";
  await new Gathering(current().database).catalogue.learn([blockLoad(key, [0])]);
  const [[before] = []] = await rows(latest);
  for (let start = 0; start < 5; start++)
    await new Gathering(current().database).catalogue.learn([blockLoad(key, [0])]);
  const next = await newMeter();
  await new Gathering(current().database).catalogue.learn([
    blockLoad(next.key, [0], { columns: [{ column: "voltage_l1", values: [1n] }] }),
  ]);
  expect(await rows(latest)).toEqual([[Number(before) + 1]]);
});

test("series: a key is found by its alias, and with the object as OBIS code", async () => {
  const { key, number } = await newMeter();
  const columns = [{ column: "active_import_total", values: [1n] }];
  const others = [{ captureObject: "3:1.0.99.99.0.255:2", unit: "kWh", values: ["1"] }];
  await new Gathering(current().database).write(blockLoad(key, [0], { columns, others }));
  await rows("select dlms_api.add_alias($1, $2)", [`m.${number}.active_import_total.block_load`, `former/${number}`]);
  for (const name of [
    `former/${number}`,
    `m.${number}.1.0.1.8.0.255.block_load`,
    `m.${number}.1-0:1.8.0*255.block_load`,
    `m.${number}.1-0:1.8.0.block_load`,
    `m.${number}.0100010800ff.a2.block_load`,
  ]) {
    expect([name, await rows("select key from dlms_api.read_series(array[$1])", [name])]).toEqual([
      name,
      [[`m.${number}.active_import_total.block_load`]],
    ]);
  }
  expect(
    await rows("select key from dlms_api.read_series(array[$1])", [`m.${number}.1.0.99.99.0.255.a2.block_load`]),
  ).toEqual([[`m.${number}.0100636300ff.a2.block_load`]]);
  await expect(
    rows("select * from dlms_api.read_series(array[$1])", [`m.${number}.1.0.999.8.0.255.block_load`]),
  ).rejects.toMatchObject({ code: "42704" });
});

function voltage(values: readonly (bigint | undefined)[]) {
  return [{ column: "voltage_l1", values }];
}

test("series: a read as of a moment shows what was known then, revisions and completions included", async () => {
  const { key, number } = await newMeter();
  const gathering = new Gathering(current().database);
  const name = `m.${number}.voltage_l1.block_load`;
  const start = await databaseTime();
  await pause();
  await gathering.write(blockLoad(key, [0, 1, 2], { columns: voltage([100n, undefined, 300n]) }));
  const first = await databaseTime();
  await pause();
  await gathering.write(blockLoad(key, [0, 1, 2], { columns: voltage([111n, 200n, 300n]) }));
  const second = await databaseTime();
  await pause();
  await gathering.write(blockLoad(key, [0, 1, 2], { columns: voltage([112n, 201n, 300n]) }));
  expect(await asOf(name, start)).toEqual([]);
  expect(await asOf(name, first)).toEqual([
    [0, "0.100", "raw"],
    [2, "0.300", "raw"],
  ]);
  expect(await asOf(name, second)).toEqual([
    [0, "0.111", "raw"],
    [1, "0.200", "raw"],
    [2, "0.300", "raw"],
  ]);
  expect((await asOf(name, "infinity")).map(([, value]) => value)).toEqual(["0.112", "0.201", "0.300"]);
  const history = await rows(
    "select value::text, known_to is null from dlms_api.read_history(array[$1]) order by at, known_from",
    [name],
  );
  expect(history).toEqual([
    ["0.100", false],
    ["0.111", false],
    ["0.112", true],
    ["0.200", false],
    ["0.201", true],
    ["0.300", true],
  ]);
});

function named(value: string, more: string) {
  return {
    columns: [],
    others: [
      { captureObject: "3:1.0.99.99.0.255:2", unit: "kWh", values: [value] },
      { captureObject: "1:0.0.96.1.0.255:2", unit: undefined, values: [more] },
    ],
  };
}

test("series: what no column is for is read as of a moment too", async () => {
  const { key, number } = await newMeter();
  const gathering = new Gathering(current().database);
  await gathering.write(blockLoad(key, [0], named("1.0", "ABC")));
  const first = await databaseTime();
  await pause();
  await gathering.write(blockLoad(key, [0], named("2.0", "ABC")));
  expect(await asOf(`m.${number}.0100636300ff.a2.block_load`, first)).toEqual([[0, "1.0", "raw"]]);
  expect(await asOf(`m.${number}.0100636300ff.a2.block_load`, "infinity")).toEqual([[0, "2.0", "raw"]]);
  expect(
    await rows("select value, value_text from dlms_api.read_history(array[$1])", [
      `m.${number}.0000600100ff.a2.block_load`,
    ]),
  ).toEqual([[null, "ABC"]]);
});

async function store(key: string, values: readonly (readonly [slot: number, value: string | null])[], quality: string) {
  const [[stored] = []] = await rows(
    `select dlms_api.store_values('block_load', array_fill($1::text, array[cardinality($2::timestamptz[])]), $2, $3::numeric[], $4)`,
    [key, values.map(([slot]) => new Date(START_MS + slot * SLOT_MS)), values.map(([, value]) => value), quality],
  );
  return stored;
}

test("series: values climb the ladder, a read takes the best known within bounds, raw stays", async () => {
  const { key, number } = await newMeter();
  const gathering = new Gathering(current().database);
  const name = `m.${number}.voltage_l1.block_load`;
  await gathering.write(blockLoad(key, [0, 1, 2], { columns: [{ column: "voltage_l1", values: [100n, 200n, 300n] }] }));
  const raw = await databaseTime();
  await pause();
  expect(await store(name, [[0, "0.1"]], "validated")).toBe(1);
  expect(await store(name, [[1, "0.2"]], "suspect")).toBe(1);
  expect(await store(name, [[3, "0.4"]], "estimated")).toBe(1);
  const validated = await databaseTime();
  await pause();
  // The meter comes up with another value later: that does not undo what was decided.
  await gathering.write(blockLoad(key, [0], { columns: [{ column: "voltage_l1", values: [101n] }] }));
  await store(name, [[1, "0.25"]], "edited");
  await store(name, [[0, "0.15"]], "final");
  await store(name, [[0, "0.16"]], "edited");
  expect(await asOf(name, raw)).toEqual([
    [0, "0.100", "raw"],
    [1, "0.200", "raw"],
    [2, "0.300", "raw"],
  ]);
  expect(await asOf(name, validated)).toEqual([
    [0, "0.100", "validated"],
    [1, "0.200", "suspect"],
    [2, "0.300", "raw"],
    [3, "0.400", "estimated"],
  ]);
  expect(await asOf(name, "infinity")).toEqual([
    [0, "0.150", "final"],
    [1, "0.250", "edited"],
    [2, "0.300", "raw"],
    [3, "0.400", "estimated"],
  ]);
  expect(await asOf(name, "infinity", ["raw", "raw"])).toEqual([
    [0, "0.101", "raw"],
    [1, "0.200", "raw"],
    [2, "0.300", "raw"],
  ]);
  expect(await asOf(name, validated, ["validated", "final"])).toEqual([
    [0, "0.100", "validated"],
    [3, "0.400", "estimated"],
  ]);
  await expect(asOf(name, "infinity", ["good", "final"])).rejects.toMatchObject({ code: "22023" });
});

test("series: the same value again adds nothing, a null withdraws, nothing can be changed", async () => {
  const { key, number } = await newMeter();
  const name = `m.${number}.voltage_l1.block_load`;
  await new Gathering(current().database).write(
    blockLoad(key, [0], { columns: [{ column: "voltage_l1", values: [100n] }] }),
  );
  expect(await store(name, [[0, "0.2"]], "estimated")).toBe(1);
  expect(await store(name, [[0, "0.2"]], "estimated")).toBe(0);
  expect(await store(name, [[0, null]], "estimated")).toBe(1);
  expect(await asOf(name, "infinity")).toEqual([]);
  await expect(rows("update dlms.series_values set value = 1")).rejects.toMatchObject({ code: "55000" });
  await expect(rows("delete from dlms.series_revisions")).rejects.toMatchObject({ code: "55000" });
  await expect(rows("truncate dlms.series_values")).rejects.toMatchObject({ code: "55000" });
});

const IMPOSSIBLE = [
  ["an amount finer than the column", [[0, "0.1234567"]], "estimated", "22003"],
  ["an amount beyond 64 bits", [[0, "1e30"]], "estimated", "22003"],
  [
    "a slot twice",
    [
      [0, "1"],
      [0, "2"],
    ],
    "estimated",
    "22023",
  ],
  ["raw values of a profile", [[0, "1"]], "raw", "22023"],
  ["a quality that is none", [[0, "1"]], "excellent", "22023"],
] as const;

test.each(IMPOSSIBLE)("series: %s is refused by name, and nothing is stored", async (_name, values, quality, code) => {
  const { key, number } = await newMeter();
  await new Gathering(current().database).write(blockLoad(key, [0]));
  const before = await rows("select count(*) from dlms.series_revisions");
  await expect(store(`m.${number}.voltage_l1.block_load`, values, quality)).rejects.toMatchObject({ code });
  expect(await rows("select count(*) from dlms.series_revisions")).toEqual(before);
});

const STORE = `select dlms_api.store_values($1, $2, $3, $4)`;
const MOMENT = new Date(START_MS);

test("series: a new key becomes a series of the dataset; keys of meters can't be taken", async () => {
  expect(await rows(STORE, ["default", ["ch.kof.index"], [MOMENT], ["99.5"]])).toEqual([[1]]);
  await rows("select dlms_api.describe_series('ch.kof.index', 'Wh', null)");
  expect(await rows("select key, value::text, unit, quality from dlms_api.read_series(array['ch.kof.index'])")).toEqual(
    [["ch.kof.index", "99.500000", "Wh", "raw"]],
  );
  for (const key of ["m.FUTURE.voltage_l1.block_load", "sp.1.a.b", " x", "a'b", ""]) {
    await expect(rows(STORE, ["default", [key], [MOMENT], ["1"]])).rejects.toMatchObject({ code: "23514" });
  }
  await rows("select dlms_api.make_dataset('other')");
  await expect(rows(STORE, ["other", ["ch.kof.index"], [MOMENT], ["1"]])).rejects.toMatchObject({ code: "42704" });
});

test("series: writers of the same new keys at once all succeed, each key is there once", async () => {
  const keys = Array.from({ length: 3000 }, (_, index) => `import.${index}`);
  const shuffled = (seed: number) =>
    keys.toSorted(
      (a, b) => ((a.length * seed) % 7) - ((b.length * seed) % 7) || (seed % 2 ? 1 : -1) * a.localeCompare(b),
    );
  const stored = await Promise.all(
    [1, 2, 3, 4].map((seed) => rows(STORE, ["default", shuffled(seed), keys.map(() => MOMENT), keys.map(() => "1")])),
  );
  const counts = stored.map((each) => Number(each[0]?.[0]));
  expect(counts.toSorted((a, b) => a - b)).toEqual([0, 0, 0, keys.length]);
  expect(await rows("select count(*)::int from dlms.series where key like 'import.%'")).toEqual([[keys.length]]);
});

test("series: writers of new layouts at once do not wait for each other for ever", async () => {
  const members = await makeMeters(
    current().database,
    Array.from({ length: 200 }, (_, index) => `C${index}`),
  );
  const made = await Promise.all(
    [members, members.toReversed()].map((keys) =>
      new Gathering(current().database).catalogue.learn(keys.map((key) => blockLoad(key, [0]))),
    ),
  );
  expect(made.reduce((sum, each) => sum + each, 0)).toBe(400);
});

test("series: of a meter that is deleted go with it", async () => {
  const { key, number } = await newMeter();
  await new Gathering(current().database).write(blockLoad(key, slots(0, 3)));
  await rows("delete from public.meters where meter_key = $1", [key]);
  expect(await rows("select key from dlms_api.find_series($1)", [`^m\\.${number}\\.`])).toEqual([]);
});
