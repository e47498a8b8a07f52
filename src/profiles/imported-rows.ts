/**
 * Lines of a table that somebody brings, as rows of a profile. A heading is `meter`, `time`, a column as the profile's
 * view shows it (`active_import_wh`), or an object with its unit (`1-0:1.8.0 kWh`). Values are exact decimals.
 */
import type { Companion } from "../../protocol/cosem/companion/companion.ts";
import { dayMs } from "../../protocol/cosem/date-time.ts";
import { UTC } from "../../protocol/cosem/time-zone.ts";
import { type DataSet, parseDecimal } from "../../protocol/link/iec62056-21/data-sets.ts";
import type { ProfileBatch, ProfileKind } from "./batch.ts";
import { PROFILE_COLUMNS, type ProfileColumn } from "./columns.ts";
import { dataSetItems, logicalNameOf } from "./data-set-items.ts";
import { rescale } from "./decimal.ts";
import { type MapContext, mapProfile } from "./map-profile.ts";
import { readoutRow } from "./readout-rows.ts";

type Heading =
  | { readonly type: "meter" | "time" }
  | { readonly type: "column"; readonly column: ProfileColumn }
  | { readonly type: "object"; readonly address: string; readonly unit: string | undefined };

export interface ImportTable {
  readonly profile: ProfileKind;
  readonly intervalS: number | undefined;
  readonly headings: readonly Heading[];
}

export interface ImportedLine {
  readonly meter: string;
  readonly time: string;
}

/** Why a line is no row. */
export class ImportRefusal extends Error {
  override readonly name = "ImportRefusal";
  readonly reason: "time_missing" | "value_unreadable" | "value_out_of_range" | "line_uneven";

  constructor(reason: ImportRefusal["reason"], detail: string) {
    super(detail);
    this.reason = reason;
  }
}

/** Throws RangeError that names a heading that is unknown, or one that is missing. */
export function importTable(
  { profile, intervalS }: Omit<ImportTable, "headings">,
  names: readonly string[],
): ImportTable {
  const headings = names.map((name) => headingOf(profile, name));
  for (const type of ["meter", "time"] as const) {
    if (!headings.some((heading) => heading.type === type)) throw new RangeError(`there is no column ${type}`);
  }
  return { profile, intervalS, headings };
}

function headingOf(profile: ProfileKind, name: string): Heading {
  if (name === "meter" || name === "time") return { type: name };
  const column = PROFILE_COLUMNS[profile].find(({ shownAs }) => shownAs === name);
  if (column !== undefined) return { type: "column", column };
  const [address = "", unit] = name.split(" ");
  if (logicalNameOf(address) === undefined) {
    throw new RangeError(`${name}: neither a column of the view nor an object, as 1-0:1.8.0 kWh`);
  }
  return { type: "object", address, unit };
}

/** Which meter and time a line says it is of. */
export function lineOf({ headings }: ImportTable, cells: readonly string[]): ImportedLine {
  const cell = (type: Heading["type"]) => cells[headings.findIndex((heading) => heading.type === type)] ?? "";
  return { meter: cell("meter"), time: cell("time") };
}

const TIME_WITH_ZONE = /^(\d{4})-(\d{2})-(\d{2})T.*(?:Z|[+-]\d{2}:?\d{2})$/;
const CLOCK = { deviation: "ignored", zone: UTC } as const;
/** Rows that came so have no capture objects of a meter. */
const LAYOUT = "import";

/** Throws ImportRefusal. */
export function importedRow(
  table: ImportTable,
  cells: readonly string[],
  { meterKey, companion, readAt }: { readonly meterKey: number; readonly companion: Companion; readonly readAt: Date },
): ProfileBatch {
  const { profile, intervalS, headings } = table;
  if (cells.length !== headings.length) {
    throw new ImportRefusal("line_uneven", `${cells.length} cells under ${headings.length} headings`);
  }
  const { time } = lineOf(table, cells);
  const instantMs = instantMsOf(time);
  if (Number.isNaN(instantMs)) throw new ImportRefusal("time_missing", `${time}: not as 2026-01-31T00:15:00+05:30`);
  const columns: { column: string; values: bigint[] }[] = [];
  const dataSets: DataSet[] = [];
  for (const [at, heading] of headings.entries()) {
    const text = cells[at] ?? "";
    if (text === "") continue;
    if (heading.type === "column")
      columns.push({ column: heading.column.name, values: [valueOf(heading.column, text)] });
    if (heading.type === "object") {
      if (parseDecimal(text) === undefined) throw new ImportRefusal("value_unreadable", `${heading.address} = ${text}`);
      dataSets.push({
        address: heading.address,
        values: [heading.unit === undefined ? text : `${text}*${heading.unit}`],
      });
    }
  }
  const mapped = mappedOf(dataSets, { meterKey, profile, companion, source: "import", readAt, clock: CLOCK });
  return {
    meterKey,
    profile,
    source: "import",
    layoutFingerprint: LAYOUT,
    readAt,
    rowCount: 1,
    instantsMs: [instantMs],
    timeRules: ["deviation"],
    // What showed on the meter's clock nobody says.
    meterTimes: undefined,
    intervalS,
    columns: [...mapped.columns, ...columns],
    others: mapped.others,
  };
}

/** NaN for what is no time with its zone, and for a day that does not exist: Date takes 30 February for 2 March. */
function instantMsOf(text: string): number {
  const [, year, month, day] = TIME_WITH_ZONE.exec(text)?.map(Number) ?? [];
  if (year === undefined || month === undefined || day === undefined) return Number.NaN;
  return Number.isNaN(dayMs((year << 16) | (month << 8) | day)) ? Number.NaN : Date.parse(text);
}

function mappedOf(dataSets: readonly DataSet[], context: MapContext): Pick<ProfileBatch, "columns" | "others"> {
  if (dataSets.length === 0) return { columns: [], others: [] };
  return mapProfile(readoutRow(dataSetItems({ dataSets, unreadable: [] }), undefined, CLOCK), context).batch;
}

function valueOf({ name, kind, exponent }: ProfileColumn, text: string): bigint {
  if (kind === "timestamp") {
    const ms = instantMsOf(text);
    if (Number.isNaN(ms)) throw new ImportRefusal("value_unreadable", `${name} = ${text}`);
    return BigInt(ms);
  }
  const decimal = parseDecimal(text);
  if (decimal === undefined || decimal.unit !== undefined)
    throw new ImportRefusal("value_unreadable", `${name} = ${text}`);
  const value = rescale({ mantissa: decimal.mantissa, exponent: -decimal.decimals }, kind === "number" ? exponent : 0);
  if (value === undefined)
    throw new ImportRefusal("value_out_of_range", `${name} = ${text}: more digits than are kept`);
  return value;
}
