/** Methods of registers and of tables with entries: what a client resets, inserts and deletes stays so. */
import type { Data } from "../../../protocol/axdr/data.ts";
import { integerOf } from "../../../protocol/cosem/integers.ts";
import type { ObjectDescription } from "../description.ts";
import type { MeterModel } from "../meter-model.ts";
import type { VirtualMethod } from "./described-object.ts";
import { presentValue } from "./present-value.ts";
import { outcome } from "./virtual-object.ts";

const VALUE = 2;
/** Registers that measure can't be set back: what they show follows from the time. */
const MEASURED: ReadonlySet<string> = new Set(["measured", "stamp"]);

/** The value goes to 0 in its own type; `capture` is the attribute that holds when it did. */
export function resetRegister(
  model: MeterModel,
  object: ObjectDescription,
  values: readonly number[] = [VALUE],
  capture?: number,
): VirtualMethod {
  return (_parameters, { moment }) => {
    if (values.some((id) => MEASURED.has(object.attributes[id]?.type ?? ""))) return outcome("read-write-denied");
    for (const id of values) {
      const present = presentValue(object, id, { model, moment });
      if (present !== undefined) model.state.write(object.logicalName, id, zeroOf(present));
    }
    if (capture !== undefined && object.attributes[capture] !== undefined) {
      model.state.write(object.logicalName, capture, {
        type: "octet-string",
        value: model.calendar.stamp(moment.atMs),
      });
    }
    return outcome("success");
  };
}

/** The present average becomes the last one, and begins anew (class 5). */
export function nextDemandPeriod(model: MeterModel, object: ObjectDescription): VirtualMethod {
  const [current, last] = [2, 3];
  return (_parameters, { moment }) => {
    const average = presentValue(object, current, { model, moment });
    if (average === undefined) return outcome("object-unavailable");
    model.state.write(object.logicalName, last, average);
    model.state.write(object.logicalName, current, zeroOf(average));
    return outcome("success");
  };
}

/** Adds an element to an array, in the place of one with the same first field. */
export function insertEntry(model: MeterModel, object: ObjectDescription, attributeId: number): VirtualMethod {
  return (parameters, { moment }) => {
    if (parameters?.type !== "structure") return outcome("type-unmatched");
    const others = entriesOf(presentValue(object, attributeId, { model, moment })).filter(
      (entry) => keyOf(entry) !== keyOf(parameters),
    );
    model.state.write(object.logicalName, attributeId, { type: "array", value: [...others, parameters] });
    return outcome("success");
  };
}

/** Takes the element away whose first field is the parameter. */
export function deleteEntry(model: MeterModel, object: ObjectDescription, attributeId: number): VirtualMethod {
  return (parameters, { moment }) => {
    const key = parameters && keyText(parameters);
    if (key === undefined) return outcome("type-unmatched");
    const entries = entriesOf(presentValue(object, attributeId, { model, moment }));
    const kept = entries.filter((entry) => keyOf(entry) !== key);
    if (kept.length === entries.length) return outcome("object-unavailable");
    model.state.write(object.logicalName, attributeId, { type: "array", value: kept });
    return outcome("success");
  };
}

function entriesOf(data: Data | undefined): readonly Data[] {
  return data?.type === "array" ? data.value : [];
}

function keyOf(entry: Data): string | undefined {
  const [first] = entry.type === "structure" ? entry.value : [];
  return first && keyText(first);
}

function keyText(data: Data): string | undefined {
  const number = integerOf(data);
  if (number !== undefined) return String(number);
  return "value" in data && data.value instanceof Uint8Array ? data.value.join(".") : undefined;
}

function zeroOf(data: Data): Data {
  switch (data.type) {
    case "long64":
    case "long64-unsigned":
      return { type: data.type, value: 0n };
    case "octet-string":
    case "visible-string":
    case "utf8-string":
      return { type: data.type, value: new Uint8Array(0) };
    default:
      return typeof ("value" in data ? data.value : undefined) === "number" ? zeroNumber(data) : { type: "null-data" };
  }
}

function zeroNumber(data: Data): Data {
  return "value" in data && typeof data.value === "number" ? Object.assign({ ...data }, { value: 0 }) : data;
}
