/**
 * Decoded rows to a batch for the store: capture objects become columns, integers in the column's decimal unit (see
 * map-column.ts). Everything that has no column is kept under its capture object in `others`. A row that cannot be keyed
 * by time, or that did not fit the layout, is set aside with all that it said.
 */

import type { Companion } from "../../protocol/cosem/companion/companion.ts";
import { CLOCK_STATUS, type ClockPolicy } from "../../protocol/cosem/date-time.ts";
import type { DlmsError } from "../../protocol/errors.ts";
import { type DecodedColumn, TIME_RULE, type TimeColumn } from "../../protocol/profile/column.ts";
import type { DecodedProfile } from "../../protocol/profile/decode.ts";
import type { ProfileLayout } from "../../protocol/profile/layout.ts";
import type {
  BatchColumn,
  OtherColumn,
  OtherValue,
  ProfileBatch,
  ProfileKind,
  ReadingSource,
  TimeRule,
} from "./batch.ts";
import { rulesFor } from "./column-rules.ts";
import { type ProfileColumn, profileColumn } from "./columns.ts";
import { type MappedColumn, type MapTarget, mapColumn } from "./map-column.ts";
import { otherValue } from "./other-value.ts";

export interface MapContext {
  readonly meterKey: number;
  readonly profile: ProfileKind;
  readonly companion: Companion;
  readonly source: ReadingSource;
  readonly readAt: Date;
  readonly clock: ClockPolicy;
  /** A stamp whose status says that it is invalid gives no time: a push was received about when it was made. */
  readonly distrustInvalidClock?: boolean;
}

/** A row that the batch does not hold. */
export interface SetAsideRow {
  /** Of the buffer as sent for rows that misfit, of the decoded rows for those without a time. */
  readonly index: number;
  readonly reason: DlmsError | "no-time";
  /** What it said, by capture object; a row that misfits says one thing, under the name `row`. */
  readonly values: Readonly<Record<string, OtherValue>>;
}

export interface MappedProfile {
  readonly batch: ProfileBatch;
  readonly setAside: readonly SetAsideRow[];
}

/** The interval that a row of daily load stands for. */
const DAY_S = 86_400;

export function mapProfile(decoded: DecodedProfile, context: MapContext): MappedProfile {
  const { layout, clock, rowCount } = decoded;
  const { columns, others } = mapColumns(decoded, context);
  const isTimed = (row: number): boolean =>
    instantOf(clock, row) !== undefined && !(context.distrustInvalidClock === true && saysInvalid(clock, row));
  const timed = timedRows(rowCount, isTimed);
  const rows = timed.filter((row) => !isRunning(instantOf(clock, row), context));
  const batch: ProfileBatch = {
    meterKey: context.meterKey,
    profile: context.profile,
    source: context.source,
    layoutFingerprint: layout.fingerprint,
    readAt: context.readAt,
    rowCount: rows.length,
    ...timesOf(clock, rows, { isTimed, receivedMs: context.readAt.getTime() }),
    intervalS: intervalOf(layout, context.profile),
    columns: columns.map(({ column, values }) => ({ column, values: select(values, rows) })),
    others: others.map(({ captureObject, unit, values }) => ({ captureObject, unit, values: select(values, rows) })),
  };
  const misfits = decoded.rejected.map(({ index, data, error }): SetAsideRow => {
    return { index, reason: error, values: { row: otherValue(data) ?? "" } };
  });
  return { batch, setAside: [...misfits, ...untimedRows(decoded, timed)] };
}

function timesOf(
  clock: TimeColumn | undefined,
  rows: readonly number[],
  { isTimed, receivedMs }: { readonly isTimed: (row: number) => boolean; readonly receivedMs: number },
): Pick<ProfileBatch, "instantsMs" | "timeRules" | "meterTimes"> {
  const instantsMs: number[] = [];
  const timeRules: TimeRule[] = [];
  const meterTimes: (Uint8Array | undefined)[] = [];
  for (const row of rows) {
    const instantMs = isTimed(row) ? instantOf(clock, row) : undefined;
    instantsMs.push(instantMs ?? receivedMs);
    timeRules.push(instantMs === undefined ? "received" : timeRuleOf(clock, row));
    meterTimes.push(stampOf(clock, row));
  }
  return { instantsMs, timeRules, meterTimes };
}

/** A billing period this young has hardly ended: its row is what runs, and is stamped anew at every read. */
const RUNNING_MS = 15 * 60_000;

/** Many meters add the running period as the last row of their billing profile, stamped with the present or beyond. */
function isRunning(instantMs: number | undefined, { profile, readAt, source }: MapContext): boolean {
  if (profile !== "billing" || source === "push" || instantMs === undefined) return false;
  return instantMs > readAt.getTime() - RUNNING_MS;
}

function select<T>(values: readonly T[], rows: readonly number[]): readonly T[] {
  return rows.length === values.length ? values : rows.flatMap((row) => values.slice(row, row + 1));
}

/**
 * The rows that can be keyed by time. One row without a time is what was true when it was read; of several, none can be
 * told from the others.
 */
function timedRows(rowCount: number, isTimed: (row: number) => boolean): readonly number[] {
  const rows: number[] = [];
  for (let row = 0; row < rowCount; row++) if (rowCount === 1 || isTimed(row)) rows.push(row);
  return rows;
}

function untimedRows(decoded: DecodedProfile, timedRows: readonly number[]): SetAsideRow[] {
  const { rowCount } = decoded;
  if (timedRows.length === rowCount) return [];
  const timed = new Set(timedRows);
  const named = decoded.columns.map((column) => mapColumn(column, undefined));
  const rows = Array.from({ length: rowCount }, (_, row) => row).filter((row) => !timed.has(row));
  return rows.map((row) => ({ index: row, reason: "no-time", values: valuesOfRow(named, row) }));
}

function valuesOfRow(columns: readonly MappedColumn[], row: number): Record<string, OtherValue> {
  const values: Record<string, OtherValue> = {};
  for (const { rest, key } of columns) {
    const value = rest[row];
    if (value !== undefined) values[key] = value;
  }
  return values;
}

function mapColumns(
  decoded: DecodedProfile,
  context: MapContext,
): { columns: readonly BatchColumn[]; others: readonly OtherColumn[] } {
  const columns: BatchColumn[] = [];
  const others: OtherColumn[] = [];
  const taken = new Set<string>();
  const names = new Map<string, number>();
  for (const column of decoded.columns) {
    if (column === decoded.clock) continue;
    const target = targetOf(column, decoded.layout, context, taken);
    const { column: chosen, values, rest, key, unit } = mapColumn(column, target);
    if (chosen !== undefined && values.some((value) => value !== undefined)) {
      columns.push({ column: chosen.name, values });
      taken.add(chosen.name);
    }
    if (rest.every((value) => value === undefined)) continue;
    const occurrence = (names.get(key) ?? 0) + 1;
    names.set(key, occurrence);
    others.push({ captureObject: occurrence === 1 ? key : `${key}~${occurrence}`, unit, values: rest });
  }
  return { columns, others };
}

/** Where the column's values go, or undefined when nothing knows it or another column of the row was there first. */
function targetOf(
  column: DecodedColumn,
  layout: ProfileLayout,
  { companion, profile, clock }: MapContext,
  taken: ReadonlySet<string>,
): MapTarget | undefined {
  const rule = rulesFor(companion, profile)(column.captureObject);
  if (rule === undefined) return undefined;
  const candidates = rule.columns
    .map((name) => profileColumn(profile, name))
    .filter((each): each is ProfileColumn => each !== undefined && !taken.has(each.name));
  const lent = layout.columns.find((each) => each.captureObject.logicalName === rule.scalerOf)?.scalerUnit;
  const [first, ...more] = candidates;
  return first === undefined ? undefined : { column: first, alternatives: more, lentScaler: lent, clock };
}

function intervalOf({ capturePeriod }: ProfileLayout, profile: ProfileKind): number | undefined {
  if (profile === "instant" || profile === "billing") return undefined;
  if (capturePeriod !== undefined && "seconds" in capturePeriod) return capturePeriod.seconds;
  return profile === "daily_load" ? DAY_S : undefined;
}

function instantOf(clock: TimeColumn | undefined, row: number): number | undefined {
  const instantMs = clock?.instantsMs[row];
  return instantMs === undefined || Number.isNaN(instantMs) ? undefined : instantMs;
}

function timeRuleOf(clock: TimeColumn | undefined, row: number): TimeRule {
  const rule = clock?.rules[row];
  if (rule === TIME_RULE.deviation) return "deviation";
  return rule === TIME_RULE.zone ? "zone" : "received";
}

function saysInvalid(clock: TimeColumn | undefined, row: number): boolean {
  const status = stampOf(clock, row)?.[STATUS_OCTET] ?? 0;
  return status !== 0xff && (status & CLOCK_STATUS.invalidValue) !== 0;
}

/** Place of the clock status in the 12 octets. */
const STATUS_OCTET = 11;

function stampOf(clock: TimeColumn | undefined, row: number): Uint8Array | undefined {
  return clock?.sent[row] === 1 ? clock.stamps.subarray(12 * row, 12 * row + 12) : undefined;
}
