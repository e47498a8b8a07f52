/** The layouts of a meter's profiles as they are kept from visit to visit. */
import type { DataAccessResult } from "../../../protocol/apdu/result-codes.ts";
import { captureObjectKey } from "../../../protocol/cosem/capture-object.ts";
import type { Companion } from "../../../protocol/cosem/companion/companion.ts";
import { clockBreakBits, isStatusWord } from "../../../protocol/cosem/companion/event-meaning.ts";
import type { ProfileLayout } from "../../../protocol/profile/layout.ts";
import type { ProfileKind } from "../../profiles/batch.ts";
import { AccessRefusedError } from "../session/access-refused.ts";
import type { AttributeSource } from "../session/attribute-source.ts";
import type { MeterTarget } from "../session/meter-target.ts";
import { readLayout, readRegisterLayout } from "./layout-reader.ts";
import { forgetOtherMeter } from "./meter-identity.ts";
import { PROFILE_SOURCES, type ProfileSource } from "./profile-objects.ts";
import type { RowsOrder } from "./profile-reader.ts";

/** A layout is read again after this long: capture objects and scalers may change without anything else showing it. */
const LAYOUT_TRUSTED_MS = 86_400_000;

/** What the rows of a profile are, and which object has them: remembered for a day. Throws what reading it throws. */
export async function knownLayout(
  source: AttributeSource,
  target: MeterTarget,
  { kind, nowMs }: { readonly kind: ProfileKind; readonly nowMs: () => number },
): Promise<{ readonly from: ProfileSource; readonly layout: ProfileLayout }> {
  target.layoutOrigins ??= new Map();
  await forgetOtherMeter(source, target, nowMs());
  const origin = target.layoutOrigins.get(kind);
  const known = target.layouts.get(kind);
  if (origin !== undefined && known !== undefined && nowMs() - origin.readAtMs < LAYOUT_TRUSTED_MS) {
    return { from: origin.from, layout: known };
  }
  const missing: AccessRefusedError[] = [];
  const onMissing = (error: AccessRefusedError) => missing.push(error);
  const wanted = origin?.from ?? PROFILE_SOURCES[target.companion][kind];
  const found = await readLayoutOf(source, { quirks: target.quirks, onMissing }, wanted);
  refuseIncomplete(target, kind, missing);
  target.layouts.set(kind, found.layout);
  target.layoutOrigins.set(kind, { from: found.from, readAtMs: nowMs() });
  return found;
}

/** After so many visits a meter that still has not told all of a layout will hardly do so. */
const MOST_DELAYS = 3;

/**
 * Rows of which a scaler is not known can't be put right later, so they are left in the meter until it tells it, for a
 * few visits. Throws the first refusal.
 */
function refuseIncomplete(target: MeterTarget, kind: ProfileKind, [first]: readonly AccessRefusedError[]): void {
  target.layoutDelays ??= new Map();
  const delays = target.layoutDelays.get(kind) ?? 0;
  if (first === undefined) target.layoutDelays.delete(kind);
  if (first === undefined || delays >= MOST_DELAYS) return;
  target.layoutDelays.set(kind, delays + 1);
  throw first;
}

interface LayoutContext {
  readonly quirks: MeterTarget["quirks"];
  readonly onMissing: (error: AccessRefusedError) => void;
}

/** At the first of the names where the meter has the profile. */
async function readLayoutOf(source: AttributeSource, { quirks, onMissing }: LayoutContext, from: ProfileSource) {
  if (from.type === "registers") return { from, layout: await readRegisterLayout(source, from.objects, onMissing) };
  const [otherName, ...more] = from.otherNames ?? [];
  try {
    return { from, layout: await readLayout(source, from, quirks, onMissing) };
  } catch (error) {
    if (otherName === undefined || !(error instanceof AccessRefusedError) || !MISSING.has(error.result)) throw error;
    const other = { ...from, logicalName: otherName, otherNames: more };
    return { from: other, layout: await readLayout(source, other, quirks, onMissing) };
  }
}

const MISSING: ReadonlySet<DataAccessResult> = new Set([
  "object-undefined",
  "object-unavailable",
  "object-class-inconsistent",
]);

/** The status column of a layout with the bits that break the reckoning of its clock. */
export function clockBreaksOf({ columns }: ProfileLayout, companion: Companion): RowsOrder["clockBreaks"] {
  const mask = clockBreakBits(companion);
  const status =
    mask === undefined
      ? undefined
      : columns.find(({ captureObject }) => isStatusWord(companion, captureObject.logicalName));
  return mask === undefined || status === undefined
    ? undefined
    : { captureObject: captureObjectKey(status.captureObject), mask };
}
