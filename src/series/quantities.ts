/** Fills dlms.quantities, by which series of profile columns are read. */
import type { Quantity } from "../profiles/quantities.ts";
import type { Queryable } from "../store/database/database.ts";

/** Writes the quantities; those that changed since are corrected. Returns how many did. */
export async function keepQuantities(database: Queryable, quantities: readonly Quantity[]): Promise<number> {
  const rows = await database.query(
    `insert into dlms.quantities as q
       (profile, column_name, kind, unit, exponent, description, logical_name, attribute_index)
     select profile, name, kind, nullif(unit, ''), exponent, description, logical_name, attribute_index
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::smallint[], $6::text[], $7::text[], $8::smallint[])
       as u (profile, name, kind, unit, exponent, description, logical_name, attribute_index)
     on conflict (profile, column_name) do update set kind = excluded.kind, unit = excluded.unit,
       exponent = excluded.exponent, description = excluded.description, logical_name = excluded.logical_name,
       attribute_index = excluded.attribute_index
     where q is distinct from excluded
     returning true`,
    [
      quantities.map(({ profile }) => profile),
      quantities.map(({ column }) => column.name),
      quantities.map(({ column }) => column.kind),
      quantities.map(({ column }) => column.unit),
      quantities.map(({ column }) => column.exponent),
      quantities.map(({ column }) => column.description),
      quantities.map(({ object }) => object?.logicalName ?? null),
      quantities.map(({ object }) => object?.attributeId ?? null),
    ],
  );
  return rows.length;
}
