/** What meters captured: rows of the four profiles and the sums by day, as JSON pages or as CSV in one stream. */
import { z } from "zod";
import {
  READING_VIEW_NAMES,
  READING_VIEWS,
  type ReadingColumns,
  type ReadingRow,
  type ReadingViewName,
  rowsOf,
  textOf,
} from "../../exports/reading-rows.ts";
import type { ProfileColumn } from "../../profiles/columns.ts";
import type { Queryable } from "../../store/database/database.ts";
import { reading, readingColumn } from "../answers/readings.ts";
import { type Api, callerOf } from "../http-api.ts";
import { pageOf, rangeOf, rangeQuery, timePageQuery } from "../paging.ts";
import { sendExport } from "./export-resources.ts";
import { meterOf } from "./meter-resources.ts";

const readingsPage = pageOf(reading).extend({
  columns: z.array(readingColumn).describe("What the values of the page are."),
});

const params = z.object({ meter: z.string().min(1).max(128), kind: z.enum(READING_VIEW_NAMES) });
/** Identity of the row, which the path says already. */
const LEFT_OUT = new Set(["meter_id", "meter_number", "captured_at", "ends_at", "others"]);
const MOST_ROWS_OF_PAGE = 10_000;

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
        const order = { meters: [meter], kind, format: "csv", from, to } as const;
        return await sendExport(reply, { database, columns }, order);
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

function readingOf(
  row: ReadingRow,
  kind: ReadingViewName,
  columns: readonly ProfileColumn[],
): z.output<typeof reading> {
  const values = new Map<string, string>();
  for (const { shownAs } of columns) {
    const held = row[shownAs];
    if (held !== null && held !== undefined) values.set(shownAs, textOf(held));
  }
  const names = new Set(columns.map(({ shownAs }) => shownAs));
  const about = Object.entries(row).filter(([name]) => !names.has(name) && !LEFT_OUT.has(name));
  return {
    at: textOf(row[READING_VIEWS[kind].at]),
    values: Object.fromEntries(values),
    others: row["others"] ?? {},
    about: Object.fromEntries(about.map(([name, held]) => [name, plainOf(held)])),
  };
}

function plainOf(held: unknown): string | number | boolean | null {
  if (held === null || held === undefined) return null;
  return typeof held === "boolean" || typeof held === "number" ? held : textOf(held);
}
