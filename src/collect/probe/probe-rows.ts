/** Which quirks a meter has when it is asked for rows and values: each is tried, and only what is seen is said. */
import type { DataResult } from "../../../protocol/apdu/descriptors.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import { toHex } from "../../../protocol/bytes/hex.ts";
import { type ClockPolicy, type DeviationRule, deviationRuleFor } from "../../../protocol/cosem/date-time.ts";
import { integerOf } from "../../../protocol/cosem/integers.ts";
import { standardTimeOf, type TimeZone } from "../../../protocol/cosem/time-zone.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { type DecodedProfile, decodeProfileBuffer } from "../../../protocol/profile/decode.ts";
import { LIFO, type ProfileLayout } from "../../../protocol/profile/layout.ts";
import { entryAccess, rangeAccess } from "../../../protocol/profile/selective-access.ts";
import type { MeterQuirk } from "../../../protocol/quirks.ts";
import { attributeOf, profileAttribute } from "../read/layout-reader.ts";
import { periodMs, rangeLimit } from "../read/range-window.ts";
import type { AttributeSource } from "../session/attribute-source.ts";

const PROFILE_CLASS = 7;
const ENTRIES_IN_USE = 7;
const LATEST = 8;
const HOUR_S = 3600;
const CLOCK_TOLERANCE_MS = 45 * 60_000;

const RULE_QUIRKS: Readonly<Record<DeviationRule, MeterQuirk | undefined>> = {
  standard: undefined,
  inverted: "deviation-inverted",
  "without-daylight-saving": "deviation-without-season",
  ignored: "deviation-wrong",
};

/** What a stamp read at that time says of the clock; undefined when the clock is simply wrong. */
export function clockFindings(
  stamp: Uint8Array,
  nowMs: number,
  zone: TimeZone,
): { readonly policy: ClockPolicy; readonly quirks: readonly MeterQuirk[] } | undefined {
  const truth = { instantMs: nowMs, toleranceMs: CLOCK_TOLERANCE_MS };
  const winter = standardTimeOf(zone);
  const rule = deviationRuleFor(stamp, { ...truth, zone });
  // The field is not believed only where it says something: without one there is nothing that could be wrong.
  const quirk = rule && (rule === "ignored" && !hasDeviation(stamp) ? undefined : RULE_QUIRKS[rule]);
  if (rule !== undefined) return { policy: { deviation: rule, zone }, quirks: quirk === undefined ? [] : [quirk] };
  const inWinter = deviationRuleFor(stamp, { ...truth, zone: winter });
  if (inWinter === undefined) return undefined;
  return { policy: { deviation: inWinter, zone: winter }, quirks: ["standard-time-all-year"] };
}

function hasDeviation(stamp: Uint8Array): boolean {
  return !(stamp[9] === 0x80 && stamp[10] === 0x00);
}

export interface RowsTrial {
  readonly logicalName: string;
  readonly layout: ProfileLayout;
  readonly clock: ClockPolicy;
  /** Whether the meter negotiated selective access. */
  readonly negotiated: boolean;
}

/** The quirks that asking for rows shows. A profile without rows, or without a clock, shows none. */
export async function rowQuirks(source: AttributeSource, trial: RowsTrial): Promise<readonly MeterQuirk[]> {
  const reference = attributeOf({
    classId: PROFILE_CLASS,
    logicalName: trial.logicalName,
    attributeId: ENTRIES_IN_USE,
  });
  const inUse = await source.get(reference);
  const count = inUse.type === "data" ? (integerOf(inUse.data) ?? 0) : 0;
  const column = trial.layout.columns.find(({ role }) => role === "clock");
  if (count < LATEST || column === undefined) return [];
  const byEntry = await entryQuirks(source, trial, count);
  if (byEntry.newestMs === undefined) return byEntry.quirks;
  const byRange = await rangeQuirks(source, trial, {
    newestMs: byEntry.newestMs,
    restrictingObject: column.captureObject,
  });
  return [...byRange, ...byEntry.quirks];
}

interface EntryFindings {
  readonly quirks: readonly MeterQuirk[];
  readonly newestMs: number | undefined;
}

/** The first and the last entries, and which of them are the newer ones. */
async function entryQuirks(source: AttributeSource, trial: RowsTrial, count: number): Promise<EntryFindings> {
  const [first, last] = [
    await rowsBy(source, trial, entryAccess(1, LATEST)),
    await rowsBy(source, trial, entryAccess(count - LATEST + 1, count)),
  ];
  if (first === undefined || last === undefined || first.rowCount > LATEST) {
    const whole = await rowsBy(source, trial, undefined);
    return { quirks: ["entries-refused"], newestMs: whole && newest(whole) };
  }
  const [firstMs, lastMs] = [newest(first), newest(last)];
  if (firstMs === undefined || lastMs === undefined) return { quirks: [], newestMs: firstMs ?? lastMs };
  const newestFirst = firstMs > lastMs && trial.layout.sortMethod !== LIFO;
  const quirks: MeterQuirk[] = newestFirst ? ["entries-newest-first"] : [];
  if (trial.layout.capturePeriod === undefined && isHourly(last)) quirks.push("zero-period-is-an-hour");
  return { quirks, newestMs: Math.max(firstMs, lastMs) };
}

interface RangeTrial {
  readonly newestMs: number;
  readonly restrictingObject: Parameters<typeof rangeAccess>[0]["restrictingObject"];
}

async function rangeQuirks(
  source: AttributeSource,
  trial: RowsTrial,
  { newestMs, restrictingObject }: RangeTrial,
): Promise<readonly MeterQuirk[]> {
  const fromMs = newestMs - 4 * periodMs(trial.layout.capturePeriod);
  const limit = (instantMs: number, deviation: boolean) => rangeLimit(instantMs, trial.clock, deviation);
  const unnegotiated: MeterQuirk[] = trial.negotiated ? [] : ["selective-access-unnegotiated"];
  for (const withDeviation of [true, false]) {
    const access = rangeAccess({
      restrictingObject,
      from: limit(fromMs, withDeviation),
      to: limit(newestMs, withDeviation),
    });
    const rows = await rowsBy(source, trial, access);
    if (rows !== undefined && rows.rowCount > 0) {
      return withDeviation ? unnegotiated : ["range-without-deviation", ...unnegotiated];
    }
  }
  return trial.negotiated ? ["range-refused"] : [];
}

/** Undefined for what the meter refuses, and for what is no buffer. */
async function rowsBy(
  source: AttributeSource,
  { logicalName, layout, clock }: RowsTrial,
  access: ReturnType<typeof entryAccess> | undefined,
): Promise<DecodedProfile | undefined> {
  const result: DataResult = await source.get({
    ...profileAttribute(logicalName, "buffer"),
    ...(access && { access }),
  });
  if (result.type !== "data") return undefined;
  try {
    return decodeProfileBuffer(result.data, layout, { clock });
  } catch (error) {
    if (error instanceof DlmsError) return undefined;
    throw error;
  }
}

function newest({ clock }: DecodedProfile): number | undefined {
  const known = clock === undefined ? [] : [...clock.instantsMs].filter((instantMs) => !Number.isNaN(instantMs));
  return known.length === 0 ? undefined : known.reduce((one, other) => Math.max(one, other));
}

function isHourly({ clock }: DecodedProfile): boolean {
  const instants = clock === undefined ? [] : [...clock.instantsMs];
  const steps = instants.slice(1).map((instantMs, index) => Math.abs(instantMs - (instants[index] ?? 0)));
  return steps.length > 2 && steps.every((step) => step === HOUR_S * 1000);
}

/** Whether a list that is negotiated brings results as single requests do. */
export async function listQuirks(source: AttributeSource, limit: () => number): Promise<readonly MeterQuirk[]> {
  const clock = attributeOf({ classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2 });
  const results = await source.getList([clock, clock]);
  return limit() < 2 && results.every(({ type }) => type === "data") ? ["lists-refused"] : [];
}

/** Fewer octets are a number rather than packed digits. */
const FEWEST_PACKED = 3;
const HIGHEST_DIGIT = 9;

/** Text of an identifier, whatever type it comes in, digits packed two to an octet too; undefined for what is none. */
export function identifierText(data: Data): string | undefined {
  if (!("value" in data)) return undefined;
  if (typeof data.value === "number" || typeof data.value === "bigint") return String(data.value);
  if (!(data.value instanceof Uint8Array)) return undefined;
  const octets = data.value;
  const end = octets.findLastIndex((octet) => octet !== 0 && octet !== 0x20) + 1;
  const text = [...octets.subarray(0, end)];
  if (text.length > 0 && text.every((octet) => octet >= 0x20 && octet <= 0x7e)) return String.fromCharCode(...text);
  const isPacked = octets.every((octet) => octet >> 4 <= HIGHEST_DIGIT && (octet & 0x0f) <= HIGHEST_DIGIT);
  return isPacked && text.length >= FEWEST_PACKED ? toHex(octets) : undefined;
}
