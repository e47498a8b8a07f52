/** The events that a push tells: status words, last codes, and logs that are pushed whole. */
import { isEventLog, mapEventLog } from "./map-events.ts";
import type { MappedPush, PushContext } from "./map-push.ts";
import type { PushItem } from "./push-body.ts";
import { decodePushedBuffer, layoutOfBuffer } from "./pushed-buffer.ts";
import { eventsAmong, type SeenEvent, type SeenEvents } from "./seen-events.ts";

export function pushedEvents({ items, time }: MappedPush, context: PushContext): SeenEvents {
  const { events, words } = eventsAmong(items, context.companion, new Date(time.instantMs));
  return { events: [...events, ...items.flatMap((item) => loggedIn(item, context))], words };
}

function loggedIn(item: PushItem, context: PushContext): readonly SeenEvent[] {
  const { companion, clock } = context;
  const log = item.object?.logicalName ?? "";
  const source = layoutOfBuffer(item, context);
  if (source === undefined || !isEventLog(companion, log)) return [];
  const decoded = decodePushedBuffer(item.data, source, clock);
  return decoded === undefined ? [] : mapEventLog(decoded, { companion, log }).events;
}
