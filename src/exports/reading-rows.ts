/** Rows of readings as the views have them, page by page: what is exported is never held whole. */
import type { ProfileColumn } from "../profiles/columns.ts";
import type { Queryable } from "../store/database/database.ts";

/** The views by what the API calls them, and what a row is found by. */
export const READING_VIEWS = {
  instant: { view: "dlms.instant_profile", at: "captured_at" },
  "block-load": { view: "dlms.block_load_profile", at: "captured_at" },
  "daily-load": { view: "dlms.daily_load_profile", at: "ends_at" },
  "daily-captures": { view: "dlms.daily_load_captures", at: "captured_at" },
  billing: { view: "dlms.billing_profile", at: "captured_at" },
} as const;

export type ReadingViewName = keyof typeof READING_VIEWS;
export const READING_VIEW_NAMES = [
  "instant",
  "block-load",
  "daily-load",
  "daily-captures",
  "billing",
] as const satisfies ReadingViewName[];

/** Columns of values in each view; what is not among them tells of the row. */
export type ReadingColumns = Readonly<Record<ReadingViewName, readonly ProfileColumn[]>>;

/** By name in the view; decimals are text that loses nothing. */
export type ReadingRow = Readonly<Record<string, unknown>>;

export interface ExportedMeter {
  readonly id: string;
  readonly name: string;
  readonly number: string;
}

export interface ReadingsOrder {
  readonly meters: readonly ExportedMeter[];
  readonly kind: ReadingViewName;
  /** Rows after this time. */
  readonly from: Date;
  /** Rows up to this time. */
  readonly to: Date;
}

export interface RowPage {
  readonly meter: ExportedMeter;
  /** Oldest first; empty for a meter without rows. */
  readonly rows: readonly ReadingRow[];
}

const ROWS_A_PAGE = 1000;

/** Meter by meter, each with one page at least. Throws StoreError. */
export async function* rowPages(
  database: Queryable,
  { meters, kind, from, to }: ReadingsOrder,
): AsyncGenerator<RowPage> {
  const { at } = READING_VIEWS[kind];
  for (const meter of meters) {
    for (let after = from; ; ) {
      const rows = await rowsOf(database, { meter, kind, from: after, to, limit: ROWS_A_PAGE });
      yield { meter, rows };
      const last = rows.at(-1)?.[at];
      if (rows.length < ROWS_A_PAGE || !(last instanceof Date)) break;
      after = last;
    }
  }
}

export interface RowsOrder {
  readonly meter: Pick<ExportedMeter, "id">;
  readonly kind: ReadingViewName;
  readonly from: Date;
  readonly to: Date;
  readonly limit: number;
  /** Whether the newest come, newest first. */
  readonly newest?: boolean;
}

export function rowsOf(database: Queryable, order: RowsOrder): Promise<ReadingRow[]> {
  const { meter, kind, from, to, limit, newest = false } = order;
  const { view, at } = READING_VIEWS[kind];
  return database.query<Record<string, unknown>>(
    `select * from ${view} where meter_id = $1 and ${at} > $2 and ${at} <= $3 order by ${at} ${newest ? "desc" : "asc"} limit $4`,
    [meter.id, from, to, limit],
  );
}

/** Those of the columns that have a value in one of the rows. Throws StoreError. */
export async function columnsSent(
  database: Queryable,
  { meters, kind, from, to }: ReadingsOrder,
  columns: readonly ProfileColumn[],
): Promise<ProfileColumn[]> {
  const { view, at } = READING_VIEWS[kind];
  const sent = columns.map(({ shownAs }) => `bool_or(${shownAs} is not null) as ${shownAs}`).join(", ");
  const [row] = await database.query<Record<string, boolean | null>>(
    `select ${sent} from ${view} where meter_id = any ($1::uuid[]) and ${at} > $2 and ${at} <= $3`,
    [meters.map(({ id }) => id), from, to],
  );
  return columns.filter(({ shownAs }) => row?.[shownAs] === true);
}

/** As text that loses nothing. */
export function textOf(held: unknown): string {
  return held instanceof Date ? held.toISOString() : String(held);
}
