/** Which profiles of a meter are event logs, by companion specification. */
import type { Companion } from "../../protocol/cosem/companion/companion.ts";
import type { ProfileObject } from "./profile-objects.ts";

const INDIAN_EVENT_SCALERS = "1.0.94.91.7.255";
const INDIAN_LOG = /^0\.0\.99\.98\.\d+\.255$/;

/** A log as an object to be read. */
export function eventLogObject(companion: Companion, logicalName: string): ProfileObject {
  const hasScalers = companion === "is15959" && INDIAN_LOG.test(logicalName);
  return { type: "profile", logicalName, ...(hasScalers && { scalerProfile: INDIAN_EVENT_SCALERS }) };
}
