/** What meters captured: rows of the four profiles and the sums by day, as JSON pages or as CSV in one stream. */
import { Readable } from "node:stream";
import { z } from "zod";
import type { ProfileColumn } from "../profiles/columns.ts";
import type { Database } from "../store/database.ts";
import { reading, readingColumn } from "./answers/readings.ts";
import { csvCells } from "./csv.ts";
import { type Api, callerOf } from "./http-api.ts";
import { type MeterIdentity, meterOf } from "./meter-resources.ts";
import { pageOf, rangeOf, rangeQuery, timePageQuery } from "./paging.ts";

type Queryable = Pick<Database, "query">;
type Shown = Pick<ProfileColumn, "shownAs" | "unit" | "description">;

/** The views by what the API calls them, and what a row is found by. */
const VIEWS = {
  instant: { view: "dlms.instant_profile", at: "captured_at" },
  "block-load": { view: "dlms.block_load_profile", at: "captured_at" },
  "daily-load": { view: "dlms.daily_load_profile", at: "ends_at" },
  "daily-captures": { view: "dlms.daily_load_captures", at: "captured_at" },
  billing: { view: "dlms.billing_profile", at: "captured_at" },
} as const;

export type ReadingKind = keyof typeof VIEWS;
const KINDS = ["instant", "block-load", "daily-load", "daily-captures", "billing"] as const satisfies ReadingKind[];

/** Columns of values in each view; what is not among them tells of the row. */
export type ReadingColumns = Readonly<Record<ReadingKind, readonly Shown[]>>;

const readingsPage = pageOf(reading).extend({
  columns: z.array(readingColumn).describe("What the values of the page are."),
});

const params = z.object({ meter: z.string().min(1).max(128), kind: z.enum(KINDS) });
/** Identity of the row, which the path says already. */
const LEFT_OUT = new Set(["meter_id", "meter_number", "captured_at", "ends_at", "others"]);
const ROWS_A_READ = 1000;
const MOST_ROWS_OF_PAGE = 10_000;
const MOST_ROWS_OF_CSV = 1_000_000;

type Row = Record<string, unknown>;

export function readingResources(api: Api, database: Queryable, columns: ReadingColumns): void {
  api.get(
    "/v1/meters/:meter/profiles/:kind",
    {
      config: { needs: "reader", scoped: true },
      schema: {
        tags: ["readings"],
        summary: "Rows of a profile, oldest first",
        description: "As CSV all rows of the range come in one answer, without pages.",
        params,
        querystring: timePageQuery.extend(rangeQuery.shape).extend({
          limit: z.coerce.number().int().min(1).max(MOST_ROWS_OF_PAGE).default(100).describe("Most rows of the page."),
          newest: z
            .stringbool()
            .default(false)
            .describe("Whether the newest rows come, newest first, without further pages."),
          format: z.enum(["json", "csv"]).optional().describe("What the header Accept says when left out."),
        }),
        response: { 200: readingsPage },
      },
    },
    async (request, reply) => {
      const { kind } = request.params;
      const meter = await meterOf(database, callerOf(request), request.params.meter);
      const { from, to } = rangeOf(request.query);
      const { after, limit, newest, format } = request.query;
      if (format === "csv" || (format === undefined && request.headers.accept?.startsWith("text/csv") === true)) {
        const lines = csvLines(database, { meter, kind, from, to, columns: columns[kind] });
        reply.type("text/csv; charset=utf-8").header("content-disposition", `attachment; filename="${kind}.csv"`);
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a stream passes the serializer of the schema by
        return reply.send(Readable.from(lines) as never);
      }
      const start = after === undefined ? from : new Date(after);
      const rows = await rowsOf(database, { meter, kind, from: start, to, limit: limit + 1, newest });
      const items = rows.slice(0, limit).map((row) => readingOf(row, kind, columns[kind]));
      const sent = new Set(items.flatMap((item) => Object.keys(item.values)));
      return {
        columns: columns[kind]
          .filter(({ shownAs }) => sent.has(shownAs))
          .map(({ shownAs, unit, description }) => ({ name: shownAs, unit, meaning: description })),
        items,
        next: rows.length > limit && !newest ? (items.at(-1)?.at ?? null) : null,
      };
    },
  );
}

interface RowsOrder {
  readonly meter: MeterIdentity;
  readonly kind: ReadingKind;
  readonly from: Date;
  readonly to: Date;
  readonly limit: number;
  /** Whether the newest come, newest first. */
  readonly newest?: boolean;
}

function rowsOf(database: Queryable, { meter, kind, from, to, limit, newest = false }: RowsOrder): Promise<Row[]> {
  const { view, at } = VIEWS[kind];
  return database.query<Row>(
    `select * from ${view} where meter_id = $1 and ${at} > $2 and ${at} <= $3 order by ${at} ${newest ? "desc" : "asc"} limit $4`,
    [meter.id, from, to, limit],
  );
}

function readingOf(row: Row, kind: ReadingKind, columns: readonly Shown[]): z.output<typeof reading> {
  const values = new Map<string, string>();
  for (const { shownAs } of columns) {
    const held = row[shownAs];
    if (held !== null && held !== undefined) values.set(shownAs, textOf(held));
  }
  const names = new Set(columns.map(({ shownAs }) => shownAs));
  const about = Object.entries(row).filter(([name]) => !names.has(name) && !LEFT_OUT.has(name));
  return {
    at: textOf(row[VIEWS[kind].at]),
    values: Object.fromEntries(values),
    others: row["others"] ?? {},
    about: Object.fromEntries(about.map(([name, held]) => [name, plainOf(held)])),
  };
}

interface CsvOrder extends Omit<RowsOrder, "limit"> {
  readonly columns: readonly Shown[];
}

/** The columns that the meter has sent in the range; a line for each row. */
async function* csvLines(database: Queryable, order: CsvOrder): AsyncGenerator<string> {
  const { view, at } = VIEWS[order.kind];
  const sent = await database.query<{ name: string }>(
    `select distinct k.name from ${view} v, jsonb_object_keys(jsonb_strip_nulls(to_jsonb(v))) as k (name)
     where v.meter_id = $1 and v.${at} > $2 and v.${at} <= $3`,
    [order.meter.id, order.from, order.to],
  );
  const names = new Set(sent.map(({ name }) => name));
  const columns = [at, ...order.columns.map(({ shownAs }) => shownAs).filter((name) => names.has(name))];
  yield `${csvCells(["meter", ...columns, "others"])}\r\n`;
  let { from } = order;
  for (let count = 0; count < MOST_ROWS_OF_CSV; count += ROWS_A_READ) {
    const rows = await rowsOf(database, { ...order, from, limit: ROWS_A_READ });
    for (const row of rows) {
      const others = row["others"] ?? undefined;
      const cells = columns.map((name) => (row[name] === null ? "" : textOf(row[name])));
      yield `${csvCells([order.meter.name, ...cells, others === undefined ? "" : JSON.stringify(others)])}\r\n`;
    }
    const last = rows.at(-1)?.[at];
    if (rows.length < ROWS_A_READ || !(last instanceof Date)) return;
    from = last;
  }
}

/** As text that loses nothing. */
function textOf(held: unknown): string {
  return held instanceof Date ? held.toISOString() : String(held);
}

function plainOf(held: unknown): string | number | boolean | null {
  if (held === null || held === undefined) return null;
  return typeof held === "boolean" || typeof held === "number" ? held : textOf(held);
}
