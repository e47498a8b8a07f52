/** Pages of lists: each answer says where the next begins, so that a page costs the same however far back it is. */
import { z } from "zod";

export const MOST_A_PAGE = 1000;

export const pageQuery = z.object({
  after: z.string().max(200).optional().describe("`next` of the page before."),
  limit: z.coerce.number().int().min(1).max(MOST_A_PAGE).default(100).describe("Most items of the page."),
});

/** Pages of a list in the order of numeric keys. */
export const keyPageQuery = pageQuery.extend({
  after: z
    .string()
    .regex(/^\d{1,18}$/, "not the `next` of a page")
    .optional()
    .describe("`next` of the page before."),
});

/** Pages of a list in the order of time. */
export const timePageQuery = pageQuery.extend({
  after: z.iso.datetime("not the `next` of a page").optional().describe("`next` of the page before."),
});

/** The form of a page of such items. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), next: z.string().nullable().describe("`after` of the next page.") });
}

/** A page of rows that were asked for with one more than the limit. */
export function page<Row, Item>(
  rows: readonly Row[],
  limit: number,
  { item, place }: { readonly item: (row: Row) => Item; readonly place: (row: Row) => string },
): { items: Item[]; next: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown.map(item), next: rows.length > limit && last !== undefined ? place(last) : null };
}

/** Pages of a list that stands in memory, by how many items come before. */
export const countPageQuery = pageQuery.extend({
  after: z.coerce.number("not the `next` of a page").int().min(0).default(0).describe("`next` of the page before."),
});

/** A page of such a list; no more of it is looked at. */
export function countPage<Item>(
  items: Iterable<Item>,
  { after, limit }: { readonly after: number; readonly limit: number },
): { items: Item[]; next: string | null } {
  const found = Iterator.from(items)
    .drop(after)
    .take(limit + 1)
    .toArray();
  return { items: found.slice(0, limit), next: found.length > limit ? String(after + limit) : null };
}

const instant = z.iso.datetime({ offset: true });

/** A range of time, `from` exclusive and `to` inclusive, as intervals are named by their end. */
export const rangeQuery = z.object({
  from: instant.optional().describe("After this; a day before `to` when left out."),
  to: instant.optional().describe("Up to this; now when left out."),
});

const DAY_MS = 86_400_000;

/** The range that was asked for. */
export function rangeOf({ from, to }: z.output<typeof rangeQuery>): { readonly from: Date; readonly to: Date } {
  const end = to === undefined ? new Date() : new Date(to);
  return { from: from === undefined ? new Date(end.getTime() - DAY_MS) : new Date(from), to: end };
}
