import type { Data } from "../../../protocol/axdr/data.ts";
import { integerOf } from "../../../protocol/cosem/integers.ts";
import type { ObjectDescription } from "../description.ts";
import type { MeterModel, Moment } from "../meter-model.ts";

/** What an attribute holds at a moment: what was written to it, else what its description says. */
export function presentValue(
  { attributes, logicalName }: ObjectDescription,
  attributeId: number,
  { model, moment }: { readonly model: MeterModel; readonly moment: Moment },
): Data | undefined {
  const written = model.state.written(logicalName, attributeId);
  if (written !== undefined) return written;
  const described = attributes[attributeId];
  return described && model.evaluate(described, moment);
}

export function presentNumber(
  object: ObjectDescription,
  attributeId: number,
  at: { readonly model: MeterModel; readonly moment: Moment },
): number {
  const value = presentValue(object, attributeId, at);
  return (value && integerOf(value)) ?? 0;
}
