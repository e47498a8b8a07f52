/** What the gateway itself notices about meters, on its way into meter_events. */
import type { SeenEvent } from "../../profiles/seen-events.ts";
import type { Database } from "../database/database.ts";
import { KeptLater } from "../intake/kept-later.ts";
import { keepSeenEvents } from "./meter-events.ts";

export interface NoticedEvent {
  readonly meterId: string;
  readonly event: SeenEvent;
}

const MOST_KEPT = 100_000;

export class NoticedEvents extends KeptLater<NoticedEvent> {
  constructor(database: Database, onLost: (error: unknown) => void) {
    const write = (noticed: readonly NoticedEvent[]) =>
      database.transaction((client) =>
        keepSeenEvents(
          client,
          noticed.map(({ meterId, event }) => ({ meterId, source: "push", events: [event], words: [] })),
        ),
      );
    super({ write, mostKept: MOST_KEPT, onLost });
  }
}
