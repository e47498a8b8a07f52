import { mapEvent, mapPush, mapTelegram, pushIdentity } from "./map-push.ts";
import { pushRows } from "./push-rows.ts";
import { eventsAmong } from "./seen-events.ts";

/** From what a meter said to values, rows and events. */
export const PUSH_MAPPING = { mapPush, mapEvent, mapTelegram, pushIdentity, eventsAmong, pushRows } as const;
