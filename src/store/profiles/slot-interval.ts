/** How far slots of a profile lie apart. */
import type { ProfileKind } from "../../profiles/batch.ts";

const DAY_S = 86_400;
const LEAST_INTERVAL_S = 60;

/** Seconds between slots that are captured every `capturedEveryS`; 0 for months; undefined where there are no slots. */
export function slotIntervalS(profile: ProfileKind, capturedEveryS: number | undefined): number | undefined {
  if (profile === "instant") return undefined;
  if (profile === "billing") return 0;
  if (profile === "daily_load") return DAY_S;
  const isSlotted = capturedEveryS !== undefined && capturedEveryS >= LEAST_INTERVAL_S && DAY_S % capturedEveryS === 0;
  return isSlotted ? capturedEveryS : undefined;
}
