/** The meters whose readings are exported. */
import type { Queryable } from "../store/database/database.ts";
import type { ExportedMeter } from "./reading-rows.ts";

export interface MeterSelection {
  /** Names or numbers; all when left out. */
  readonly names?: readonly string[] | undefined;
  /** Keys of those that may be seen; all when left out. */
  readonly keys?: ReadonlySet<number> | undefined;
}

/** By name. Throws RangeError for a name that nobody has, and StoreError. */
export async function exportedMeters(database: Queryable, { names, keys }: MeterSelection): Promise<ExportedMeter[]> {
  const meters = await database.query<{ id: string; name: string; number: string }>(
    `select id, name, meter_number as number from public.meters
     where ($1::text[] is null or name = any ($1) or meter_number = any ($1)) and ($2::int[] is null or meter_key = any ($2))
     order by name`,
    [names ?? null, keys === undefined ? null : [...keys]],
  );
  const known = new Set(meters.flatMap(({ name, number }) => [name, number]));
  const missing = names?.find((name) => !known.has(name));
  if (missing !== undefined) throw new RangeError(`there is no meter ${missing}`);
  return meters;
}
