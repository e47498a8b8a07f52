/** What is held already of a meter. */
import type { ProfileKind } from "../../profiles/batch.ts";
import type { Database } from "../database/database.ts";
import { dataTable, PROFILE_KINDS } from "./profile-tables.ts";

/**
 * The newest capture time that is held of each profile of a meter, ms since 1970; undefined for none. Rows stamped more
 * than an hour ahead do not count: they tell of a wrong clock, not of what is held.
 */
export async function newestCaptures(
  database: Database,
  meterKey: number,
): Promise<Readonly<Record<ProfileKind, number | undefined>>> {
  const selects = PROFILE_KINDS.map(
    (profile) => `(select captured_at from dlms.${dataTable(profile)} where meter_key = $1::int
      and captured_at <= now() + interval '1 hour' order by captured_at desc limit 1) as ${profile}`,
  );
  const rows = await database.query<Record<ProfileKind, Date | null>>(`select ${selects.join(", ")}`, [meterKey]);
  const times = rows[0];
  return {
    instant: times?.instant?.getTime(),
    block_load: times?.block_load?.getTime(),
    daily_load: times?.daily_load?.getTime(),
    billing: times?.billing?.getTime(),
  };
}
