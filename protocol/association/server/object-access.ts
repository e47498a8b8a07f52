/** One attribute or method of the objects, within what the association has agreed on. Refusals are results. */
import type { ActionOutcome } from "../../apdu/action.ts";
import type { AttributeReference, DataResult, MethodDescriptor } from "../../apdu/descriptors.ts";
import type { DataAccessResult } from "../../apdu/result-codes.ts";
import type { Data } from "../../axdr/data.ts";
import { guarded, type ServiceContext } from "./service-context.ts";

export function readAttribute(reference: AttributeReference, context: ServiceContext): DataResult {
  const { view, objects, nowMs } = context;
  const refused = judgeReference(reference, context, "attribute0-supported-with-get");
  if (refused !== undefined) return failure(refused);
  return guarded(
    () => objects.get(reference, view, nowMs),
    () => failure("other-reason"),
  );
}

export function writeAttribute(reference: AttributeReference, value: Data, context: ServiceContext): DataAccessResult {
  const { view, objects, nowMs } = context;
  const refused = judgeReference(reference, context, "attribute0-supported-with-set");
  if (refused !== undefined) return refused;
  return guarded(
    () => objects.set(reference, value, view, nowMs),
    () => "type-unmatched",
  );
}

export function invokeMethod(
  method: MethodDescriptor,
  parameters: Data | undefined,
  context: ServiceContext,
): ActionOutcome {
  const { view, objects, nowMs } = context;
  return guarded(
    () => objects.action(method, parameters, view, nowMs),
    () => ({ result: "type-unmatched" }),
  );
}

/** Why the association does not allow what a reference asks for. */
function judgeReference(
  { attribute, access }: AttributeReference,
  { view }: ServiceContext,
  wholeObject: "attribute0-supported-with-get" | "attribute0-supported-with-set",
): DataAccessResult | undefined {
  if (access !== undefined && !view.conformance.has("selective-access")) return "scope-of-access-violated";
  if (attribute.attributeId === 0 && !view.conformance.has(wholeObject)) return "object-undefined";
  return undefined;
}

function failure(dataAccessResult: DataAccessResult): DataResult {
  return { type: "data-access-result", dataAccessResult };
}
