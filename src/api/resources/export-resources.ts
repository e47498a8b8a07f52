/** Readings of many meters in one stream: CSV, Parquet, or a message of IEC 61968-9. */
import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import { z } from "zod";
import { EXPORT_FORMAT_NAMES, EXPORT_FORMATS, type ExportFormatName } from "../../exports/export-formats.ts";
import { exportedMeters } from "../../exports/exported-meters.ts";
import {
  columnsSent,
  READING_VIEW_NAMES,
  type ReadingColumns,
  type ReadingsOrder,
  rowPages,
} from "../../exports/reading-rows.ts";
import type { Queryable } from "../../store/database/database.ts";
import { ApiError } from "../api-error.ts";
import { type Api, callerOf } from "../http-api.ts";
import { rangeOf, rangeQuery } from "../paging.ts";

export interface ExportParts {
  readonly database: Queryable;
  readonly columns: ReadingColumns;
  /** Keys of the meters in a collection; undefined where there is none of that name. */
  readonly collectionMeters: (name: string) => Promise<ReadonlySet<number> | undefined>;
}

const MOST_NAMES = 1000;
const name = z.string().min(1).max(128);

export function exportResources(api: Api, { database, columns, collectionMeters }: ExportParts): void {
  api.get(
    "/v1/exports/:kind",
    {
      config: { needs: "reader", scoped: true },
      schema: {
        tags: ["readings"],
        summary: "Rows of a profile of many meters, meter by meter, oldest first, in one stream",
        params: z.object({ kind: z.enum(READING_VIEW_NAMES) }),
        querystring: rangeQuery.extend({
          format: z.enum(EXPORT_FORMAT_NAMES).default("csv"),
          meter: z
            .union([name.transform((one) => [one]), z.array(name).max(MOST_NAMES)])
            .optional()
            .describe("Names or numbers; all when left out."),
          collection: name.optional().describe("Of the meters in this collection only."),
        }),
      },
    },
    async (request, reply) => {
      const { kind } = request.params;
      const { format, meter: names, collection } = request.query;
      const { meterKeys } = callerOf(request);
      const members = collection === undefined ? undefined : await collectionMeters(collection);
      if (collection !== undefined && members === undefined) {
        throw new ApiError("not-found", `there is no collection ${collection}`);
      }
      const keys =
        members !== undefined && meterKeys !== undefined ? members.intersection(meterKeys) : (members ?? meterKeys);
      const meters = await exportedMeters(database, { names, keys }).catch((error: unknown) => {
        throw error instanceof RangeError ? new ApiError("not-found", error.message) : error;
      });
      const order = { meters, kind, format, ...rangeOf(request.query) };
      return sendExport(reply, { database, columns }, order);
    },
  );
}

/** All rows of an order as a file, in one stream. */
export async function sendExport(
  reply: FastifyReply,
  { database, columns }: Pick<ExportParts, "database" | "columns">,
  order: ReadingsOrder & { readonly format: ExportFormatName },
): Promise<FastifyReply> {
  const { kind, format } = order;
  const sent = await columnsSent(database, order, columns[kind]);
  const { mediaType, suffix, write } = EXPORT_FORMATS[format];
  reply.type(mediaType).header("content-disposition", `attachment; filename="${kind}.${suffix}"`);
  return reply.send(Readable.from(write(rowPages(database, order), { kind, columns: sent }), { objectMode: false }));
}
