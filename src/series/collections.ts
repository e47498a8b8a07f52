/** Collections of meters of the configuration, which plans and reports refer to by name. */
import type { CollectionConfig } from "../config/collection-schema.ts";
import type { Database } from "../store/database/database.ts";

/** Where the database tells keys of meters that may have come into a collection or left one; none where all may have. */
export const MEMBERS_CHANNEL = "dlms_members";

/** A meter of the configuration, and what people know about it. */
export interface DescribedMeter {
  readonly number: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Makes the attributes of these meters what is given; those of other meters stay. */
export async function keepMeterAttributes(database: Database, meters: readonly DescribedMeter[]): Promise<void> {
  const pairs = meters.flatMap(({ number, attributes }) =>
    Object.entries(attributes).map(([name, value]) => ({ number, name, value })),
  );
  await database.query(
    `with given as (
       select m.id as meter_id, u.name, u.value
       from unnest($2::text[], $3::text[], $4::text[]) as u (number, name, value)
       join public.meters m on m.meter_number = u.number
     ), gone as (
       delete from dlms.meter_attributes a using public.meters m
       where m.id = a.meter_id and m.meter_number = any ($1::text[])
         and not exists (select from given g where g.meter_id = a.meter_id and g.name = a.name)
     )
     insert into dlms.meter_attributes as a (meter_id, name, value)
     select meter_id, name, value from given order by 1, 2
     on conflict (meter_id, name) do update set value = excluded.value where a.value <> excluded.value`,
    [
      meters.map((each) => each.number),
      pairs.map((each) => each.number),
      pairs.map((each) => each.name),
      pairs.map((each) => each.value),
    ],
  );
}

/**
 * Makes the gateway's own collections what the configuration says, open to all readers; those that left it stay, as
 * runs and people may refer to them.
 */
export async function keepCollections(database: Database, configs: readonly CollectionConfig[]): Promise<void> {
  if (configs.length === 0) return;
  const members = configs.flatMap(({ name, meters }) => meters.map((meter) => ({ name, meter })));
  await database.query(
    `with given as (
       insert into dlms.collections as c (owner, name, holds, visibility, pattern, attributes)
       select current_user, u.name, 'meters', 'public', u.pattern, u.attributes
       from unnest($1::text[], $2::text[], $3::jsonb[]) as u (name, pattern, attributes) order by 2
       on conflict (owner, name) do update
         set holds = 'meters', pattern = excluded.pattern, attributes = excluded.attributes, updated_at = now()
       returning collection_key, name
     ), listed as (
       select g.collection_key, m.meter_key
       from unnest($4::text[], $5::text[]) as u (name, meter)
       join given g on g.name = u.name
       join public.meters m on m.name = u.meter
     ), gone as (
       delete from dlms.collection_meters x using given g
       where x.collection_key = g.collection_key
         and not exists (
           select from listed l where l.collection_key = x.collection_key and l.meter_key = x.meter_key
         )
     )
     insert into dlms.collection_meters (collection_key, meter_key)
     select collection_key, meter_key from listed order by 1, 2
     on conflict do nothing`,
    [
      configs.map((each) => each.name),
      configs.map((each) => each.pattern ?? null),
      configs.map((each) => (Object.keys(each.attributes).length === 0 ? null : JSON.stringify(each.attributes))),
      members.map((each) => each.name),
      members.map((each) => each.meter),
    ],
  );
}

/** Keys of the meters in a collection of the gateway's own, as it is now; undefined where there is none that `holds` these. */
export async function collectionMeters(
  database: Database,
  name: string,
  holds: readonly ("meters" | "series")[] = ["meters", "series"],
): Promise<ReadonlySet<number> | undefined> {
  const rows = await database.query<{ meter_key: number | null }>(
    `select k.meter_key from dlms.collections c
     left join lateral dlms.collection_meter_keys(c.collection_key) as k (meter_key) on true
     where c.owner = current_user and c.name = $1::text and c.holds = any ($2::text[])`,
    [name, holds],
  );
  if (rows.length === 0) return undefined;
  return new Set(rows.flatMap(({ meter_key: key }) => (key === null ? [] : [key])));
}

/** Which of these collections of the gateway's own, of meters, each of these meters is in now. Throws StoreError. */
export async function collectionsOfMeters(
  database: Database,
  names: readonly string[],
  meterKeys: readonly number[],
): Promise<ReadonlyMap<number, ReadonlySet<string>>> {
  const rows = await database.query<{ meter_key: number; names: string[] }>(
    `select m.meter_key, array_remove(array_agg(c.name), null) as names
     from public.meters m
     left join dlms.collections c on c.owner = current_user and c.name = any ($1::text[]) and c.holds = 'meters' and (
       exists (select from dlms.collection_meters x where (x.collection_key, x.meter_key) = (c.collection_key, m.meter_key))
       or num_nonnulls(c.pattern, c.attributes) > 0
         and (c.pattern is null or m.meter_number ~ c.pattern or m.name ~ c.pattern)
         and (c.attributes is null or c.attributes <@ (
           select coalesce(jsonb_object_agg(a.name, a.value), '{}') from dlms.meter_attributes a where a.meter_id = m.id)))
     where m.meter_key = any ($2::int[]) group by 1`,
    [names, meterKeys],
  );
  return new Map(rows.map((row) => [row.meter_key, new Set(row.names)]));
}
