/** Meters in the database that people add while gateways run. */
import type { Database } from "./database.ts";

export const METERS_CHANNEL = "dlms_added_meters";

/** A meter as it was given: what a meter of the configuration is before it is checked. */
export interface AddedMeter {
  readonly name: string;
  readonly number: string;
  readonly settings: unknown;
}

/** Differs when meters were added or removed since. Throws StoreError. */
export async function addedMetersMark(database: Database): Promise<string> {
  const [row] = await database.query<{ mark: string }>(
    "select count(*) || ' ' || coalesce(max(added_meter_key), 0) as mark from dlms.added_meters",
  );
  return row?.mark ?? "";
}

/** In the order in which they were added. Throws StoreError. */
export function loadAddedMeters(database: Database): Promise<AddedMeter[]> {
  return database.query<{ name: string; number: string; settings: unknown }>(
    "select name, meter_number as number, settings from dlms.added_meters order by added_meter_key",
  );
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
     select pg_notify('${METERS_CHANNEL}', '') from gone`,
    [name],
  );
  return rows.length > 0;
}
