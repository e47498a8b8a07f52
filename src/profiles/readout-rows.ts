/**
 * What a meter's readout (IEC 62056-21, modes A to D) says, as rows: one of the present, and one for each past billing
 * period whose end the readout tells. The numbers are those that were written, to the last digit.
 */
import type { Data } from "../../protocol/axdr/data.ts";
import type { ClockPolicy } from "../../protocol/cosem/date-time.ts";
import { DlmsError } from "../../protocol/errors.ts";
import { type DataSet, type DataSets, parseDecimal } from "../../protocol/link/iec62056-21/data-sets.ts";
import type { P1Time } from "../../protocol/link/iec62056-21/p1.ts";
import { joinReadoutTime, parseReadoutTime } from "../../protocol/link/iec62056-21/readout-time.ts";
import { type DecodedProfile, decodeProfileBuffer } from "../../protocol/profile/decode.ts";
import { profileLayout } from "../../protocol/profile/layout.ts";
import type { ProfileKind } from "./batch.ts";
import { clockItem, dataSetItems, logicalNameOf } from "./data-set-items.ts";
import type { PushItem } from "./push-body.ts";

/** What rows a readout can give. */
export const READOUT_PROFILES = ["instant", "billing"] as const satisfies readonly ProfileKind[];

export interface ReadoutRows extends Readonly<Record<(typeof READOUT_PROFILES)[number], readonly DecodedProfile[]>> {
  /** What has no name is kept beside the row of the present. */
  readonly nameless: readonly PushItem[];
}

const TIME_OF_DAY = "1.0.0.9.1.255";
const DATE = "1.0.0.9.2.255";
const CLOCK = "0.0.1.0.0.255";
const RESET_COUNT = "1.0.0.1.0.255";
const RESET_TIME = "1.0.0.9.6.255";
const RESET_DATE = "1.0.0.9.7.255";
/** Value group F stands behind it: when the billing period of that number ended. */
const PERIOD_END = "1.0.0.1.2.";
/** Billing periods go round after so many. */
const PERIODS = 100;

/** Throws DATA_TYPE_MISMATCH where nothing in the readout has a name that anybody knows. */
export function readoutRows(readout: DataSets, clock: ClockPolicy): ReadoutRows {
  const texts = new Map(readout.dataSets.map(({ address, values }) => [logicalNameOf(address), values[0] ?? ""]));
  const ends = periodEnds(texts);
  const periods = Map.groupBy(readout.dataSets, ({ address }) => {
    const period = periodOf(address);
    return period !== undefined && ends.has(period) ? period : undefined;
  });
  const now = presentTime(texts);
  const present = dataSetItems({ ...readout, dataSets: periods.get(undefined) ?? [] });
  if (now === undefined && present.every(({ object }) => object === undefined)) {
    throw new DlmsError("DATA_TYPE_MISMATCH", "peer", { wanted: "data sets with names", nameless: present.length });
  }
  return {
    instant: [readoutRow(present, now, clock)],
    billing: Array.from(ends, ([period, end]) =>
      readoutRow(dataSetItems({ dataSets: asPresent(periods.get(period) ?? [], texts), unreadable: [] }), end, clock),
    ),
    nameless: present.filter(({ object }) => object === undefined),
  };
}

type Texts = ReadonlyMap<string | undefined, string>;

function presentTime(texts: Texts): P1Time | undefined {
  return (
    joinReadoutTime(texts.get(DATE) ?? "", texts.get(TIME_OF_DAY) ?? "") ?? parseReadoutTime(texts.get(CLOCK) ?? "")
  );
}

/** When the billing periods that are told of ended, by their number. */
function periodEnds(texts: Texts): Map<number, P1Time> {
  const ends = new Map<number, P1Time>();
  const last = texts.get(RESET_COUNT);
  const lastEnd = joinReadoutTime(texts.get(RESET_DATE) ?? "", texts.get(RESET_TIME) ?? "");
  if (last !== undefined && /^\d+$/.test(last) && lastEnd !== undefined) ends.set(Number(last) % PERIODS, lastEnd);
  for (const [name = "", text] of texts) {
    const end = name.startsWith(PERIOD_END) ? parseReadoutTime(text) : undefined;
    if (end !== undefined) ends.set(Number(name.slice(PERIOD_END.length)), end);
  }
  return ends;
}

/** The number of the billing period that a value is of; undefined for one of the present. */
function periodOf(address: string): number | undefined {
  const period = Number(logicalNameOf(address)?.split(".").at(-1) ?? PERIODS);
  return period < PERIODS ? period : undefined;
}

/** Values of a period under the names of the present, which may have the unit alone; its end is the row's time. */
function asPresent(dataSets: readonly DataSet[], texts: Texts): DataSet[] {
  const values = dataSets.filter(({ address }) => logicalNameOf(address)?.startsWith(PERIOD_END) !== true);
  return values.map(({ address, values: [first = "", ...more] }) => {
    const name = address.replace(/[*&]\d+$/, "");
    const unit = parseDecimal(texts.get(logicalNameOf(name)) ?? "")?.unit;
    const hasNone = unit !== undefined && parseDecimal(first) !== undefined && !first.includes("*");
    return { address: name, values: [hasNone ? `${first}*${unit}` : first, ...more] };
  });
}

/** A meter that tells no time makes a row of when it was read. */
export function readoutRow(items: readonly PushItem[], time: P1Time | undefined, clock: ClockPolicy): DecodedProfile {
  const named = [...(time === undefined ? [] : [clockItem(time)]), ...items].flatMap(({ object, ...rest }) =>
    object === undefined ? [] : [{ ...rest, object }],
  );
  const row: Data = { type: "structure", value: named.map(({ data }) => data) };
  const layout = profileLayout({
    captureObjects: named.map(({ object }) => object),
    scalers: named.flatMap(({ object: { classId, logicalName }, scalerUnit }) =>
      scalerUnit === undefined ? [] : [{ classId, logicalName, scalerUnit }],
    ),
  });
  return decodeProfileBuffer({ type: "array", value: [row] }, layout, { clock });
}
