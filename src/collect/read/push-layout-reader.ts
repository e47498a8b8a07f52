/** What the values of a meter's pushes want to be understood: scalers and units, layouts of profiles; read on the line. */
import type { CaptureObject } from "../../../protocol/cosem/capture-object.ts";
import { layoutSource, type RegisterScaler, wantsScaler } from "../../../protocol/profile/layout.ts";
import type { ProfileKind } from "../../profiles/batch.ts";
import { PROFILE_NAMES, PUSHED_PROFILES } from "../../profiles/push-families.ts";
import type { PushLayout, PushLists } from "../../push/receive/push-layouts.ts";
import { AccessRefusedError } from "../session/access-refused.ts";
import type { AttributeSource } from "../session/attribute-source.ts";
import type { MeterTarget } from "../session/meter-target.ts";
import { eventLogObject } from "./event-logs.ts";
import { knownLayout } from "./known-layout.ts";
import { readLayout, readRegisterScalers } from "./layout-reader.ts";

const PROFILE_CLASS = 7;
const BUFFER = 2;

/** Throws what the session throws; what the meter refuses is missing. */
export async function readPushLayout(
  source: AttributeSource,
  target: MeterTarget,
  { lists, nowMs }: { readonly lists: PushLists; readonly nowMs: () => number },
): Promise<PushLayout> {
  const objects = [...lists.values()].flat();
  const profiles: PushLayout["profiles"] = new Map([
    ...(await ofKinds(source, target, { kinds: kindsOf(lists, target), nowMs })),
    ...(await ofOthers(source, target, objects)),
  ]);
  const scalers = [...profiles.values()].flatMap((profile) => profile.scalers ?? []);
  return { lists, scalers: await withMissing(source, objects, scalers), profiles };
}

/** The kinds of profile that the setups send: their values one by one, or the profile whole. */
function kindsOf(lists: PushLists, { companion }: MeterTarget): Set<ProfileKind> {
  const kinds = new Set<ProfileKind>();
  for (const [setup, objects] of lists) {
    const whole = objects.filter(isBuffer).flatMap(({ logicalName }) => PROFILE_NAMES[logicalName] ?? []);
    for (const kind of whole) kinds.add(kind);
    const values = PUSHED_PROFILES[companion][setup] ?? "instant";
    if (whole.length === 0 && objects.some(wantsScaler)) kinds.add(values);
  }
  return kinds;
}

async function ofKinds(
  source: AttributeSource,
  target: MeterTarget,
  { kinds, nowMs }: { readonly kinds: ReadonlySet<ProfileKind>; readonly nowMs: () => number },
) {
  const found: [string, ReturnType<typeof layoutSource>][] = [];
  for (const kind of kinds) {
    const known = await allowed(() => knownLayout(source, target, { kind, nowMs }));
    if (known?.from.type === "profile") found.push([known.from.logicalName, layoutSource(known.layout)]);
  }
  return found;
}

async function ofOthers(source: AttributeSource, target: MeterTarget, objects: readonly CaptureObject[]) {
  const names = new Set(objects.filter(isBuffer).map(({ logicalName }) => logicalName));
  const found: [string, ReturnType<typeof layoutSource>][] = [];
  for (const name of names) {
    if (PROFILE_NAMES[name] !== undefined) continue;
    const object = eventLogObject(target.companion, name);
    const layout = await allowed(() => readLayout(source, object, target.quirks));
    if (layout !== undefined) found.push([name, layoutSource(layout)]);
  }
  return found;
}

function isBuffer({ classId, attributeId }: CaptureObject): boolean {
  return classId === PROFILE_CLASS && attributeId === BUFFER;
}

async function withMissing(
  source: AttributeSource,
  objects: readonly CaptureObject[],
  known: readonly RegisterScaler[],
): Promise<RegisterScaler[]> {
  const found = new Map(known.map((each) => [each.logicalName, each]));
  const missing = objects.filter((each) => wantsScaler(each) && !found.has(each.logicalName));
  const read = missing.length === 0 ? [] : await readRegisterScalers(source, missing);
  const wanted = new Set(objects.map(({ logicalName }) => logicalName));
  return [...found.values(), ...read].filter(({ logicalName }) => wanted.has(logicalName));
}

/** Undefined for what the meter does not give. */
async function allowed<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof AccessRefusedError) return undefined;
    throw error;
  }
}
