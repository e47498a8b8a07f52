/** Attacks by people without rights, on a real server: what they may not have, they do not get by any way known. */
import { expect, test } from "vitest";
import { blockLoad, makeMeters, SLOT_MS, START_MS } from "./profile-batches.ts";
import { query } from "./query.ts";
import { Gathering, keepAllQuantities, Person } from "./series-tables.ts";
import { useTestDatabase, withDatabase } from "./test-database.ts";

const current = useTestDatabase(async (database) => {
  await keepAllQuantities(database);
  const [key = 0] = await makeMeters(database, ["OPEN"]);
  await new Gathering(database).write(blockLoad(key, [0, 1]));
  await database.query("select dlms_api.make_dataset('secret')");
  await database.query(
    "select dlms_api.store_values('secret', array['secret.plan'], array[$1::timestamptz], array[7777])",
    [new Date(START_MS)],
  );
});

const SECRET = "select value::int from dlms_api.read_series(array['secret.plan'], strict => false)";
const NOT_FOR_YOU = { code: "42704" };
const DENIED = { code: "42501" };

async function withPeople<Result>(
  roles: Readonly<Record<string, readonly string[]>>,
  work: (people: Readonly<Record<string, Person>>) => Promise<Result>,
): Promise<void> {
  const { url, database } = current();
  const people: Record<string, Person> = {};
  try {
    for (const [name, of] of Object.entries(roles)) people[name] = await Person.enter(url, database, name, of);
    await work(people);
  } finally {
    for (const person of Object.values(people)) await person.leave(database);
  }
}

function of(people: Readonly<Record<string, Person>>, name: string): Person {
  const person = people[name];
  if (person === undefined) throw new Error(`nobody is called ${name}`);
  return person;
}

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

// The original filled a temporary table of the caller's: a trigger on it ran as the functions' owner.
test("access: triggers on temporary tables of the names that functions use run as nobody else", async () => {
  await withPeople({ reader: ["dlms_reader", "dlms_editor"] }, async (people) => {
    const reader = of(people, "reader");
    await reader.ask("create temporary table loot (who name, value text)");
    await reader.ask(`create function pg_temp.rob() returns trigger language plpgsql as $$
      begin
        insert into pg_temp.loot values (current_user, (select string_agg(v.value::text, ',') from dlms.series_values v));
        return new;
      end $$`);
    for (const name of ["series", "series_values", "datasets", "qualities", "tmp_ts_read_keys", "collections"]) {
      await reader.ask(`create temporary table ${name} (like pg_temp.loot)`);
      await reader.ask(
        `create trigger rob before insert on pg_temp.${name} for each row execute function pg_temp.rob()`,
      );
    }
    await reader.ask("set search_path = pg_temp, dlms, dlms_api, public");
    await reader.ask("select * from dlms_api.find_series('.*')");
    await reader.ask("select * from dlms_api.read_series(array['m.OPEN.voltage_l1.block_load'])");
    await reader.ask("select dlms_api.make_collection('loot')");
    await reader.ask("select dlms_api.add_members('loot', array['m.OPEN.voltage_l1.block_load'])");
    expect(await reader.rows("select * from pg_temp.loot")).toEqual([]);
    expect(await reader.rows(SECRET)).toEqual([]);
  });
});

// The original read a relation of the caller's: a temporary view in its place called a function as the functions' owner.
test("access: temporary views, functions, operators and casts of a caller are not called by the functions", async () => {
  await withPeople({ reader: ["dlms_reader"] }, async (people) => {
    const reader = of(people, "reader");
    await reader.ask("create temporary table loot (who name)");
    await reader.ask(`create function pg_temp.rob(text, text) returns boolean language plpgsql as $$
      begin insert into pg_temp.loot values (current_user); return true; end $$`);
    for (const name of [
      "series",
      "datasets",
      "series_aliases",
      "tmp_ts_read_keys",
      "qualities",
      "dataset_grants",
      "pg_roles",
    ]) {
      await reader.ask(
        `create temporary view ${name} as select pg_temp.rob('a', 'b'), 'secret.plan'::text as key, 1 as series_key`,
      );
    }
    await reader.ask("create operator pg_temp.~ (leftarg = text, rightarg = text, function = pg_temp.rob)");
    await reader.ask("create operator pg_temp.= (leftarg = text, rightarg = text, function = pg_temp.rob)");
    for (const name of ["caller()", "acts_as(name)", "now()", "unnest(text[])"]) {
      await reader.ask(`create function pg_temp.${name} returns boolean language sql as 'select true'`);
    }
    await reader.ask("set search_path = pg_temp, dlms, dlms_api, pg_catalog");
    await reader.ask("select * from dlms_api.find_series('secret')");
    expect(await reader.rows(SECRET)).toEqual([]);
    expect(await reader.rows("select * from pg_temp.loot")).toEqual([]);
  });
});

test("access: a leaky function of the caller's own sees no row behind a view", async () => {
  await withPeople({ reader: ["dlms_reader"] }, async (people) => {
    const reader = of(people, "reader");
    await reader.ask("create temporary table seen (what text)");
    await reader.ask(`create function pg_temp.peek(what text) returns boolean language plpgsql cost 0.0001 as $$
      begin insert into pg_temp.seen values (what); return true; end $$`);
    await reader.ask("select * from dlms_views.series where pg_temp.peek(key)");
    const seen = await reader.rows("select what from pg_temp.seen");
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.flat().filter((what) => String(what).includes("secret"))).toEqual([]);
    await current().database.query("select dlms_api.revoke_dataset('block_load', 'dlms_reader')");
    try {
      await reader.ask("truncate pg_temp.seen");
      expect(
        await reader.rows("select * from dlms_views.block_load_profile where pg_temp.peek(voltage_l1_v::text)"),
      ).toEqual([]);
      expect(await reader.rows("select what from pg_temp.seen")).toEqual([]);
      expect(await reader.rows("select key from dlms_api.find_series()")).toEqual([]);
    } finally {
      await current().database.query("select dlms_api.grant_dataset('block_load', 'dlms_reader')");
    }
  });
});

test("access: values that look like SQL are values", async () => {
  await withPeople({ reader: ["dlms_reader", "dlms_editor"] }, async (people) => {
    const reader = of(people, "reader");
    const nasty = "x' or true; drop table dlms.series; --";
    await expect(reader.rows("select * from dlms_api.read_series(array[$1])", [nasty])).rejects.toMatchObject(
      NOT_FOR_YOU,
    );
    expect(await reader.rows("select * from dlms_api.read_series(array[$1], strict => false)", [nasty])).toEqual([]);
    expect(await reader.rows("select * from dlms_api.find_series($1, $1)", [nasty])).toEqual([]);
    await expect(reader.rows("select dlms_api.make_collection($1)", [nasty])).rejects.toMatchObject({ code: "23514" });
    await expect(
      reader.rows("select * from dlms_api.read_series(array['m.OPEN.voltage_l1.block_load'], least_quality => $1)", [
        nasty,
      ]),
    ).rejects.toMatchObject({ code: "22023" });
    await reader.rows("select dlms_api.make_collection('odd', pattern => $1)", ["'; select 1; --"]);
    expect(await reader.rows("select * from dlms_api.collection_members('odd')")).toEqual([]);
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
