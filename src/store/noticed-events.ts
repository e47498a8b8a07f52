/** What the gateway itself notices about meters, on its way into meter_events; kept and tried again while it is away. */
import type { SeenEvent } from "../profiles/seen-events.ts";
import { BatchQueue } from "./batch-queue.ts";
import type { Database } from "./database.ts";
import { keepSeenEvents } from "./meter-events.ts";

export interface NoticedEvent {
  readonly meterId: string;
  readonly event: SeenEvent;
}

const MOST_KEPT = 100_000;
const GROUP_DELAY_MS = 100;

export class NoticedEvents {
  readonly #queue: BatchQueue<NoticedEvent & { readonly rowCount: number }, number>;
  readonly #onLost: (error: unknown) => void;

  /** `onLost` hears why an event could not be kept. */
  constructor(database: Database, onLost: (error: unknown) => void) {
    this.#onLost = onLost;
    this.#queue = new BatchQueue({
      write: (noticed) =>
        database.transaction((client) =>
          keepSeenEvents(
            client,
            noticed.map(({ meterId, event }) => ({ meterId, source: "push", events: [event], words: [] })),
          ),
        ),
      writers: 1,
      groupDelayMs: GROUP_DELAY_MS,
      keptRows: MOST_KEPT,
    });
  }

  add(noticed: NoticedEvent): void {
    if (this.#queue.rows >= MOST_KEPT) {
      this.#onLost(new Error("more was noticed than can be kept while the database is away"));
      return;
    }
    this.#queue.put({ ...noticed, rowCount: 1 }).then(({ written }) => void written.catch(this.#onLost), this.#onLost);
  }

  /** Writes what is kept, as far as that can be done in time. */
  async stop(timeoutMs: number): Promise<void> {
    await this.#queue.stop(timeoutMs);
  }
}
