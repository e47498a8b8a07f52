/**
 * What the four profile tables and their views are made of, by the list of columns: base tables hold integers in fixed
 * decimal units, which is fast, small and exact; the views over them show plain units. Migrations hold the result; a
 * test compares what they made with the list.
 */
import type { DeviationRule } from "../../protocol/cosem/date-time.ts";
import type { BufferForm, ProfileKind, ReadingKind } from "../profiles/batch.ts";
import type { ProfileColumn } from "../profiles/columns.ts";

/** Codes in the database follow this order. */
export const PROFILE_KINDS = ["instant", "block_load", "daily_load", "billing"] as const satisfies ProfileKind[];

/** Profiles that have slots; an instant snapshot is what was true when it was asked for. */
export const SLOTTED_PROFILES = ["block_load", "daily_load", "billing"] as const satisfies ProfileKind[];

export const READING_KINDS = [...PROFILE_KINDS, "events"] as const satisfies ReadingKind[];

const TITLES: Readonly<Record<ProfileKind, string>> = {
  instant: "Snapshots of what a meter measures, at the moment of capture.",
  block_load: "Load by interval; captured_at is the end of the interval.",
  daily_load: "Registers at midnight, as the meter captured them.",
  billing: "Registers and maximum demands at the end of billing periods.",
};

/** Codes of the column source, in the order of this list from 1 on. */
export const SOURCES = ["poll", "push", "on_demand", "backfill", "import"] as const;
/** How a meter's deviation may be taken; their order is that of the spool's codes. */
export const DEVIATION_RULES = [
  "standard",
  "inverted",
  "without-daylight-saving",
  "ignored",
] as const satisfies DeviationRule[];
/** Forms of kept octets; their order is that of the spool's codes. */
export const BUFFER_FORMS = ["buffer", "registers", "readout"] as const satisfies BufferForm[];
/** Codes of the column time_rule, in the order of this list from 1 on. */
export const TIME_RULES = ["deviation", "zone", "received"] as const;

export type StoredType = "integer" | "bigint" | "timestamptz";

export function storedType(column: ProfileColumn): StoredType {
  if (column.kind === "timestamp") return "timestamptz";
  return column.bits === 32 ? "integer" : "bigint";
}

/** Name of the base table. */
export function dataTable(profile: ProfileKind): string {
  return `${profile}_profile_data`;
}

/** Name of the view. */
export function profileView(profile: ProfileKind): string {
  return profile === "daily_load" ? "daily_load_captures" : `${profile}_profile`;
}

/** The expression that shows a stored column in plain units, over the base table `d`. */
export function shownExpression(column: ProfileColumn): string {
  const stored = `d.${column.name}`;
  if (column.kind !== "number" || column.exponent === 0) return stored;
  const factor = column.exponent < 0 ? `0.${"0".repeat(-column.exponent - 1)}1` : `1${"0".repeat(column.exponent)}`;
  return `${stored} * ${factor}::numeric`;
}

/** What people read about a column of the view. */
export function shownComment(column: ProfileColumn): string {
  return column.unit === "" ? `${column.description}.` : `${column.description}, in ${column.unit}.`;
}

const SHOWN_BESIDES: readonly (readonly [name: string, expression: string, comment: string])[] = [
  ["interval_s", "d.interval_s", "Length of the interval in seconds; null for a capture without one."],
  ["meter_clock", "dlms.wall_clock(d.meter_time)", "What the meter''s own clock showed; null where it left it open."],
  ["time_rule", named("d.time_rule", TIME_RULES), "What turned the meter''s clock into captured_at."],
  ["source", named("d.source", SOURCES), "How the row came to us."],
  ["read_at", "d.read_at", "When the row was read or received."],
  ["known_from", "d.known_from", "When the database came to know the row."],
  ["others", "d.others", "What no column is for: value and unit under class:logical name:attribute."],
  ["layout", "l.fingerprint", "Fingerprint of the capture objects, scalers and units that the row was decoded with."],
];

/** Makes the two views over a base table, for its owner and for readers; drops those that are there. */
export function profileViewSql(profile: ProfileKind, columns: readonly ProfileColumn[]): string {
  const name = profileView(profile);
  return [
    `drop view if exists dlms_views.${name};`,
    `drop view if exists dlms.${name};`,
    `create view dlms.${name} as`,
    `${selection(profile, columns)};`,
    ...viewComments(`dlms.${name}`, profile, columns),
    `select dlms.make_reader_view('${name}', '${profile}');`,
    "",
  ].join("\n");
}

function selection(profile: ProfileKind, columns: readonly ProfileColumn[]): string {
  return [
    "select m.id as meter_id,",
    "  m.meter_number,",
    "  d.captured_at,",
    ...columns.map((column) => `  ${shownExpression(column)} as ${column.shownAs},`),
    SHOWN_BESIDES.map(([name, expression]) => `  ${expression} as ${name}`).join(",\n"),
    `from dlms.${dataTable(profile)} d`,
    "join public.meters m on m.meter_key = d.meter_key",
    "left join dlms.profile_layouts l on l.layout_key = d.layout_key",
  ].join("\n");
}

function viewComments(view: string, profile: ProfileKind, columns: readonly ProfileColumn[]): string[] {
  return [
    `comment on view ${view} is ${quoted(TITLES[profile])};`,
    `comment on column ${view}.meter_id is 'The meter: id of public.meters.';`,
    `comment on column ${view}.meter_number is 'Serial number of the meter.';`,
    `comment on column ${view}.captured_at is 'When the meter captured the row.';`,
    ...columns.map((column) => `comment on column ${view}.${column.shownAs} is ${quoted(shownComment(column))};`),
    ...SHOWN_BESIDES.map(([name, , comment]) => `comment on column ${view}.${name} is '${comment}';`),
  ];
}

function named(code: string, names: readonly string[]): string {
  return `(array[${names.map((name) => `'${name}'`).join(", ")}])[${code}]`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
