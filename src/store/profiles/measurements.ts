/** The measurement tables by quantity, filled from instant profiles: the same values under the quantity's name. */
import type { PoolClient } from "pg";
import { instantOf, type ProfileRow, rangeOf } from "./profile-rows.ts";

/** Table → its columns, named as in the view instant_profile. */
const MEASUREMENT_TABLES: Readonly<Record<string, readonly string[]>> = {
  energy_measurements: [
    "active_import_total_wh",
    "active_export_total_wh",
    "reactive_import_total_varh",
    "reactive_export_total_varh",
    "apparent_import_total_vah",
    "apparent_export_total_vah",
  ],
  power_readings: [
    "active_power_import_w",
    "active_power_export_w",
    "active_power_net_w",
    "reactive_power_import_var",
    "reactive_power_export_var",
    "apparent_power_import_va",
    "apparent_power_export_va",
    "power_factor",
    "frequency_hz",
  ],
  voltage_measurements: ["voltage_l1_v", "voltage_l2_v", "voltage_l3_v"],
  current_measurements: ["current_l1_a", "current_l2_a", "current_l3_a", "current_n_a"],
};

/**
 * Copies what the slots of these rows hold into the measurement tables, also where a slot got more. Each is looked up by
 * its key: `offset 0` keeps the planner from reading whole chunks instead, which it would prefer.
 */
export async function deriveMeasurements(client: PoolClient, rows: readonly ProfileRow[]): Promise<void> {
  if (rows.length === 0) return;
  const keys = [rows.map((row) => row.batch.meterKey), rows.map((row) => new Date(instantOf(row)))];
  const [from, to] = rangeOf(rows).map((ms) => new Date(ms).toISOString());
  for (const [table, columns] of Object.entries(MEASUREMENT_TABLES)) {
    const listed = (prefix: string) => columns.map((column) => `${prefix}.${column}`).join(", ");
    await client.query(
      `insert into dlms.${table} as t (meter_id, measured_at, ${columns.join(", ")}, source)
       select distinct p.meter_id, p.captured_at, ${listed("p")}, p.source
       from unnest($1::int[], $2::timestamptz[]) as k (meter_key, captured_at)
       join public.meters m on m.meter_key = k.meter_key
       cross join lateral (
         select * from dlms.instant_profile p where p.meter_id = m.id and p.captured_at = k.captured_at
           and p.captured_at between '${from}'::timestamptz and '${to}'::timestamptz
         offset 0
       ) p
       where num_nonnulls(${listed("p")}) > 0
       order by p.meter_id, p.captured_at
       on conflict (meter_id, measured_at) do update set
         ${columns.map((column) => `${column} = excluded.${column}`).join(", ")}
       where (${listed("t")}) is distinct from (${listed("excluded")})`,
      keys,
    );
  }
}
