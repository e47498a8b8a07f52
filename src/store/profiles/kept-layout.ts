/** Layouts as they are kept in columns of JSON. */
import { z } from "zod";
import type { LayoutSource } from "../../../protocol/profile/layout.ts";

export const captureObjectForm = z.object({
  classId: z.number(),
  logicalName: z.string(),
  attributeId: z.number(),
  dataIndex: z.number(),
});
export const registerScalerForm = z.object({
  classId: z.number(),
  logicalName: z.string(),
  scalerUnit: z.object({ scaler: z.number(), unit: z.number() }),
});
const layoutForm = z.object({
  captureObjects: z.array(captureObjectForm),
  scalers: z.array(registerScalerForm),
  capturePeriodS: z.number().optional(),
  capturePeriodMonths: z.number().optional(),
  sortMethod: z.number().optional(),
  profileEntries: z.number().optional(),
});

/** What was kept of a layout. Throws ZodError for something else. */
export function layoutSourceFrom(value: unknown): LayoutSource {
  const { capturePeriodS, capturePeriodMonths, sortMethod, profileEntries, ...rest } = layoutForm.parse(value);
  return {
    ...rest,
    ...(capturePeriodS !== undefined && { capturePeriodS }),
    ...(capturePeriodMonths !== undefined && { capturePeriodMonths }),
    ...(sortMethod !== undefined && { sortMethod }),
    ...(profileEntries !== undefined && { profileEntries }),
  };
}
