/**
 * Decoded rows to a batch for the store: capture objects become columns, integers in the column's decimal unit (see
 * map-column.ts). Everything that has no column is kept under its capture object in `others`. A row that cannot be keyed
 * by time, or that did not fit the layout, is set aside with all that it said.
 */

import { DATE_TIME_LENGTH } from "../../protocol/axdr/data.ts";
import type { Companion } from "../../protocol/cosem/companion/companion.ts";
import { CLOCK_STATUS, type ClockPolicy } from "../../protocol/cosem/date-time.ts";
import type { DlmsError } from "../../protocol/errors.ts";
import { TIME_RULE, type TimeColumn } from "../../protocol/profile/column.ts";
import type { DecodedProfile } from "../../protocol/profile/decode.ts";
import type { ProfileLayout } from "../../protocol/profile/layout.ts";
import { MeterTimes } from "../../protocol/profile/meter-times.ts";
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
import { profileColumn } from "./columns.ts";
import { type ColumnPlan, columnInWords, mapColumn, planColumn } from "./map-column.ts";
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
  const instants = usableInstants(decoded, context);
  const timed = timedRows(instants);
  const rows = timed.filter((row) => !isRunning(instants[row] ?? Number.NaN, context));
  const isAll = rows.length === rowCount;
  const batch: ProfileBatch = {
    meterKey: context.meterKey,
    profile: context.profile,
    source: context.source,
    layoutFingerprint: layout.fingerprint,
    readAt: context.readAt,
    rowCount: rows.length,
    ...timesOf(clock, rows, { instants, receivedMs: context.readAt.getTime() }),
    intervalS: intervalOf(layout, context.profile),
    columns: isAll
      ? columns
      : columns.map(({ column, values }) => ({ column, values: rows.map((row) => values[row]) })),
    others: isAll
      ? others
      : others.map(({ captureObject, unit, values }) => {
          return { captureObject, unit, values: rows.map((row) => values[row]) };
        }),
  };
  const misfits = decoded.rejected.map(({ index, data, error }): SetAsideRow => {
    return { index, reason: error, values: { row: otherValue(data) ?? "" } };
  });
  return { batch, setAside: [...misfits, ...untimedRows(decoded, timed)] };
}

/** When each row was captured, in milliseconds since 1970; NaN where its stamp gives no time. */
function usableInstants({ clock, rowCount }: DecodedProfile, { distrustInvalidClock }: MapContext): readonly number[] {
  const instants: number[] = [];
  for (let row = 0; row < rowCount; row++) {
    const isDistrusted = distrustInvalidClock === true && saysInvalid(clock, row);
    instants.push(isDistrusted ? Number.NaN : (clock?.instantsMs[row] ?? Number.NaN));
  }
  return instants;
}

/**
 * The rows that can be keyed by time. One row without a time is what was true when it was read; of several, none can be
 * told from the others.
 */
function timedRows(instants: readonly number[]): readonly number[] {
  const rows: number[] = [];
  for (const [row, instantMs] of instants.entries()) {
    if (instants.length === 1 || !Number.isNaN(instantMs)) rows.push(row);
  }
  return rows;
}

/** A billing period this young has hardly ended: its row is what runs, and is stamped anew at every read. */
const RUNNING_MS = 15 * 60_000;

/** Many meters add the running period as the last row of their billing profile, stamped with the present or beyond. */
function isRunning(instantMs: number, { profile, readAt, source }: MapContext): boolean {
  return profile === "billing" && source !== "push" && instantMs > readAt.getTime() - RUNNING_MS;
}

function timesOf(
  clock: TimeColumn | undefined,
  rows: readonly number[],
  { instants, receivedMs }: { readonly instants: readonly number[]; readonly receivedMs: number },
): Pick<ProfileBatch, "instantsMs" | "timeRules" | "meterTimes"> {
  const instantsMs: number[] = [];
  const timeRules: TimeRule[] = [];
  for (const row of rows) {
    const instantMs = instants[row] ?? Number.NaN;
    instantsMs.push(Number.isNaN(instantMs) ? receivedMs : instantMs);
    timeRules.push(Number.isNaN(instantMs) ? "received" : timeRuleOf(clock, row));
  }
  return { instantsMs, timeRules, meterTimes: meterTimesOf(clock, rows) };
}

function meterTimesOf(clock: TimeColumn | undefined, rows: readonly number[]): MeterTimes | undefined {
  if (clock === undefined || !clock.sent.includes(1)) return undefined;
  const times = new MeterTimes(clock.stamps, clock.sent);
  return rows.length === times.length ? times : MeterTimes.of(rows.map((row) => times.at(row)));
}

function untimedRows(decoded: DecodedProfile, timedRows: readonly number[]): SetAsideRow[] {
  const { rowCount } = decoded;
  if (timedRows.length === rowCount) return [];
  const timed = new Set(timedRows);
  const columns = decoded.columns.map(columnInWords);
  const rows = Array.from({ length: rowCount }, (_, row) => row).filter((row) => !timed.has(row));
  return rows.map((row) => ({ index: row, reason: "no-time", values: valuesOfRow(columns, row) }));
}

function valuesOfRow(columns: readonly OtherColumn[], row: number): Record<string, OtherValue> {
  const all: Record<string, OtherValue> = {};
  for (const { captureObject, values } of columns) {
    const value = values[row];
    if (value !== undefined) all[captureObject] = value;
  }
  return all;
}

function mapColumns(
  decoded: DecodedProfile,
  context: MapContext,
): { columns: readonly BatchColumn[]; others: readonly OtherColumn[] } {
  const columns: BatchColumn[] = [];
  const others: OtherColumn[] = [];
  const taken = new Set<string>();
  const names = new Map<string, number>();
  for (const [at, plan] of plansOf(decoded.layout, context).entries()) {
    const column = decoded.columns[at];
    if (column === undefined || column === decoded.clock) continue;
    const converter = plan.converters.find((each) => !taken.has(each.column.name));
    const { values, rest } = mapColumn(column, plan, converter, context.clock);
    if (converter !== undefined) {
      // Also where nothing came of it: another object's values would be in the column by turns.
      taken.add(converter.column.name);
      if (hasValues(values)) columns.push({ column: converter.column.name, values });
    }
    if (rest.every((value) => value === undefined)) continue;
    const { key, unit } = plan;
    const occurrence = (names.get(key) ?? 0) + 1;
    names.set(key, occurrence);
    others.push({ captureObject: occurrence === 1 ? key : `${key}~${occurrence}`, unit, values: rest });
  }
  return { columns, others };
}

function hasValues(values: BatchColumn["values"]): boolean {
  return values instanceof BigInt64Array ? values.length > 0 : values.some((value) => value !== undefined);
}

type ProfilePlan = Pick<MapContext, "companion" | "profile"> & { readonly columns: readonly ColumnPlan[] };

/** Nearly always one a layout. */
const plans = new WeakMap<ProfileLayout, readonly ProfilePlan[]>();

/** How the columns of a layout are mapped, in its order. */
function plansOf(layout: ProfileLayout, { companion, profile }: MapContext): readonly ColumnPlan[] {
  const known = plans.get(layout) ?? [];
  const plan = known.find((each) => each.companion === companion && each.profile === profile);
  if (plan !== undefined) return plan.columns;
  const ruleOf = rulesFor(companion, profile);
  const columns = layout.columns.map(({ captureObject, scalerUnit, role }) => {
    const { columns: names = [], scalerOf } = ruleOf(captureObject) ?? {};
    const lender = layout.columns.find((each) => each.captureObject.logicalName === scalerOf);
    const candidates = names.flatMap((name) => profileColumn(profile, name) ?? []);
    return planColumn({ captureObject, scalerUnit, isTime: role !== "value" }, candidates, lender?.scalerUnit);
  });
  plans.set(layout, [...known, { companion, profile, columns }]);
  return columns;
}

function intervalOf({ capturePeriod }: ProfileLayout, profile: ProfileKind): number | undefined {
  if (profile === "instant" || profile === "billing") return undefined;
  if (capturePeriod !== undefined && "seconds" in capturePeriod) return capturePeriod.seconds;
  return profile === "daily_load" ? DAY_S : undefined;
}

function timeRuleOf(clock: TimeColumn | undefined, row: number): TimeRule {
  const rule = clock?.rules[row];
  if (rule === TIME_RULE.deviation) return "deviation";
  return rule === TIME_RULE.zone ? "zone" : "received";
}

function saysInvalid(clock: TimeColumn | undefined, row: number): boolean {
  if (clock?.sent[row] !== 1) return false;
  const status = clock.stamps[DATE_TIME_LENGTH * row + STATUS_OCTET] ?? 0;
  return status !== 0xff && (status & CLOCK_STATUS.invalidValue) !== 0;
}

/** Place of the clock status in the 12 octets. */
const STATUS_OCTET = 11;
