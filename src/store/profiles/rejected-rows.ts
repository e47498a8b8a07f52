/** Rows that no profile table can hold, kept with their reason and all that they said; the same row is kept once. */
import type { PoolClient } from "pg";
import type { ReadingKind } from "../../profiles/batch.ts";
import type { SetAsideEvent } from "../../profiles/map-events.ts";
import type { SetAsideRow } from "../../profiles/map-profile.ts";
import { storableText, storableValue } from "../database/storable-text.ts";
import { sourceCode } from "./profile-tables.ts";

export interface RejectedRow {
  readonly profile: ReadingKind;
  readonly meterKey: number;
  /** What stood for the capture time: it may be no time at all. */
  readonly capturedAt: string;
  /** Code of the reading source. */
  readonly source: number;
  readonly readAt: Date;
  readonly reason: string;
  readonly detail: string;
  readonly json: string;
}

/** Keeps rejected rows in a transaction of the caller's. */
export async function keepRejectedRows(client: PoolClient, rows: readonly RejectedRow[]): Promise<void> {
  if (rows.length === 0) return;
  await client.query(
    `insert into dlms.rejected_rows
       (profile, meter_key, captured_at, source, read_at, reason, detail, row_values, digest)
     select r.*, sha256(convert_to(r.row_values::text, 'UTF8'))
     from unnest($1::text[], $2::bigint[], $3::text[], $4::smallint[], $5::timestamptz[], $6::text[], $7::text[], $8::jsonb[])
       as r (profile, meter_key, captured_at, source, read_at, reason, detail, row_values)
     on conflict do nothing`,
    [
      rows.map((row) => row.profile),
      rows.map((row) => (Number.isSafeInteger(row.meterKey) ? row.meterKey : -1)),
      rows.map((row) => row.capturedAt),
      rows.map((row) => row.source),
      rows.map((row) => (Number.isFinite(row.readAt.getTime()) ? row.readAt : null)),
      rows.map((row) => row.reason),
      rows.map((row) => storableText(row.detail)),
      rows.map((row) => row.json),
    ],
  );
}

/** A row of a meter that could not become a row of a profile, with all that it said. */
export interface RejectedPollRow extends Omit<SetAsideRow, "reason"> {
  readonly profile: ReadingKind;
  readonly reason: SetAsideRow["reason"] | SetAsideEvent["reason"];
}

/** Rows that were read but could not be mapped, as they are kept. */
export function rejectedPollRows(meterKey: number, rows: readonly RejectedPollRow[], readAt: Date): RejectedRow[] {
  return rows.map(({ profile, index, reason, values }) => ({
    profile,
    meterKey,
    capturedAt: "unknown",
    source: sourceCode("poll"),
    readAt,
    reason: typeof reason === "string" ? reason : reason.code,
    detail: `row ${index}: ${typeof reason === "string" ? reason : reason.message}`,
    json: JSON.stringify(
      Object.fromEntries(Object.entries(values).map(([name, value]) => [name, storableValue(value)])),
    ),
  }));
}
