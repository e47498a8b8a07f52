/** Attacks by people without rights, on a real server: what they may not have, they do not get by any way known. */
import { expect, test } from "vitest";
import { NOT_FOR_YOU, of, SECRET, useSecretDataset } from "./use-secret-dataset.ts";

const { current, withPeople } = useSecretDataset();

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
