/** Rows for the profile tables from a mapped push: its values as a snapshot, and the rows of profiles pushed whole. */
import type { Data } from "../../protocol/axdr/data.ts";
import { decodeProfileBuffer } from "../../protocol/profile/decode.ts";
import { profileLayout, type RegisterScaler } from "../../protocol/profile/layout.ts";
import type { OtherColumn, ProfileKind } from "./batch.ts";
import { type MapContext, type MappedProfile, mapProfile } from "./map-profile.ts";
import { isIdentity, type MappedPush, type PushContext, placeName } from "./map-push.ts";
import { otherValue } from "./other-value.ts";
import type { PushItem } from "./push-body.ts";
import { CLOCK, PROFILE_NAMES, PUSHED_PROFILES } from "./push-families.ts";
import { decodePushedBuffer, layoutOfBuffer } from "./pushed-buffer.ts";

const CLOCK_CLASS = 8;

/**
 * The rows that a push of this meter holds. A push whose values have no column, as an alert, has none: its values are
 * in `MappedPush.values`.
 */
export function pushRows(push: MappedPush, meterKey: number, context: PushContext): MappedProfile[] {
  const to = { meterKey, context };
  const whole = push.items.filter((item) => profileOf(item, context) !== undefined);
  const rest = push.items.filter((item) => !whole.includes(item));
  const snapshot = snapshotRow(push, rest, to);
  return [...whole.flatMap((item) => profileRows(item, to)), ...(snapshot === undefined ? [] : [snapshot])];
}

interface Target {
  readonly meterKey: number;
  readonly context: PushContext;
}

/** A profile that is pushed whole, and its layout, when it is known. */
function profileOf(item: PushItem, context: PushContext) {
  const profile = PROFILE_NAMES[item.object?.logicalName ?? ""];
  const source = layoutOfBuffer(item, context);
  return profile === undefined || source === undefined || item.data.type === "null-data"
    ? undefined
    : { profile, source };
}

function profileRows(item: PushItem, to: Target): MappedProfile[] {
  const known = profileOf(item, to.context);
  if (known === undefined) return [];
  const decoded = decodePushedBuffer(item.data, known.source, to.context.clock);
  return decoded === undefined ? [] : [mapProfile(decoded, mapContext(known.profile, to))];
}

function mapContext(profile: ProfileKind, { meterKey, context }: Target): MapContext {
  const { companion, clock, receivedAt } = context;
  return { meterKey, profile, companion, source: "push", readAt: receivedAt, clock };
}

function snapshotRow(push: MappedPush, items: readonly PushItem[], to: Target): MappedProfile | undefined {
  const { context } = to;
  const profile = PUSHED_PROFILES[context.companion][push.identity.pushSetup ?? ""] ?? "instant";
  const named = withClock(push, items).filter(({ object }) => object !== undefined && !isIdentity(object));
  if (named.length === 0) return undefined;
  const row: Data = { type: "structure", value: named.map(({ data }) => data) };
  const layout = profileLayout({
    captureObjects: named.flatMap(({ object }) => object ?? []),
    scalers: named.flatMap(scalerOf),
    ...periodOf(profile, context),
  });
  const decoded = decodeProfileBuffer({ type: "array", value: [row] }, layout, { clock: context.clock });
  const mapped = mapProfile(decoded, { ...mapContext(profile, to), distrustInvalidClock: true });
  if (mapped.batch.columns.length === 0) return undefined;
  const others = [...mapped.batch.others, ...namelessValues(items)];
  return { ...mapped, batch: { ...mapped.batch, others } };
}

/** A body without a clock was made when its header says. */
function withClock({ time }: MappedPush, items: readonly PushItem[]): readonly PushItem[] {
  if (time.stamp === undefined || items.some(({ object }) => object?.classId === CLOCK_CLASS)) return items;
  const data: Data = { type: "octet-string", value: time.stamp };
  return [{ path: "header", object: CLOCK, data, scalerUnit: undefined }, ...items];
}

function scalerOf({ object, scalerUnit }: PushItem): RegisterScaler[] {
  if (object === undefined || scalerUnit === undefined) return [];
  return [{ classId: object.classId, logicalName: object.logicalName, scalerUnit }];
}

/** The length of the interval is what the profile of that kind has. */
function periodOf(profile: ProfileKind, { profiles }: PushContext): { capturePeriodS?: number } {
  for (const [logicalName, { capturePeriodS }] of profiles ?? []) {
    if (PROFILE_NAMES[logicalName] === profile && capturePeriodS !== undefined) return { capturePeriodS };
  }
  return {};
}

/** What has no name, under its place. */
export function namelessValues(items: readonly PushItem[]): OtherColumn[] {
  return items.flatMap(({ path, object, data }) => {
    const value = object === undefined ? otherValue(data) : undefined;
    return value === undefined ? [] : [{ captureObject: placeName(path), unit: undefined, values: [value] }];
  });
}
