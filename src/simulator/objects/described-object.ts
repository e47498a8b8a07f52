import type { ActionOutcome } from "../../../protocol/apdu/action.ts";
import type { DataResult, SelectiveAccess } from "../../../protocol/apdu/descriptors.ts";
import type { DataAccessResult } from "../../../protocol/apdu/result-codes.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import { nearestInterfaceClass } from "../../../protocol/cosem/classes/registry.ts";
import { integerOf } from "../../../protocol/cosem/integers.ts";
import type { ObjectDescription } from "../description.ts";
import type { MeterModel, Moment } from "../meter-model.ts";
import { found, type ObjectRequest, outcome, refused, type VirtualObject } from "./virtual-object.ts";

/** Carries out one method of an object. */
export type VirtualMethod = (parameters: Data | undefined, request: ObjectRequest) => ActionOutcome;

const DATA_CLASS = 1;
const CLOCK_CLASS = 8;
const PROGRAMMING = "programming-count";

/** An object whose attributes are those of its description. What its class lets be written is kept as it was written. */
export class DescribedObject implements VirtualObject {
  readonly classId: number;
  readonly version: number;
  readonly logicalName: string;
  readonly attributeIds: readonly number[];
  readonly writableIds: readonly number[];
  readonly methodIds: readonly number[];
  readonly #description: ObjectDescription;
  readonly #model: MeterModel;
  readonly #methods: ReadonlyMap<number, VirtualMethod>;

  constructor(description: ObjectDescription, model: MeterModel, methods: ReadonlyMap<number, VirtualMethod>) {
    this.classId = description.classId;
    this.version = description.version;
    this.logicalName = description.logicalName;
    this.attributeIds = Object.keys(description.attributes).map(Number);
    const writable = description.writable ?? writableAttributes(description);
    this.writableIds = this.attributeIds.filter((id) => writable.includes(id));
    this.methodIds = [...methods.keys()];
    this.#description = description;
    this.#model = model;
    this.#methods = methods;
  }

  value(attributeId: number, moment: Moment): Data | undefined {
    const written = this.#model.state.written(this.logicalName, attributeId);
    if (written !== undefined) return written;
    const value = this.#description.attributes[attributeId];
    return value && this.#model.evaluate(value, moment);
  }

  read(attributeId: number, access: SelectiveAccess | undefined, { moment }: ObjectRequest): DataResult {
    if (access !== undefined) return refused("scope-of-access-violated");
    const value = this.value(attributeId, moment);
    return value === undefined ? refused("object-undefined") : found(value);
  }

  write(attributeId: number, value: Data, { moment }: ObjectRequest): DataAccessResult {
    const present = this.value(attributeId, moment);
    if (present === undefined) return "object-undefined";
    if (!this.writableIds.includes(attributeId)) return "read-write-denied";
    // Meters insist on the width that they show.
    if (value.type !== present.type) return "type-unmatched";
    const result = this.#store(attributeId, value, moment);
    if (result === "success") {
      this.#model.state.setNumber(PROGRAMMING, this.#model.state.number(PROGRAMMING) + 1);
    }
    return result;
  }

  invoke(methodId: number, parameters: Data | undefined, request: ObjectRequest): ActionOutcome {
    return this.#methods.get(methodId)?.(parameters, request) ?? outcome("object-undefined");
  }

  #store(attributeId: number, value: Data, moment: Moment): DataAccessResult {
    const { state, calendar } = this.#model;
    if (this.classId === CLOCK_CLASS && attributeId === 2) {
      const instantMs = value.type === "octet-string" ? calendar.instant(value.value) : undefined;
      if (instantMs === undefined) return "type-unmatched";
      state.clockOffsetMs += instantMs - moment.atMs;
      return "success";
    }
    const description = this.#description.attributes[attributeId];
    if (description?.type === "measured" && description.quantity.of === "state") {
      state.setNumber(description.quantity.name, integerOf(value) ?? 0);
      return "success";
    }
    state.write(this.logicalName, attributeId, value);
    return "success";
  }
}

function writableAttributes({ classId, version }: ObjectDescription): readonly number[] {
  if (classId === DATA_CLASS) return [];
  const attributes = Object.values(nearestInterfaceClass(classId, version)?.attributes ?? {});
  return attributes.filter(({ access }) => access !== undefined).map(({ id }) => id);
}
