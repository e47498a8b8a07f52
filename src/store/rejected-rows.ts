import type { ProfileKind } from "../profiles/batch.ts";
import type { SetAsideRow } from "../profiles/map-profile.ts";
import type { Database } from "./database.ts";
import { SOURCES } from "./profile-tables.ts";

/** A row of a meter that could not become a row of a profile, with all that it said. */
export interface RejectedPollRow extends SetAsideRow {
  readonly profile: ProfileKind;
}

const POLL = SOURCES.indexOf("poll") + 1;

export async function writeRejectedRows(
  database: Database,
  meterKey: number,
  rows: readonly RejectedPollRow[],
): Promise<void> {
  const reasons = rows.map(({ reason }) => (typeof reason === "string" ? reason : reason.code));
  const details = rows.map(
    ({ reason, index }) => `row ${index}: ${typeof reason === "string" ? reason : reason.message}`,
  );
  await database.query(
    `insert into dlms.rejected_rows (profile, meter_key, captured_at, source, read_at, reason, detail, row_values)
     select profile, $2::integer, 'unknown', $3::smallint, now(), reason, detail, row_values
     from unnest($1::text[], $4::text[], $5::text[], $6::jsonb[]) as rejected (profile, reason, detail, row_values)`,
    [rows.map((row) => row.profile), meterKey, POLL, reasons, details, rows.map((row) => JSON.stringify(row.values))],
  );
}
