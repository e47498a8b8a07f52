/** The events that a push tells: status words, last codes, and logs that are pushed whole. */
import { DlmsError } from "../../protocol/errors.ts";
import { isEventLog, mapEventLog } from "./map-events.ts";
import type { MappedPush, PushContext } from "./map-push.ts";
import type { PushItem } from "./push-body.ts";
import { decodePushedBuffer } from "./pushed-buffer.ts";
import { eventsAmong, type SeenEvent, type SeenEvents } from "./seen-events.ts";

const PROFILE_CLASS = 7;
const BUFFER = 2;

export function pushedEvents({ items, time }: MappedPush, context: PushContext): SeenEvents {
  const { events, words } = eventsAmong(items, context.companion, new Date(time.instantMs));
  return { events: [...events, ...items.flatMap((item) => loggedIn(item, context))], words };
}

function loggedIn({ object, data }: PushItem, { companion, profiles, clock }: PushContext): readonly SeenEvent[] {
  if (object?.classId !== PROFILE_CLASS || object.attributeId !== BUFFER) return [];
  const source = profiles?.get(object.logicalName);
  if (source === undefined || !isEventLog(companion, object.logicalName)) return [];
  try {
    return mapEventLog(decodePushedBuffer(data, source, clock), { companion, log: object.logicalName }).events;
  } catch (error) {
    // What is no buffer of that layout is still among the values of the push.
    if (error instanceof DlmsError) return [];
    throw error;
  }
}
