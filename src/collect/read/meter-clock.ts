/** How a meter's stamps become instants: found once by reading its clock, since meters turn the deviation's sign round. */
import { DATE_TIME_LENGTH } from "../../../protocol/axdr/data.ts";
import { type ClockPolicy, deviationRuleFor } from "../../../protocol/cosem/date-time.ts";
import type { TimeZone } from "../../../protocol/cosem/time-zone.ts";
import type { AttributeSource } from "../session/attribute-source.ts";
import { attributeOf } from "./layout-reader.ts";

export const CLOCK_TIME = { classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2 } as const;

/**
 * Less than half of what a wrong sign makes in any zone but those within an hour of UTC, and more than a clock that
 * anybody looks after is wrong.
 */
const TOLERANCE_MS = 45 * 60_000;

/** The rule under which the meter's clock agrees with ours; undefined where it can't be read or is simply wrong. */
export async function readClockPolicy(
  source: AttributeSource,
  zone: TimeZone,
  nowMs: () => number = Date.now,
): Promise<ClockPolicy | undefined> {
  const result = await source.get(attributeOf(CLOCK_TIME));
  const value = result.type === "data" && "value" in result.data ? result.data.value : undefined;
  if (!(value instanceof Uint8Array) || value.length !== DATE_TIME_LENGTH) return undefined;
  const truth = { instantMs: nowMs(), toleranceMs: TOLERANCE_MS, zone };
  const deviation = deviationRuleFor(value, truth);
  return deviation && { deviation, zone };
}
