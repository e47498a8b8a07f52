/** What pushes make beside their record: how many rows there are of it. */
import { query } from "../../db/query.ts";

const TABLES = [
  "dlms.push_values",
  "public.meter_readings",
  "public.meter_events",
  "dlms.instant_profile_data",
  "dlms.block_load_profile_data",
  "dlms.daily_load_profile_data",
  "dlms.billing_profile_data",
  "dlms.energy_measurements",
  "dlms.profile_revisions",
] as const;

export async function rowCounts(url: string): Promise<Readonly<Record<string, number>>> {
  const columns = TABLES.map((table) => `(select count(*)::int from ${table})`);
  const [row = []] = await query(url, `select ${columns.join(", ")}`);
  return Object.fromEntries(TABLES.map((table, index) => [table, Number(row[index])]));
}
