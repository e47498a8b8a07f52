import { expect, test } from "vitest";
import { blockLoad, makeMeters, SLOT_MS, START_MS, slots } from "./profile-batches.ts";
import { query } from "./query.ts";
import { Gathering, keepAllQuantities } from "./series-tables.ts";
import { useTestDatabase } from "./test-database.ts";

const current = useTestDatabase(keepAllQuantities);
let made = 0;

async function newMeter(): Promise<{ key: number; number: string }> {
  const number = `R${String(++made).padStart(3, "0")}`;
  const [key = 0] = await makeMeters(current().database, [number]);
  return { key, number };
}

function rows(text: string, values: readonly unknown[] = []): Promise<unknown[][]> {
  return query(current().url, text, values);
}

const VOLTAGES = (values: readonly bigint[]) => ({ columns: [{ column: "voltage_l1", values }] });

/** Drafts a run over the first 100 slots of the meters whose numbers match, with its cutoff now. */
async function draft(label: string, pattern: string, keepValues = false): Promise<void> {
  await rows(
    `select dlms_api.make_run('block_load', $1, $2, $3, clock_timestamp() - interval '1 microsecond',
       pattern => $4, keep_values => $5)`,
    [label, new Date(START_MS), new Date(START_MS + 100 * SLOT_MS), pattern, keepValues],
  );
}

async function freeze(label: string): Promise<unknown> {
  const [[digest] = []] = await rows("select dlms_api.freeze_run('block_load', $1)", [label]);
  return digest;
}

const RUN_VALUES = "select key, value::text from dlms_api.read_run('block_load', $1)";
const VERIFY = "select key from dlms_api.verify_run('block_load', $1)";

test("runs: what came after the cutoff is not in a run, whenever it is frozen or read", async () => {
  const { key, number } = await newMeter();
  const gathering = new Gathering(current().database);
  const name = `m.${number}.voltage_l1.block_load`;
  await gathering.write(blockLoad(key, [0, 1], VOLTAGES([100n, 200n])));
  await draft("first", `^m\\.${number}\\.`);
  await rows("select pg_sleep(0.002)");
  await gathering.write(blockLoad(key, [0, 2], VOLTAGES([101n, 300n])));
  const digest = await freeze("first");
  await gathering.write(blockLoad(key, [1, 3], VOLTAGES([201n, 400n])));
  expect(await rows(RUN_VALUES, ["first"])).toEqual([
    [name, "0.100"],
    [name, "0.200"],
  ]);
  expect(await rows(VERIFY, ["first"])).toEqual([]);
  await draft("second", `^m\\.${number}\\.`, true);
  expect(await freeze("second")).not.toBe(digest);
  expect((await rows(RUN_VALUES, ["second"])).map(([, value]) => value)).toEqual(["0.101", "0.201", "0.300", "0.400"]);
  expect(await rows("select series_count, value_count::int from dlms_api.runs() where label = 'second'")).toEqual([
    [1, 4],
  ]);
  expect(await rows("select count(*)::int from dlms_views.run_values where label in ('first', 'second')")).toEqual([
    [4],
  ]);
});

test("runs: equal runs have equal digests, and a change of what they were taken from is found", async () => {
  const { key, number } = await newMeter();
  await new Gathering(current().database).write(blockLoad(key, slots(0, 50)));
  await draft("once", `^m\\.${number}\\.`);
  const [[cutoff] = []] = await rows("select cutoff::text from dlms.runs where label = 'once'");
  const digest = await freeze("once");
  await rows("select dlms_api.make_run('block_load', 'again', $1, $2, $3::timestamptz, pattern => $4)", [
    new Date(START_MS),
    new Date(START_MS + 100 * SLOT_MS),
    cutoff,
    `^m\\.${number}\\.`,
  ]);
  expect(await freeze("again")).toBe(digest);
  expect(await rows(VERIFY, ["once"])).toEqual([]);
  // Whoever owns the tables can still do this; the digest tells.
  await rows(
    "update dlms.block_load_profile_data set voltage_l1 = voltage_l1 + 1 where meter_key = $1 and captured_at = $2",
    [key, new Date(START_MS)],
  );
  expect(await rows(VERIFY, ["once"])).toEqual([[`m.${number}.voltage_l1.block_load`]]);
});

test("runs: a frozen run can't be changed, emptied, deleted or taken back", async () => {
  const { key, number } = await newMeter();
  await new Gathering(current().database).write(blockLoad(key, [0]));
  await draft("kept", `^m\\.${number}\\.`, true);
  await freeze("kept");
  const run = "(select run_key from dlms.runs where label = 'kept')";
  for (const attempt of [
    "update dlms.runs set digest = '\\x00' where label = 'kept'",
    "update dlms.runs set cutoff = now() where label = 'kept'",
    "update dlms.runs set state = 'draft', digest = null where label = 'kept'",
    "delete from dlms.runs where label = 'kept'",
    `delete from dlms.run_series where run_key = ${run}`,
    `update dlms.run_values set value = 1 where run_key = ${run}`,
    `delete from dlms.run_values where run_key = ${run}`,
    `insert into dlms.run_values (run_key, series_key, at, value, quality, known_from)
       select run_key, series_key, now(), 1, 1, now() from dlms.run_series where run_key = ${run}`,
    "truncate dlms.run_values",
    "select dlms_api.drop_run('block_load', 'kept')",
    "select dlms_api.freeze_run('block_load', 'kept')",
  ]) {
    // Rows that others refer to are kept by their references already.
    const code = attempt.startsWith("delete from dlms.run_series") ? "23503" : "55000";
    await expect(rows(attempt)).rejects.toMatchObject({ code });
  }
  await rows("select dlms_api.release_run('block_load', 'kept')");
  await expect(
    rows("update dlms.runs set release_at = now() + interval '1 day' where label = 'kept'"),
  ).rejects.toMatchObject({ code: "55000" });
  await expect(
    rows("update dlms.runs set state = 'frozen', released_at = null where label = 'kept'"),
  ).rejects.toMatchObject({ code: "55000" });
});

test("runs: a draft whose cutoff is not over can't be frozen; drafts can be dropped", async () => {
  await rows("select dlms_api.make_run('block_load', 'early', $1, $2, now() + interval '1 hour')", [
    new Date(START_MS),
    new Date(START_MS + SLOT_MS),
  ]);
  await expect(freeze("early")).rejects.toMatchObject({ code: "55000" });
  await rows("select dlms_api.drop_run('block_load', 'early')");
  await expect(rows("select dlms_api.release_run('block_load', 'early')")).rejects.toMatchObject({ code: "42704" });
});

test("runs: freezing waits for those who write, so that nothing known before its cutoff can come later", async () => {
  const { key, number } = await newMeter();
  const { database } = current();
  const gathering = new Gathering(database);
  await gathering.write(blockLoad(key, [0], VOLTAGES([100n])));
  let freezing: Promise<unknown> | undefined;
  await database.transaction(async (client) => {
    await client.query("select dlms.keep_meters()");
    await client.query(
      `insert into dlms.block_load_profile_data (captured_at, read_at, meter_key, layout_key, source, time_rule, voltage_l1)
       values ($1, now(), $2, 1, 1, 1, 200)`,
      [new Date(START_MS + SLOT_MS), key],
    );
    await draft("waits", `^m\\.${number}\\.`);
    freezing = freeze("waits");
    const waiting = `select exists (select from pg_locks where locktype = 'advisory' and not granted)`;
    for (let round = 0; round < 500; round++) {
      const [[waits] = []] = await rows(waiting);
      if (waits === true) break;
      await rows("select pg_sleep(0.01)");
    }
    expect(await rows(waiting)).toEqual([[true]]);
  });
  await freezing;
  expect((await rows(RUN_VALUES, ["waits"])).map(([, value]) => value)).toEqual(["0.100", "0.200"]);
  expect(await rows(VERIFY, ["waits"])).toEqual([]);
});

test("runs: the latest of a period supersedes the former, and is what one is given for a time", async () => {
  const { key, number } = await newMeter();
  await new Gathering(current().database).write(blockLoad(key, [0]));
  for (const label of ["R1", "R2"]) {
    await draft(label, `^m\\.${number}\\.`);
    await freeze(label);
    await rows("select dlms_api.release_run('block_load', $1)", [label]);
  }
  expect(await rows("select label, state from dlms_api.runs() where label in ('R1', 'R2') order by 1")).toEqual([
    ["R1", "superseded"],
    ["R2", "released"],
  ]);
  expect(await rows("select label from dlms_api.latest_run('block_load', $1)", [new Date(START_MS)])).toEqual([["R2"]]);
  expect(await rows("select label from dlms_api.latest_run('block_load', $1)", [new Date(0)])).toEqual([]);
});

test("runs: only those of a collection's series, as it was when the run was frozen", async () => {
  const [one, other] = [await newMeter(), await newMeter()];
  const gathering = new Gathering(current().database);
  await gathering.write(blockLoad(one.key, [0]), blockLoad(other.key, [0]));
  await rows("select dlms_api.make_collection('district', 'meters')");
  await rows("select dlms_api.add_members('district', array[$1])", [one.number]);
  await rows(
    `select dlms_api.make_run('block_load', 'of district', $1, $2, clock_timestamp() - interval '1 microsecond', collection => 'district')`,
    [new Date(START_MS), new Date(START_MS + SLOT_MS)],
  );
  await freeze("of district");
  await rows("select dlms_api.drop_collection('district')");
  const keys = [`m.${one.number}.active_import.block_load`, `m.${one.number}.voltage_l1.block_load`];
  expect((await rows(RUN_VALUES, ["of district"])).map(([key]) => key)).toEqual(keys);
  expect(await rows(VERIFY, ["of district"])).toEqual([]);
  await expect(
    rows("select * from dlms_api.read_run('block_load', 'of district', array[$1])", [
      `m.${other.number}.voltage_l1.block_load`,
    ]),
  ).rejects.toMatchObject({ code: "42704" });
});

test("runs: a meter in a frozen run can't be deleted, in a draft it can", async () => {
  const [kept, gone] = [await newMeter(), await newMeter()];
  await new Gathering(current().database).write(blockLoad(kept.key, [0]), blockLoad(gone.key, [0]));
  await draft("provenance", `^m\\.${kept.number}\\.`);
  await freeze("provenance");
  await draft("unfrozen", `^m\\.${gone.number}\\.`);
  await expect(rows("delete from public.meters where meter_key = $1", [kept.key])).rejects.toMatchObject({
    code: "23503",
  });
  await rows("delete from public.meters where meter_key = $1", [gone.key]);
  expect(await rows(VERIFY, ["provenance"])).toEqual([]);
});

test("metadata: the nearest level wins, then the language; en is the last resort", async () => {
  const { key, number } = await newMeter();
  await new Gathering(current().database).write(
    blockLoad(key, [0], { columns: [{ column: "active_import_total", values: [1n] }] }),
  );
  const name = `m.${number}.active_import_total.block_load`;
  const told = (locales: string, run: string | null = null) =>
    rows("select name, value, locale, level from dlms_api.metadata(array[$1], $2::text[], $3) order by 1", [
      name,
      locales,
      run,
    ]);
  expect(await told("{de-CH}")).toEqual([["description", "Energy register: active, import", "en", "gateway"]]);
  await rows(
    `select dlms_api.set_metadata('object', '1.0.1.8.0.255', 'de', '{"description": "Wirkenergie Bezug", "short": "A+"}')`,
  );
  await rows(`select dlms_api.set_metadata('dataset', 'block_load', 'en', '{"contact": "desk 7"}')`);
  await rows(`select dlms_api.set_metadata('series', $1, 'de-CH', '{"description": "Zähler im Keller"}')`, [name]);
  await rows(`select dlms_api.set_metadata('series', $1, 'en', '{"description": "meter in the cellar"}')`, [name]);
  expect(await told("{de-CH}")).toEqual([
    ["contact", "desk 7", "en", "dataset"],
    ["description", "Zähler im Keller", "de-CH", "series"],
    ["short", "A+", "de", "object"],
  ]);
  expect(await told("{de-AT,fr}")).toEqual([
    ["contact", "desk 7", "en", "dataset"],
    ["description", "meter in the cellar", "en", "series"],
    ["short", "A+", "de", "object"],
  ]);
  await draft("described", `^m\\.${number}\\.`);
  await rows(`select dlms_api.set_metadata('run', 'block_load/described', 'en', '{"contact": "billing"}')`);
  expect((await told("{en}", "described"))[0]).toEqual(["contact", "billing", "en", "run"]);
});

function set(mode: string, texts: string, locale = "en") {
  return rows("select dlms_api.set_metadata('dataset', 'daily_load', $1, $2, $3)", [locale, texts, mode]);
}

function held() {
  return rows(
    `select m.locale, m.name, m.value from dlms.metadata m join dlms.datasets d using (dataset_key)
     where d.name = 'daily_load' order by 1, 2`,
  );
}

test("metadata: update adds and replaces, keep only adds, overwrite also removes, each in one language", async () => {
  expect(await set("update", '{"a": "1", "b": "2"}')).toEqual([[2]]);
  expect(await set("update", '{"a": "eins"}', "de")).toEqual([[1]]);
  expect(await set("keep", '{"a": "x", "c": "3"}')).toEqual([[1]]);
  expect(await set("update", '{"a": "1", "b": "4"}')).toEqual([[1]]);
  expect(await held()).toEqual([
    ["de", "a", "eins"],
    ["en", "a", "1"],
    ["en", "b", "4"],
    ["en", "c", "3"],
  ]);
  await set("overwrite", '{"c": "5"}');
  expect(await held()).toEqual([
    ["de", "a", "eins"],
    ["en", "c", "5"],
  ]);
  await expect(set("replace", "{}")).rejects.toMatchObject({ code: "22023" });
  await expect(set("update", '{"a": "1"}', "German")).rejects.toMatchObject({ code: "23514" });
});

test("collections: by list, by pattern and by attributes; empty ones stay", async () => {
  const [one, other] = [await newMeter(), await newMeter()];
  await new Gathering(current().database).write(blockLoad(one.key, [0]), blockLoad(other.key, [0]));
  await rows(
    `insert into dlms.meter_attributes (meter_id, name, value)
     select id, 'feeder', case meter_key when $1 then '7' else '8' end from public.meters where meter_key = any ($2::int[])`,
    [one.key, [one.key, other.key]],
  );
  const members = async (name: string) =>
    (await rows("select member from dlms_api.collection_members($1)", [name])).map(([member]) => member);
  await rows(`select dlms_api.make_collection('feeder-7', 'meters', attributes => '{"feeder": "7"}')`);
  expect(await members("feeder-7")).toEqual([one.number]);
  await rows("select dlms_api.add_members('feeder-7', array[$1])", [other.number]);
  expect(await members("feeder-7")).toEqual([one.number, other.number]);
  await rows("select dlms_api.make_collection('volts', pattern => $1)", [
    `^m\\.(${one.number}|${other.number})\\.voltage`,
  ]);
  expect(await members("volts")).toEqual([
    `m.${one.number}.voltage_l1.block_load`,
    `m.${other.number}.voltage_l1.block_load`,
  ]);
  await rows("select dlms_api.make_collection('list')");
  const key = `m.${one.number}.voltage_l1.block_load`;
  expect(await rows("select dlms_api.add_members('list', array[$1, $1])", [key])).toEqual([[1]]);
  expect(await rows("select dlms_api.remove_members('list', array[$1])", [key])).toEqual([[1]]);
  expect(await members("list")).toEqual([]);
  await expect(rows("select dlms_api.make_collection('bad', pattern => '(')")).rejects.toMatchObject({ code: "2201B" });
  await expect(rows("select dlms_api.add_members('list', array['m.none.x.y'])")).rejects.toMatchObject({
    code: "42704",
  });
});
