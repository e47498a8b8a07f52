/** Carries out what someone wants to read, on an open association, and answers with a table. */
import type { AttributeReference } from "../../../protocol/apdu/descriptors.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import type { CaptureObject } from "../../../protocol/cosem/capture-object.ts";
import { nearestInterfaceClass } from "../../../protocol/cosem/classes/registry.ts";
import type { Companion } from "../../../protocol/cosem/companion/companion.ts";
import {
  type ClockPolicy,
  type DeviationRule,
  decodeDateTime,
  formatDateTime,
  resolveDateTime,
} from "../../../protocol/cosem/date-time.ts";
import { obisMeaning } from "../../../protocol/cosem/obis-dictionary.ts";
import { objectListFromData } from "../../../protocol/cosem/object-list.ts";
import { type ScalerUnit, scalerUnitFromData } from "../../../protocol/cosem/scaler-unit.ts";
import { type DecodedProfile, decodeProfileBuffer } from "../../../protocol/profile/decode.ts";
import { scalerAttribute } from "../../../protocol/profile/layout.ts";
import type { MeterQuirk } from "../../../protocol/quirks.ts";
import type { ReadAnswer, ReadRange } from "../../api/read-answer.ts";
import type { ProfileKind, ReadOctets } from "../../profiles/batch.ts";
import type { AttributeSource } from "../session/attribute-source.ts";
import type { MeterTarget } from "../session/meter-target.ts";
import { dataText, profileAnswer, valueAnswer } from "./answer-table.ts";
import { clockBreaksOf, knownLayout } from "./known-layout.ts";
import { attributeOf, readValue } from "./layout-reader.ts";
import { CLOCK_TIME, readClockPolicy } from "./meter-clock.ts";
import { type RowsOrder, readRegisterRow, readRows } from "./profile-reader.ts";
import type { ReadOrder } from "./read-order.ts";

const OBJECT_LIST = { classId: 15, logicalName: "0.0.40.0.0.255", attributeId: 2 };
/** Profiles that grow with time and are read by it; the others are a row or a few, read whole. */
const GROWING_PROFILES: ReadonlySet<ProfileKind> = new Set(["block_load", "daily_load"]);
const MS_PER_SECOND = 1000;
const DATE_TIME_LENGTH = 12;

/** What a read brought, besides its answer. */
export type ReadResult =
  | {
      readonly type: "profile";
      readonly profile: ProfileKind;
      readonly decoded: DecodedProfile;
      /** The answers that came whole. */
      readonly octets: readonly ReadOctets[];
    }
  | {
      readonly type: "value";
      readonly captureObject: CaptureObject;
      readonly data: Data;
      readonly scalerUnit: ScalerUnit | undefined;
    };

/** What a read order is carried out with. */
export interface ReadContext {
  readonly source: AttributeSource;
  readonly target: MeterTarget;
  readonly what: string;
  /** Rows of block and daily load; all of them when left out. */
  readonly range?: ReadRange;
  /** Milliseconds since 1970; the system's when left out. */
  readonly nowMs?: () => number;
  readonly onRead?: (read: ReadResult) => void;
}

/** Throws AccessRefusedError, and what the session throws. */
export async function readForAnswer(order: ReadOrder, context: ReadContext): Promise<ReadAnswer> {
  const { source, target, what, range, onRead, nowMs = Date.now } = context;
  const head = { meter: target.name, what, readAt: new Date(nowMs()).toISOString() };
  switch (order.type) {
    case "profile": {
      const { profile } = order;
      const octets: ReadOctets[] = [];
      const keepOctets = (each: ReadOctets) => octets.push(each);
      const decoded = await readProfile(source, target, profile, { nowMs, keepOctets, ...(range && { range }) });
      onRead?.({ type: "profile", profile, decoded, octets });
      return profileAnswer(head, decoded);
    }
    case "clock":
      return clockAnswer(head, await readValue(source, attributeOf(CLOCK_TIME)), await clockOf(source, target, nowMs));
    case "objects":
      return objectsAnswer(head, await readValue(source, attributeOf(OBJECT_LIST)), target.companion);
    case "attribute": {
      const classId = order.classId ?? (await classOf(source, order.logicalName));
      const object = { ...order, classId, dataIndex: 0 };
      const data = await readValue(source, attributeOf(object));
      const scaler = scalerAttribute(object);
      const scalerUnit = scaler && (await scalerIn(source, attributeOf(scaler)));
      onRead?.({ type: "value", captureObject: object, data, scalerUnit });
      return valueAnswer(head, object, data, scalerUnit);
    }
  }
}

export interface ProfileReadOptions {
  /** Rows of block and daily load; all of them when left out. */
  readonly range?: ReadRange;
  /** As in RowsOrder. */
  readonly otherwise?: boolean;
  readonly onSpan?: RowsOrder["onSpan"];
  readonly keepOctets?: RowsOrder["keepOctets"];
  /** Milliseconds since 1970; the system's when left out. */
  readonly nowMs?: () => number;
}

/** The rows of a profile as exact columns; the layout is read once and remembered. */
export async function readProfile(
  source: AttributeSource,
  target: MeterTarget,
  kind: ProfileKind,
  { range, otherwise, onSpan, keepOctets, nowMs = Date.now }: ProfileReadOptions = {},
): Promise<DecodedProfile> {
  const { from, layout } = await knownLayout(source, target, { kind, nowMs });
  const clock = await clockOf(source, target, nowMs);
  if (from.type === "registers") {
    return decodeProfileBuffer(await readRegisterRow(source, from, keepOctets), layout, { clock });
  }
  const { quirks, ways } = target;
  const clockBreaks = clockBreaksOf(layout, target.companion);
  const ranged = range !== undefined && GROWING_PROFILES.has(kind) && { range };
  return readRows(source, {
    object: from,
    layout,
    clock,
    quirks,
    ways,
    nowMs,
    ...(clockBreaks && { clockBreaks }),
    ...ranged,
    ...(otherwise !== undefined && { otherwise }),
    ...(onSpan && { onSpan }),
    ...(keepOctets && { keepOctets }),
  });
}

const DEVIATION_QUIRKS: Readonly<Partial<Record<MeterQuirk, DeviationRule>>> = {
  "deviation-inverted": "inverted",
  "deviation-without-season": "without-daylight-saving",
  "deviation-wrong": "ignored",
};

/** The rule that the configuration says; undefined where it has to be found out. */
function clockOfQuirks({ quirks, zone }: MeterTarget): ClockPolicy | undefined {
  const rules = [...quirks].flatMap((quirk) => DEVIATION_QUIRKS[quirk] ?? []);
  const [deviation] = rules;
  return deviation && { deviation, zone };
}

/** The meter's clock policy, remembered once it is found; the standard's while the meter's clock tells nothing. */
export async function clockOf(source: AttributeSource, target: MeterTarget, nowMs: () => number): Promise<ClockPolicy> {
  target.clock ??= clockOfQuirks(target) ?? (await readClockPolicy(source, target.zone, nowMs));
  return knownClock(target);
}

/** The policy as far as it is known without asking. */
export function knownClock({ clock, zone }: MeterTarget): ClockPolicy {
  return clock ?? { deviation: "standard", zone };
}

function clockAnswer(head: Pick<ReadAnswer, "meter" | "what" | "readAt">, data: Data, policy: ClockPolicy): ReadAnswer {
  const octets = "value" in data && data.value instanceof Uint8Array ? data.value : new Uint8Array(0);
  const time = octets.length === DATE_TIME_LENGTH ? formatDateTime(decodeDateTime(octets)) : dataText(data);
  const resolved = octets.length === DATE_TIME_LENGTH ? resolveDateTime(octets, policy) : undefined;
  const aheadS = resolved && (resolved.instantMs - Date.parse(head.readAt)) / MS_PER_SECOND;
  return {
    ...head,
    columns: [
      { name: "meter clock", meaning: null, unit: null, numeric: false },
      { name: "instant", meaning: null, unit: null, numeric: false },
      { name: "ahead of ours", meaning: null, unit: "s", numeric: true },
    ],
    rows: [[time, resolved ? new Date(resolved.instantMs).toISOString() : null, aheadS?.toFixed(1) ?? null]],
  };
}

function objectsAnswer(
  head: Pick<ReadAnswer, "meter" | "what" | "readAt">,
  data: Data,
  companion: Companion,
): ReadAnswer {
  const rows = objectListFromData(data).map(({ classId, version, logicalName, attributes }) => [
    String(classId),
    String(version),
    logicalName,
    obisMeaning(logicalName, classId, companion)?.name ?? null,
    nearestInterfaceClass(classId, version)?.name ?? null,
    attributes.map(({ id, read, write }) => `${id}${read ? "r" : ""}${write ? "w" : ""}`).join(" "),
  ]);
  const columns = ["class", "version", "logical name", "meaning", "interface class", "attributes"].map(
    (name, index) => ({
      name,
      meaning: null,
      unit: null,
      numeric: index < 2,
    }),
  );
  return { ...head, columns, rows };
}

async function classOf(source: AttributeSource, logicalName: string): Promise<number> {
  const list = objectListFromData(await readValue(source, attributeOf(OBJECT_LIST)));
  const found = list.find((element) => element.logicalName === logicalName);
  if (found !== undefined) return found.classId;
  throw new Error(
    `the meter's object list has no ${logicalName}; say its class to try all the same: CLASS:${logicalName}`,
  );
}

async function scalerIn(source: AttributeSource, reference: AttributeReference): Promise<ScalerUnit | undefined> {
  const result = await source.get(reference);
  return result.type === "data" ? scalerUnitFromData(result.data) : undefined;
}
