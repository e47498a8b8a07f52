/** The names that the owner's document gives, held against what migrations make. */
import { expect, test } from "vitest";
import { makeCompatibilityViews, removeCompatibilityViews } from "../../src/store/database/compatibility-views.ts";
import { openDatabase } from "../../src/store/database/database.ts";
import { migrate } from "../../src/store/database/migrations.ts";
import { makeMeters } from "./profile-batches.ts";
import { useTestDatabase } from "./test-database.ts";

const current = useTestDatabase();

/** Relation → columns that it must have at least; `time` names the column by which it is a hypertable. */
const DOCUMENT: Readonly<Record<string, { readonly columns: string; readonly time?: string; readonly meters?: true }>> =
  {
    "public.meters": { columns: "id meter_number meter_type created_at updated_at" },
    "public.meter_readings": { columns: "meter_id read_at value unit", time: "read_at", meters: true },
    "public.meter_events": { columns: "meter_id occurred_at code severity", time: "occurred_at", meters: true },
    "dlms.energy_measurements": {
      columns: "meter_id measured_at active_import_total_wh",
      time: "measured_at",
      meters: true,
    },
    "dlms.power_readings": { columns: "meter_id measured_at active_power_import_w", time: "measured_at", meters: true },
    "dlms.voltage_measurements": { columns: "meter_id measured_at voltage_l1_v", time: "measured_at", meters: true },
    "dlms.current_measurements": { columns: "meter_id measured_at current_l1_a", time: "measured_at", meters: true },
    "dlms.instant_profile": { columns: "meter_id captured_at voltage_l1_v" },
    "dlms.daily_load_profile": { columns: "meter_id day active_import_wh active_import_total_wh" },
    "dlms.block_load_profile": { columns: "meter_id captured_at active_import_wh" },
    "dlms.billing_profile": { columns: "meter_id captured_at active_import_total_wh" },
    "dlms.event_logs": { columns: "occurred_at level event message", time: "occurred_at" },
    "dlms.push_schedules": { columns: "push_schedule_id push_setup_id enabled", meters: true },
    "dlms.schedule_entries": { columns: "push_schedule_id at_time at_date" },
    "dlms.push_history": { columns: "meter_id received_at outcome octets", time: "received_at" },
    "dlms.push_objects": { columns: "push_setup_id class_id logical_name attribute_index" },
    "dlms.push_setups": { columns: "push_setup_id meter_id destination", meters: true },
    "dlms.obis_codes": { columns: "code description unit" },
  };

test.each(Object.entries(DOCUMENT))("owner's document: %s is there, with its columns", async (relation, wanted) => {
  const { database } = current();
  const rows = await database.query<{ name: string }>(
    "select attname as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped",
    [relation],
  );
  const names = rows.map((row) => row.name);
  for (const column of wanted.columns.split(" ")) expect(names).toContain(column);
  const dimensions = await database.query<{ name: string }>(
    database.capabilities.hypertables
      ? `select column_name as name from timescaledb_information.dimensions
         where format('%s.%s', hypertable_schema, hypertable_name) = $1::text`
      : "select time_column as name from dlms.time_tables where format('%s.%s', table_schema, table_name) = $1::text",
    [relation],
  );
  expect(dimensions.map((each) => each.name)).toEqual(wanted.time === undefined ? [] : [wanted.time]);
  const references = await database.query(
    "select from pg_constraint where conrelid = $1::regclass and confrelid = 'public.meters'::regclass and contype = 'f'",
    [relation],
  );
  expect(references.length > 0).toBe(wanted.meters === true);
});

const UNITS: Readonly<Record<string, string>> = {
  wh: "Wh",
  varh: "varh",
  vah: "VAh",
  w: "W",
  var: "var",
  va: "VA",
  v: "V",
  a: "A",
  hz: "Hz",
};

test("owner's document: every column that analysts read is described, with its unit where its name has one", async () => {
  const columns = await current().database.query<{ name: string; column: string; comment: string | null }>(
    `select format('%s.%s', n.nspname, c.relname) as name, a.attname as column, col_description(c.oid, a.attnum) as comment
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     where n.nspname = 'dlms_views' and c.relkind = 'v'
       or n.nspname = 'public' and c.relname in ('meters', 'meter_readings', 'meter_events')
       or n.nspname = 'dlms' and c.relname in ('energy_measurements', 'power_readings', 'voltage_measurements',
         'current_measurements', 'instant_profile', 'block_load_profile', 'daily_load_captures', 'daily_load_profile',
         'daily_load_comparison', 'daily_load_disagreements', 'billing_profile', 'event_logs', 'push_setups', 'push_objects',
         'push_schedules', 'push_history', 'push_values', 'obis_codes', 'coverage')`,
  );
  expect(columns.length).toBeGreaterThan(500);
  const wrong = columns.filter(({ name, column, comment }) => {
    const unit = name.startsWith("public.") ? undefined : UNITS[/_([a-z]+)$/.exec(column)?.[1] ?? ""];
    return comment === null || (unit !== undefined && !new RegExp(`\\b${unit}\\b`).test(comment));
  });
  expect(wrong).toEqual([]);
});

test("owner's document: a meter's id is a UUID, and readings of no meter are refused", async () => {
  const { database } = current();
  const [type] = await database.query<{ type: string }>(
    "select format_type(atttypid, -1) as type from pg_attribute where attrelid = 'public.meters'::regclass and attname = 'id'",
  );
  expect(type?.type).toBe("uuid");
  const insert = `insert into public.meter_readings (meter_id, read_at, capture_object, value, source)
    values (gen_random_uuid(), now(), '3:1.0.1.8.0.255:2', 1, 'poll')`;
  await expect(database.query(insert)).rejects.toMatchObject({ at: { code: "23503" } });
});

test("owner's document: days are kept by a continuous aggregate where the edition has them", async () => {
  const { database } = current();
  const [row] = await database.query<{ aggregates: number }>(
    database.capabilities.continuousAggregates
      ? "select count(*)::int as aggregates from timescaledb_information.continuous_aggregates where view_name = 'daily_load_aggregate'"
      : "select (to_regclass('dlms.daily_load_aggregate') is not null)::int as aggregates",
  );
  expect(row?.aggregates).toBe(database.capabilities.continuousAggregates ? 1 : 0);
});

test("compatibility views: they show what is in dlms, refuse changes, and migrations put them back", async () => {
  const { url, administratorUrl, database } = current();
  await using administrator = await openDatabase({ url: administratorUrl, connections: 1 });
  const [meter] = await makeMeters(database, ["COMPAT"]);
  await database.query(
    `insert into dlms.voltage_measurements (meter_id, measured_at, voltage_l1_v, source)
     select id, now(), 230.1, 'poll' from public.meters where meter_key = $1::int`,
    [meter],
  );
  const made = await administrator.transaction((client) => makeCompatibilityViews(client));
  expect(made).toHaveLength(15);
  const shown = "select voltage_l1_v::text as volts from _timescaledb_cache.voltage_measurements";
  expect(await database.query(shown)).toEqual([{ volts: "230.1" }]);
  for (const view of made) await database.query(`select * from ${view} limit 1`);
  const change = "update _timescaledb_cache.voltage_measurements set voltage_l1_v = 0";
  await expect(administrator.query(change)).rejects.toMatchObject({ at: { code: "25006" } });
  await database.query("drop view _timescaledb_cache.voltage_measurements");
  await migrate(url);
  expect(await database.query(shown)).toEqual([{ volts: "230.1" }]);
  expect(await administrator.transaction((client) => removeCompatibilityViews(client))).toHaveLength(15);
  await migrate(url);
  await expect(database.query(shown)).rejects.toMatchObject({ at: { code: "42P01" } });
});
