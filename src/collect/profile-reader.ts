/** Reads the rows of a profile from a meter: by range of time where that makes sense and the meter can, else whole. */
import type { Data } from "../../protocol/axdr/data.ts";
import { dateTimeAt, encodeDateTime } from "../../protocol/cosem/date-time.ts";
import type { TimeZone } from "../../protocol/cosem/time-zone.ts";
import type { ProfileLayout } from "../../protocol/profile/layout.ts";
import { rangeAccess } from "../../protocol/profile/selective-access.ts";
import type { ReadRange } from "../api/read-answer.ts";
import type { AttributeSource } from "./attribute-source.ts";
import { attributeOf, profileAttribute, readValue } from "./layout-reader.ts";
import type { ProfileObject, RegisterSet } from "./profile-objects.ts";

export interface RangeStyle {
  readonly zone: TimeZone;
  /** Whether the meter wants the deviation from UTC in the limits of a range; Indian meters refuse it. */
  readonly deviation: boolean;
}

/** The buffer's rows in the range, or all of them. A meter that refuses the range is read whole. */
export async function readBuffer(
  source: AttributeSource,
  object: ProfileObject,
  layout: ProfileLayout,
  range?: ReadRange & RangeStyle,
): Promise<Data> {
  const whole = profileAttribute(object.logicalName, "buffer");
  const clock = layout.columns.find((column) => column.role === "clock");
  if (range === undefined || clock === undefined) return readValue(source, whole);
  const access = rangeAccess({
    restrictingObject: clock.captureObject,
    from: stamp(range.fromMs, range),
    to: stamp(range.toMs, range),
  });
  const result = await source.get({ ...whole, access });
  return result.type === "data" ? result.data : readValue(source, whole);
}

/** Registers read one by one, as a buffer of one row; what the meter refuses is null-data in it. */
export async function readRegisterRow(source: AttributeSource, set: RegisterSet): Promise<Data> {
  const results = await source.getList(set.objects.map(attributeOf));
  const row = results.map((result): Data => (result.type === "data" ? result.data : { type: "null-data" }));
  return { type: "array", value: [{ type: "structure", value: row }] };
}

function stamp(instantMs: number, { zone, deviation }: RangeStyle): Uint8Array {
  const time = dateTimeAt(instantMs, zone);
  return encodeDateTime(deviation ? time : { ...time, deviationMinutes: undefined });
}
