/**
 * What the four profile tables and their views are made of, by the list of columns: base tables hold integers in fixed
 * decimal units, which is fast, small and exact; the views over them show plain units. Migrations hold the result; a
 * test compares what they made with the list.
 */
import type { DeviationRule } from "../../../protocol/cosem/date-time.ts";
import type { BufferForm, ProfileKind, ReadingKind, ReadingSource } from "../../profiles/batch.ts";
import type { ProfileColumn } from "../../profiles/columns.ts";

/** Codes in the database follow this order. */
export const PROFILE_KINDS = ["instant", "block_load", "daily_load", "billing"] as const satisfies ProfileKind[];

/** Profiles that have slots; an instant snapshot is what was true when it was asked for. */
export const SLOTTED_PROFILES = ["block_load", "daily_load", "billing"] as const satisfies ProfileKind[];

export const READING_KINDS = [...PROFILE_KINDS, "events"] as const satisfies ReadingKind[];

/** Codes of the column source, in the order of this list from 1 on. */
export const SOURCES = ["poll", "push", "on_demand", "backfill", "import"] as const satisfies ReadingSource[];
/** How a meter's deviation may be taken; their order is that of the spool's codes. */
export const DEVIATION_RULES = [
  "standard",
  "inverted",
  "without-daylight-saving",
  "ignored",
] as const satisfies DeviationRule[];
/** Forms of kept octets; their order is that of the spool's codes. */
export const BUFFER_FORMS = ["buffer", "registers", "readout", "part"] as const satisfies BufferForm[];
/** Codes of the column time_rule, in the order of this list from 1 on. */
export const TIME_RULES = ["deviation", "zone", "received"] as const;

/** The code of a profile, from 1 on. */
export function profileCode(profile: ProfileKind): number {
  return PROFILE_KINDS.indexOf(profile) + 1;
}

/** The code of a source, from 1 on. */
export function sourceCode(source: ReadingSource): number {
  return SOURCES.indexOf(source) + 1;
}

export type StoredType = "integer" | "bigint" | "timestamptz";

export function storedType(column: ProfileColumn): StoredType {
  if (column.kind === "timestamp") return "timestamptz";
  return column.bits === 32 ? "integer" : "bigint";
}

/** Name of the base table. */
export function dataTable(profile: ProfileKind): string {
  return `${profile}_profile_data`;
}
