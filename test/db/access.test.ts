/** Who reaches what: rights, owners, embargoes. */
import { expect, test } from "vitest";
import { SLOT_MS, START_MS } from "./profile-batches.ts";
import { query } from "./query.ts";
import type { Person } from "./series-tables.ts";
import { withDatabase } from "./test-database.ts";
import { NOT_FOR_YOU, of, SECRET, useSecretDataset } from "./use-secret-dataset.ts";

const { current, withPeople } = useSecretDataset();
const DENIED = { code: "42501" };

test("access: whoever is no reader reaches nothing", async () => {
  await withPeople({ stranger: [] }, async (people) => {
    const stranger = of(people, "stranger");
    for (const text of [
      "select * from dlms_api.find_series()",
      "select * from dlms_api.datasets()",
      "select * from dlms_views.series",
      "select * from dlms_views.block_load_profile",
      "select * from dlms.series",
      "select * from dlms.block_load_profile",
      "select * from public.meters",
      "select dlms.caller()",
    ]) {
      await expect(stranger.rows(text)).rejects.toMatchObject(DENIED);
    }
  });
});

test("access: a reader reads through the functions and views, and touches no table and no inner function", async () => {
  await withPeople({ reader: ["dlms_reader"] }, async (people) => {
    const reader = of(people, "reader");
    expect(await reader.rows("select key from dlms_api.find_series('voltage')")).toEqual([
      ["m.OPEN.voltage_l1.block_load"],
    ]);
    expect(
      await reader.rows("select value::text from dlms_api.read_series(array['m.OPEN.voltage_l1.block_load'])"),
    ).toEqual([["230.000"], ["230.001"]]);
    expect(
      await reader.rows(
        "select meter_number, voltage_l1_v::text, meter_clock from dlms_views.block_load_profile order by captured_at",
      ),
    ).toEqual([
      ["OPEN", "230.000", null],
      ["OPEN", "230.001", null],
    ]);
    for (const text of [
      "select * from public.meters",
      "select * from dlms.series_values",
      "select * from dlms.block_load_profile_data",
      "select * from dlms.keys",
      "select * from dlms.read_versions(array[1], '-infinity', 'infinity', 'infinity', 1::smallint, 6::smallint, true, true)",
      "select dlms.freeze_run(1)",
      "select dlms_api.store_values('secret', array['secret.plan'], array[now()], array[1])",
      "select dlms_api.grant_dataset('secret', session_user)",
      "create table dlms_api.mine ()",
      "create view dlms_views.mine as select 1",
      "create function dlms_api.read_series(text) returns int language sql as 'select 1'",
    ]) {
      await expect(reader.rows(text)).rejects.toMatchObject(DENIED);
    }
  });
});

test("access: a dataset opens and closes for a role; what is not there and what is not open look alike", async () => {
  await withPeople({ reader: ["dlms_reader"], other: ["dlms_reader"] }, async (people) => {
    const [reader, other] = [of(people, "reader"), of(people, "other")];
    const read = "select value::int from dlms_api.read_series(array[$1])";
    const refusal = (who: Person, key: string) =>
      who.rows(read, [key]).catch((error: Error) => error.message.replace(key, "KEY"));
    expect(await refusal(reader, "secret.plan")).toBe(await refusal(reader, "secret.nothing"));
    expect(await reader.rows("select key from dlms_api.find_series('secret')")).toEqual([]);
    expect(await reader.rows("select * from dlms_api.metadata(array['secret.plan'], strict => false)")).toEqual([]);
    await current().database.query("select dlms_api.grant_dataset('secret', $1)", [reader.name]);
    expect(await reader.rows(read, ["secret.plan"])).toEqual([[7777]]);
    await expect(other.rows(read, ["secret.plan"])).rejects.toMatchObject(NOT_FOR_YOU);
    await current().database.query("select dlms_api.revoke_dataset('secret', $1)", [reader.name]);
    await expect(reader.rows(read, ["secret.plan"])).rejects.toMatchObject(NOT_FOR_YOU);
  });
});

test("access: who may write neither opens a dataset nor replaces what is there", async () => {
  await withPeople({ editor: ["dlms_editor"], reader: ["dlms_reader"] }, async (people) => {
    const editor = of(people, "editor");
    const { database } = current();
    const write = "select dlms_api.store_values($1, array['secret.plan'], array[$2::timestamptz], array[1])";
    await expect(editor.rows(write, ["secret", new Date(START_MS)])).rejects.toMatchObject(DENIED);
    await expect(editor.rows("select dlms_api.grant_dataset('secret', 'public')")).rejects.toMatchObject(DENIED);
    await expect(editor.rows("select dlms_api.set_embargo('secret', '0')")).rejects.toMatchObject(DENIED);
    // Through a dataset of one's own, neither.
    await editor.rows("select dlms_api.make_dataset($1)", [`of_${editor.name}`]);
    await expect(editor.rows(write, [`of_${editor.name}`, new Date(START_MS)])).rejects.toMatchObject(NOT_FOR_YOU);
    await database.query("select dlms_api.grant_dataset('secret', $1, 'write')", [editor.name]);
    await editor.rows(write, ["secret", new Date(START_MS)]);
    await expect(editor.rows("select dlms_api.grant_dataset('secret', 'public')")).rejects.toMatchObject(DENIED);
    expect(await editor.rows(SECRET)).toEqual([]);
    const history = await query(current().url, "select value::int from dlms_api.read_history(array['secret.plan'])");
    expect(history).toEqual([[7777], [1]]);
    await database.query("select dlms_api.revoke_dataset('secret', $1, 'write')", [editor.name]);
    await database.query(
      "select dlms_api.store_values('secret', array['secret.plan'], array[$1::timestamptz], array[7777])",
      [new Date(START_MS)],
    );
  });
});

test("access: who may write and not read makes no run, whose digest would tell the values", async () => {
  await withPeople({ editor: ["dlms_editor"] }, async (people) => {
    const editor = of(people, "editor");
    const { database } = current();
    await database.query("select dlms_api.grant_dataset('secret', $1, 'write')", [editor.name]);
    const make = `select dlms_api.make_run('secret', 'guess', $1, $2, now() - interval '1 second')`;
    const period = [new Date(START_MS), new Date(START_MS + SLOT_MS)];
    await expect(editor.rows(make, period)).rejects.toMatchObject(DENIED);
    await database.query(make, period);
    for (const verb of ["freeze_run", "verify_run", "drop_run", "release_run"]) {
      await expect(editor.rows(`select * from dlms_api.${verb}('secret', 'guess')`)).rejects.toMatchObject(DENIED);
    }
    await database.query("select dlms_api.grant_dataset('secret', $1, 'read_early')", [editor.name]);
    expect(await editor.rows("select length(dlms_api.freeze_run('secret', 'guess'))")).toEqual([[64]]);
    for (const may of ["write", "read_early"]) {
      await database.query("select dlms_api.revoke_dataset('secret', $1, $2)", [editor.name, may]);
    }
  });
});

test("access: the role that was set counts, not the login behind a pool", async () => {
  await withPeople({ reader: ["dlms_reader"], pool: [] }, async (people) => {
    const [reader, pool] = [of(people, "reader"), of(people, "pool")];
    const { database, administratorUrl, url } = current();
    await database.query(`grant ${reader.name} to ${pool.name}`);
    await database.query("select dlms_api.grant_dataset('secret', $1)", [pool.name]);
    await database.query(`grant dlms_reader to ${pool.name}`);
    expect(await pool.rows(SECRET)).toEqual([[7777]]);
    await pool.ask(`set role ${reader.name}`);
    expect(await pool.rows(SECRET)).toEqual([]);
    await expect(pool.ask("set role dlms_api_owner")).rejects.toMatchObject(DENIED);
    await expect(reader.ask("select set_config('role', 'dlms_api_owner', false)")).rejects.toMatchObject(DENIED);
    await expect(
      reader.ask(`create function pg_temp.f() returns int language sql set role = 'dlms_api_owner' as 'select 1'`),
    ).rejects.toMatchObject(DENIED);
    const superuser = new URL(withDatabase(administratorUrl, new URL(url).pathname.slice(1)));
    expect(await query(superuser.href, SECRET)).toEqual([[7777]]);
    superuser.searchParams.set("options", `-c role=${reader.name}`);
    expect(await query(superuser.href, SECRET)).toEqual([]);
    await database.query("select dlms_api.revoke_dataset('secret', $1)", [pool.name]);
  });
});

test("access: collections are seen and changed by whom they belong to; nobody says who that is but the login", async () => {
  await withPeople({ anna: ["dlms_reader"], bert: ["dlms_reader"], crew: [] }, async (people) => {
    const [anna, bert, crew] = [of(people, "anna"), of(people, "bert"), of(people, "crew")];
    await anna.ask("select dlms_api.make_collection('mine')");
    await anna.ask("select dlms_api.add_members('mine', array['m.OPEN.voltage_l1.block_load'])");
    const members = "select member from dlms_api.collection_members('mine', $1)";
    await expect(bert.rows(members, [anna.name])).rejects.toMatchObject(NOT_FOR_YOU);
    expect(await bert.rows("select name from dlms_api.collections()")).toEqual([]);
    await anna.ask("select dlms_api.share_collection('mine', 'public')");
    expect(await bert.rows(members, [anna.name])).toEqual([["m.OPEN.voltage_l1.block_load"]]);
    for (const change of [
      "drop_collection('mine')",
      "remove_members('mine', '{}')",
      "share_collection('mine', 'public')",
    ]) {
      await expect(bert.rows(`select dlms_api.${change}`)).rejects.toMatchObject(NOT_FOR_YOU);
    }
    await expect(anna.rows("select dlms_api.share_collection('mine', 'team', $1)", [crew.name])).rejects.toMatchObject(
      DENIED,
    );
    await current().database.query(`grant ${crew.name} to ${anna.name}, ${bert.name}`);
    await anna.ask("select dlms_api.share_collection('mine', 'team', $1)", [crew.name]);
    expect(await bert.rows(members, [anna.name])).toHaveLength(1);
    await current().database.query(`revoke ${crew.name} from ${bert.name}`);
    await expect(bert.rows(members, [anna.name])).rejects.toMatchObject(NOT_FOR_YOU);
    // A rule shows only what the one who looks may see.
    await anna.ask("select dlms_api.make_collection('all', visibility => 'public', pattern => '.')");
    expect(
      await bert.rows("select member from dlms_api.collection_members('all', $1) where member ~ 'secret'", [anna.name]),
    ).toEqual([]);
  });
});

test("access: an embargo holds for every way to read, except for those who may read early", async () => {
  await withPeople({ reader: ["dlms_reader"], early: ["dlms_reader"] }, async (people) => {
    const { database } = current();
    const key = "market.price";
    await database.query("select dlms_api.make_dataset('market', '1 day')");
    await database.query("select dlms_api.grant_dataset('market', 'dlms_reader')");
    await database.query("select dlms_api.grant_dataset('market', $1, 'read_early')", [of(people, "early").name]);
    await database.query("select dlms_api.store_values('market', array[$1], array[$2::timestamptz], array[1])", [
      key,
      new Date(START_MS),
    ]);
    await database.query(
      `select dlms_api.make_run('market', 'run', $1, $2, clock_timestamp() - interval '1 microsecond', keep_values => true)`,
      [new Date(START_MS), new Date(START_MS + SLOT_MS)],
    );
    await database.query("select dlms_api.freeze_run('market', 'run')");
    const ways = [
      `select value::int from dlms_api.read_series(array['${key}'])`,
      `select value::int from dlms_api.read_series(array['${key}'], as_of => 'infinity')`,
      `select value::int from dlms_api.read_history(array['${key}'])`,
      "select value::int from dlms_api.read_run('market', 'run')",
      "select value::int from dlms_views.run_values where dataset = 'market'",
      "select 1 from dlms_api.runs('market')",
      "select 1 from dlms_views.runs where dataset = 'market'",
      `select 1 from dlms_api.metadata(array['${key}'], run => 'run') limit 1`,
    ];
    await database.query(`select dlms_api.set_metadata('run', 'market/run', 'en', '{"note": "early"}')`);
    const seen = async (who: string) => {
      const all: unknown[][] = [];
      for (const way of ways)
        all.push(
          (
            await of(people, who)
              .rows(way)
              .catch(() => [])
          ).flat(),
        );
      return all;
    };
    expect(await seen("reader")).toEqual(ways.map(() => []));
    expect(await seen("early")).toEqual(ways.map(() => [1]));
    // Released for later: still nothing. Out: the run is open, what lies beside it is not.
    await database.query("select dlms_api.release_run('market', 'run', now() + interval '1 hour')");
    expect(await seen("reader")).toEqual(ways.map(() => []));
    await database.query(
      "select dlms_api.make_run('market', 'out', $1, $2, clock_timestamp() - interval '1 microsecond')",
      [new Date(START_MS), new Date(START_MS + SLOT_MS)],
    );
    await database.query("select dlms_api.freeze_run('market', 'out')");
    await database.query("select dlms_api.release_run('market', 'out')");
    expect(await of(people, "reader").rows("select value::int from dlms_api.read_run('market', 'out')")).toEqual([[1]]);
    expect(await of(people, "reader").rows(`select value::int from dlms_api.read_series(array['${key}'])`)).toEqual([]);
  });
});

test("access: values with a release time are seen by others from then on, the former until then", async () => {
  await withPeople({ reader: ["dlms_reader"] }, async (people) => {
    const { database } = current();
    const store = (amount: number, releaseIn: string | null) =>
      database.query(
        `select dlms_api.store_values('default', array['index'], array[$1::timestamptz], array[$2::numeric], release_at => now() + $3::interval)`,
        [new Date(START_MS), amount, releaseIn],
      );
    await store(1, null);
    await store(2, "1 hour");
    const read = "select value::int from dlms_api.read_series(array['index'])";
    expect(await of(people, "reader").rows(read)).toEqual([[1]]);
    expect(await of(people, "reader").rows("select value::int from dlms_api.read_history(array['index'])")).toEqual([
      [1],
    ]);
    expect(await query(current().url, read)).toEqual([[2]]);
    await store(2, null);
    expect(await of(people, "reader").rows(read)).toEqual([[2]]);
  });
});

test("access: an embargo on what meters send holds in the view of the profile too", async () => {
  await withPeople({ reader: ["dlms_reader"] }, async (people) => {
    const { database } = current();
    const reader = of(people, "reader");
    await database.query("select dlms_api.set_embargo('block_load', '1 day')");
    expect(await reader.rows("select * from dlms_views.block_load_profile")).toEqual([]);
    expect(await reader.rows("select * from dlms_api.read_series(array['m.OPEN.voltage_l1.block_load'])")).toEqual([]);
    await database.query("select dlms_api.set_embargo('block_load', '0')");
    expect(await reader.rows("select * from dlms_views.block_load_profile")).toHaveLength(2);
  });
});

test("access: reading functions work twice in a transaction, read only, and so on a standby", async () => {
  await withPeople({ reader: ["dlms_reader"] }, async (people) => {
    const reader = of(people, "reader");
    await reader.ask("begin transaction read only");
    for (let round = 0; round < 2; round++) {
      expect(await reader.rows("select key from dlms_api.find_series('voltage')")).toHaveLength(1);
      expect(
        await reader.rows("select at from dlms_api.read_series(array['m.OPEN.voltage_l1.block_load'])"),
      ).toHaveLength(2);
      expect(
        await reader.rows("select at from dlms_api.read_history(array['m.OPEN.voltage_l1.block_load'])"),
      ).toHaveLength(2);
      expect(
        await reader.rows("select name from dlms_api.metadata(array['m.OPEN.voltage_l1.block_load'])"),
      ).toHaveLength(1);
      await reader.rows("select * from dlms_api.runs()");
      await reader.rows("select * from dlms_api.collections()");
    }
    await reader.ask("commit");
  });
});
