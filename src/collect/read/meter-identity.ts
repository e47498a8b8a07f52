/**
 * Whether a meter is still the one that its layouts were read of: the same device with the same firmware and scalers.
 * Asked in one request, and seldom, so that a new firmware or another transformer ratio is seen before rows are read.
 */
import { hash } from "node:crypto";
import type { AttributeReference, DataResult } from "../../../protocol/apdu/descriptors.ts";
import { dataToBytes } from "../../../protocol/axdr/data.ts";
import { scalerAttribute } from "../../../protocol/profile/layout.ts";
import type { AttributeSource } from "../session/attribute-source.ts";
import type { MeterTarget } from "../session/meter-target.ts";
import { attributeOf, profileAttribute } from "./layout-reader.ts";

const TRUSTED_MS = 30 * 60_000;
/** A meter for which the question ended the connection so often in a row is not asked for a day. */
const MOST_FAILURES = 2;
const SPARED_MS = 24 * 3_600_000;
const SELF_DESCRIPTIONS = [
  // The active firmware, and the first device id.
  { classId: 1, logicalName: "1.0.0.2.0.255", attributeId: 2 },
  { classId: 1, logicalName: "0.0.96.1.0.255", attributeId: 2 },
];

/**
 * Forgets what was known of how the meter's profiles are read when it says other things of itself than before. Throws
 * what the source throws.
 */
export async function forgetOtherMeter(source: AttributeSource, target: MeterTarget, nowMs: number): Promise<void> {
  const known = target.identity;
  const failures = known?.failures ?? 0;
  if (known !== undefined && nowMs - known.readAtMs < waitMs(failures)) return;
  const questions = questionsTo(target);
  target.identity = { says: new Map(known?.says), readAtMs: nowMs, failures: failures + 1 };
  const results = await source.getList([...questions.values()]);
  const says = new Map(known?.says);
  let isOther = false;
  for (const [index, key] of [...questions.keys()].entries()) {
    const said = digestOf(results[index]);
    if (said === undefined) continue;
    const before = says.get(key);
    isOther ||= before !== undefined && before !== said;
    says.set(key, said);
  }
  target.identity = { says, readAtMs: nowMs, failures: 0 };
  if (!isOther) return;
  target.layouts.clear();
  target.layoutOrigins?.clear();
  target.ways.clear();
  target.shortNames = undefined;
  target.clock = undefined;
}

function waitMs(failures: number): number {
  if (failures === 0) return TRUSTED_MS;
  return failures < MOST_FAILURES ? 0 : SPARED_MS;
}

/** Of each layout its scaler profile, or the scaler of its first register. */
function questionsTo({ layouts, layoutOrigins }: MeterTarget): Map<string, AttributeReference> {
  const questions = new Map(SELF_DESCRIPTIONS.map((object) => [object.logicalName, attributeOf(object)]));
  for (const [kind, { columns }] of layouts) {
    const from = layoutOrigins?.get(kind)?.from;
    if (from?.type === "profile" && from.scalerProfile !== undefined) {
      questions.set(from.scalerProfile, profileAttribute(from.scalerProfile, "buffer"));
      continue;
    }
    const scaled = columns.find(({ scalerUnit }) => scalerUnit !== undefined)?.captureObject;
    const scaler = scaled && scalerAttribute(scaled);
    if (scaler !== undefined) questions.set(scaler.logicalName, attributeOf(scaler));
  }
  return questions;
}

/** Of the whole value, which for a scaler profile is some hundred octets, and there are many meters. */
function digestOf(result: DataResult | undefined): string | undefined {
  return result?.type === "data" ? hash("sha256", dataToBytes(result.data), "base64") : undefined;
}
