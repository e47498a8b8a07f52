/**
 * Keeps the catalogue of series up with what meters send: when a meter's layout is met for the first time, the series of
 * its columns are made, all meters of a write in one statement. A layout that was met costs one look into a set.
 */
import type { OtherColumn, ProfileBatch, ProfileKind } from "../profiles/batch.ts";
import type { Queryable } from "../store/database/database.ts";

/** `3:1.0.99.99.0.255:2`, then what tells several values of one object apart. */
const CAPTURE_OBJECT = /^\d+:((?:\d{1,3}\.){5}\d{1,3}):(-?\d+)(.*)$/;

/** Columns that came together, and the meters whose series of these are known to be there. */
interface Layout {
  readonly profile: ProfileKind;
  readonly columns: readonly string[];
  readonly others: readonly Pick<OtherColumn, "captureObject" | "unit">[];
  readonly meterKeys: Set<number>;
}

export class SeriesCatalogue {
  readonly #database: Queryable;
  /** By fingerprint. */
  readonly #layouts = new Map<string, Layout[]>();

  constructor(database: Queryable) {
    this.#database = database;
  }

  /** Makes the series of batches that were written, where they are not there yet; how many are new. Throws StoreError. */
  async learn(batches: readonly ProfileBatch[]): Promise<number> {
    const unknown = new Map<Layout, Set<number>>();
    for (const batch of batches) {
      const layout = this.#layoutOf(batch);
      if (batch.rowCount === 0 || layout.meterKeys.has(batch.meterKey)) continue;
      const meterKeys = unknown.get(layout);
      if (meterKeys === undefined) unknown.set(layout, new Set([batch.meterKey]));
      else meterKeys.add(batch.meterKey);
    }
    if (unknown.size === 0) return 0;
    const rows = await this.#database.query<{ made: number }>(MAKE_SERIES, parameters([...unknown]));
    for (const [layout, meterKeys] of unknown) for (const key of meterKeys) layout.meterKeys.add(key);
    return rows[0]?.made ?? 0;
  }

  #layoutOf(batch: ProfileBatch): Layout {
    const { profile, columns, others, layoutFingerprint } = batch;
    const ofFingerprint = this.#layouts.get(layoutFingerprint) ?? [];
    const known = ofFingerprint.find((layout) => isOf(layout, batch));
    if (known !== undefined) return known;
    const layout = {
      profile,
      columns: columns.map((each) => each.column),
      others: others.map(({ captureObject, unit }) => ({ captureObject, unit })),
      meterKeys: new Set<number>(),
    };
    this.#layouts.set(layoutFingerprint, [...ofFingerprint, layout]);
    return layout;
  }
}

function isOf(layout: Layout, { profile, columns, others }: ProfileBatch): boolean {
  return (
    layout.profile === profile &&
    layout.columns.length === columns.length &&
    layout.others.length === others.length &&
    columns.every((each, at) => each.column === layout.columns[at]) &&
    others.every((each, at) => each.captureObject === layout.others[at]?.captureObject)
  );
}

/** Series that are there are left out beforehand: a conflict would use up a number each time. */
const MAKE_SERIES = `with members as (
    select distinct layout, meter_key from unnest($1::int[], $2::int[]) as u (layout, meter_key)
  ), columns as (
    select * from unnest($3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
      as u (layout, profile, quantity, column_name, capture_object, unit)
  ), made as (
    insert into dlms.series
      (dataset_key, namespace, stem, quantity, part, meter_key, column_name, capture_object, unit)
    select d.dataset_key, 'm', m.meter_number, c.quantity, d.name, m.meter_key, c.column_name, c.capture_object, c.unit
    from members o
    join columns c using (layout)
    join public.meters m using (meter_key)
    join dlms.datasets d on d.profile = c.profile
    left join dlms.quantities q on q.profile = c.profile and q.column_name = c.column_name
    where q.kind is distinct from 'timestamp'
      and not exists (
        select from dlms.series s
        where s.meter_key = m.meter_key and s.dataset_key = d.dataset_key and s.quantity = c.quantity
      )
    order by m.meter_key, d.dataset_key, c.quantity
    on conflict do nothing
    returning true
  )
  select count(*)::int as made from made`;

function parameters(unknown: readonly (readonly [Layout, ReadonlySet<number>])[]): unknown[] {
  const members = unknown.flatMap(([, meterKeys], layout) => Array.from(meterKeys, (key) => [layout, key] as const));
  const columns = unknown.flatMap(([{ profile, columns, others }], layout) => [
    ...columns.map((name) => ({ layout, profile, quantity: name, column: name, object: null, unit: null })),
    ...others.flatMap(({ captureObject, unit = null }) => {
      const quantity = quantityOf(captureObject);
      return quantity === undefined ? [] : [{ layout, profile, quantity, column: null, object: captureObject, unit }];
    }),
  ]);
  return [
    members.map(([layout]) => layout),
    members.map(([, meterKey]) => meterKey),
    columns.map((each) => each.layout),
    columns.map((each) => each.profile),
    columns.map((each) => each.quantity),
    columns.map((each) => each.column),
    columns.map((each) => each.object),
    columns.map((each) => each.unit),
  ];
}

/** `3:1.0.99.99.0.255:2` → `0100636300ff.a2`; undefined for what names no object. */
function quantityOf(captureObject: string): string | undefined {
  const [, name, attribute, rest = ""] = CAPTURE_OBJECT.exec(captureObject) ?? [];
  if (name === undefined) return undefined;
  const octets = name.split(".").map((digits) => Number(digits).toString(16).padStart(2, "0"));
  return `${octets.join("")}.a${attribute}${rest}`;
}
