/** The meters that there are, each with its last try. */
import { z } from "zod";
import type { Queryable } from "../../store/database/database.ts";
import { attempt, meter } from "../answers/meters.ts";
import { ApiError } from "../api-error.ts";
import type { Caller } from "../callers.ts";
import { type Api, callerOf } from "../http-api.ts";
import { page, pageOf, pageQuery, rangeOf, rangeQuery, timePageQuery } from "../paging.ts";

const meterName = z.object({ meter: z.string().min(1).max(128).describe("Name or number of the meter.") });

interface AttemptRow {
  started_at: Date;
  ended_at: Date;
  what: string;
  succeeded: boolean;
  row_count: number;
  cause: string | null;
  evidence: string | null;
  next_step: string | null;
}

type Meter = z.output<typeof meter>;

type MeterRow = {
  id: string;
  name: string;
  meter_number: string;
  meter_type: string;
  maker: string | null;
  model: string | null;
  firmware: string | null;
  system_title: Uint8Array | null;
  companion: string;
  time_zone: string;
  attributes: Record<string, string>;
} & { [K in keyof AttemptRow]: AttemptRow[K] | null };

const METERS = `
  select m.id, m.name, m.meter_number, m.meter_type, m.maker, m.model, m.firmware, m.system_title, m.companion, m.time_zone,
    coalesce((select jsonb_object_agg(a.name, a.value) from dlms.meter_attributes a where a.meter_id = m.id), '{}') as attributes,
    l.started_at, l.ended_at, l.what, l.succeeded, l.row_count, l.cause, l.evidence, l.next_step
  from public.meters m
  left join lateral (
    select * from dlms.read_attempts r where r.meter_id = m.id order by r.started_at desc limit 1
  ) l on true
  where ($1::int[] is null or m.meter_key = any ($1))`;

export interface MeterIdentity {
  readonly id: string;
  readonly key: number;
  readonly name: string;
  readonly number: string;
}

/** The meter of that name or number, if it exists for the caller. Throws ApiError. */
export async function meterOf(database: Queryable, caller: Caller, nameOrNumber: string): Promise<MeterIdentity> {
  const rows = await database.query<{ id: string; meter_key: number; name: string; meter_number: string }>(
    `select id, meter_key, name, meter_number from public.meters where name = $1
     union all select id, meter_key, name, meter_number from public.meters where meter_number = $1 and name <> $1`,
    [nameOrNumber],
  );
  const found = rows.find(({ meter_key: key }) => caller.meterKeys?.has(key) ?? true);
  if (found === undefined) throw new ApiError("not-found", `there is no meter ${nameOrNumber}`);
  return { id: found.id, key: found.meter_key, name: found.name, number: found.meter_number };
}

/** The keys of all meters that exist for the caller, for a statement; null for all. */
export function scopeOf({ meterKeys }: Caller): readonly number[] | null {
  return meterKeys === undefined ? null : [...meterKeys];
}

/** `isKnown` tells by its name whether a meter is one that this gateway has. */
export function meterResources(api: Api, database: Queryable, isKnown: (name: string) => boolean): void {
  const asItem = (row: MeterRow) => meterOfRow(row, isKnown(row.name));
  meterList(api, database, asItem);
  oneMeter(api, database, asItem);
  meterAttempts(api, database);
}

function meterList(api: Api, database: Queryable, asItem: (row: MeterRow) => Meter): void {
  api.get(
    "/v1/meters",
    {
      config: { needs: "reader", scoped: true },
      schema: {
        tags: ["meters"],
        summary: "Meters, by name",
        querystring: pageQuery.extend({
          search: z.string().max(128).optional().describe("Part of the name or number."),
          companion: z.string().max(64).optional(),
        }),
        response: { 200: pageOf(meter) },
      },
    },
    async (request) => {
      const { after, limit, search, companion } = request.query;
      const rows = await database.query<MeterRow>(
        `${METERS} and ($2::text is null or m.name > $2)
           and ($3::text is null or m.name ilike $3 or m.meter_number ilike $3) and ($4::text is null or m.companion = $4)
         order by m.name limit $5`,
        [scopeOf(callerOf(request)), after, search && `%${likeText(search)}%`, companion, limit + 1],
      );
      return page(rows, limit, { item: asItem, place: ({ name }) => name });
    },
  );
}

function oneMeter(api: Api, database: Queryable, asItem: (row: MeterRow) => Meter): void {
  api.get(
    "/v1/meters/:meter",
    {
      config: { needs: "reader", scoped: true },
      schema: { tags: ["meters"], summary: "One meter", params: meterName, response: { 200: meter } },
    },
    async (request) => {
      const caller = callerOf(request);
      const { id } = await meterOf(database, caller, request.params.meter);
      const [row] = await database.query<MeterRow>(`${METERS} and m.id = $2`, [scopeOf(caller), id]);
      if (row === undefined) throw new ApiError("not-found", "the meter was just deleted");
      return asItem(row);
    },
  );
}

function meterAttempts(api: Api, database: Queryable): void {
  api.get(
    "/v1/meters/:meter/attempts",
    {
      config: { needs: "reader", scoped: true },
      schema: {
        tags: ["meters"],
        summary: "Tries to read a meter, newest first, with cause and next step where one failed",
        params: meterName,
        querystring: timePageQuery.extend(rangeQuery.shape),
        response: { 200: pageOf(attempt) },
      },
    },
    async (request) => {
      const { after, limit } = request.query;
      const { from, to } = rangeOf(request.query);
      const { id } = await meterOf(database, callerOf(request), request.params.meter);
      const rows = await database.query<AttemptRow>(
        `select started_at, ended_at, what, succeeded, row_count, cause, evidence, next_step from dlms.read_attempts
         where meter_id = $1 and started_at > $2 and started_at <= $3 and ($4::timestamptz is null or started_at < $4)
         order by started_at desc limit $5`,
        [id, from, to, after, limit + 1],
      );
      return page(rows, limit, { item: attemptOf, place: (row) => row.started_at.toISOString() });
    },
  );
}

function meterOfRow(row: MeterRow, isKnown: boolean): Meter {
  const { started_at: startedAt, ended_at: endedAt, what, succeeded, row_count: rowCount } = row;
  const tried = startedAt !== null && endedAt !== null && what !== null && succeeded !== null && rowCount !== null;
  return {
    id: row.id,
    name: row.name,
    number: row.meter_number,
    type: row.meter_type,
    maker: row.maker,
    model: row.model,
    firmware: row.firmware,
    systemTitle: row.system_title === null ? null : Buffer.from(row.system_title).toString("hex"),
    companion: row.companion,
    timeZone: row.time_zone,
    attributes: row.attributes,
    isKnown,
    lastAttempt: tried
      ? attemptOf({ ...row, started_at: startedAt, ended_at: endedAt, what, succeeded, row_count: rowCount })
      : null,
  };
}

function attemptOf(row: AttemptRow): z.output<typeof attempt> {
  return {
    startedAt: row.started_at.toISOString(),
    endedAt: row.ended_at.toISOString(),
    what: row.what,
    succeeded: row.succeeded,
    rows: row.row_count,
    cause: row.cause,
    evidence: row.evidence,
    nextStep: row.next_step,
  };
}

/** The text as a pattern of LIKE that matches only itself. */
function likeText(text: string): string {
  return text.replaceAll(/[\\%_]/g, (sign) => `\\${sign}`);
}
