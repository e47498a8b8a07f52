import { namePattern } from "../../config/name-pattern.ts";

/** Which meters a part of the configuration is for: by names with wildcards, and by companion specification. */
export interface MeterChoice {
  readonly meters: readonly string[];
  readonly companion?: string | undefined;
}

/** Whether a meter is meant. */
export function choiceOf({
  meters,
  companion,
}: MeterChoice): (meter: { readonly name: string; readonly companion: string }) => boolean {
  const patterns = meters.map(namePattern);
  return (meter) => {
    return (companion ?? meter.companion) === meter.companion && patterns.some((pattern) => pattern(meter.name));
  };
}
