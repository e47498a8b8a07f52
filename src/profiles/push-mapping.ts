import { mapEvent, mapPush, mapTelegram, pushIdentity } from "./map-push.ts";
import { pushRows } from "./push-rows.ts";
import { pushedEvents } from "./pushed-events.ts";

/** From what a meter said to values, rows and events. */
export const PUSH_MAPPING = { mapPush, mapEvent, mapTelegram, pushIdentity, pushedEvents, pushRows } as const;
