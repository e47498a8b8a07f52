/** Meters in the database that people add while gateways run. */
import type { Database } from "../database/database.ts";

/** A notice holds the name of the meter that was removed, or nothing when some were added. */
export const METERS_CHANNEL = "dlms_added_meters";

/** A meter as it was given: what a meter of the configuration is before it is checked. */
export interface AddedMeter {
  readonly name: string;
  readonly number: string;
  readonly settings: unknown;
}

/** A meter as the database has it. */
export interface KeptMeter extends AddedMeter {
  /** Greater than those of meters that were added before. */
  readonly key: number;
}

/** Throws StoreError. */
export async function addedMeterCount(database: Database): Promise<number> {
  const [row] = await database.query<{ count: number }>("select count(*)::int as count from dlms.added_meters");
  return row?.count ?? 0;
}

/** In the order in which they were added; those after a key. Throws StoreError. */
export function loadAddedMeters(database: Database, after = 0): Promise<KeptMeter[]> {
  return database.query<{ key: number; name: string; number: string; settings: unknown }>(
    `select added_meter_key as key, name, meter_number as number, settings
     from dlms.added_meters where added_meter_key > $1 order by added_meter_key`,
    [after],
  );
}

/** Whether a meter of that name is among them. Throws StoreError. */
export async function isAddedMeter(database: Database, name: string): Promise<boolean> {
  const rows = await database.query("select from dlms.added_meters where name = $1", [name]);
  return rows.length > 0;
}

/** Throws StoreError, also when a name or number is taken. */
export async function putAddedMeters(database: Database, meters: readonly AddedMeter[], who: string): Promise<void> {
  await database.query(
    `with put as (
       insert into dlms.added_meters (name, meter_number, settings, added_by)
       select u.name, u.number, u.settings, $4::text
       from unnest($1::text[], $2::text[], $3::jsonb[]) with ordinality as u (name, number, settings, place)
       order by u.place
       returning 1
     )
     select pg_notify('${METERS_CHANNEL}', '') where exists (select from put)`,
    [
      meters.map(({ name }) => name),
      meters.map(({ number }) => number),
      meters.map(({ settings }) => JSON.stringify(settings)),
      who,
    ],
  );
}

/** False when there is none of that name. Throws StoreError. */
export async function removeAddedMeter(database: Database, name: string): Promise<boolean> {
  const rows = await database.query(
    `with gone as (delete from dlms.added_meters where name = $1::text returning 1)
     select pg_notify('${METERS_CHANNEL}', $1::text) from gone`,
    [name],
  );
  return rows.length > 0;
}
