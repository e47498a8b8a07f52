/**
 * The gateway's own log in the database: what it told and what people changed in it, chained by digests. Nobody waits
 * for it; what comes while it is full is lost, and the next entry says how much.
 */

import type { Database } from "../database/database.ts";
import { storableText } from "../database/storable-text.ts";
import { KeptLater } from "../intake/kept-later.ts";

export interface EventLogEntry {
  readonly occurredAt: Date;
  readonly level: "info" | "warn" | "error";
  readonly event: string;
  /** In words for people. */
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
  /** Who changed something. */
  readonly actor?: string;
  /** What it is about. */
  readonly subject?: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

const GROUP_ENTRIES = 500;
const GROUP_DELAY_MS = 500;
const MOST_KEPT = 10_000;

export class EventLog {
  readonly #kept: KeptLater<EventLogEntry>;
  #lost = 0;

  constructor(database: Database) {
    this.#kept = new KeptLater({
      write: (entries) => appendEventLog(database, entries),
      mostKept: MOST_KEPT,
      groupRows: GROUP_ENTRIES,
      groupDelayMs: GROUP_DELAY_MS,
      onLost: () => {
        this.#lost++;
      },
    });
  }

  add(entry: EventLogEntry): void {
    const lost = this.#lost;
    if (lost > 0 && !this.#kept.isFull) {
      this.#lost = 0;
      this.#kept.add(lostEntries(lost, entry.occurredAt));
    }
    this.#kept.add(entry);
  }

  /** Writes what is kept, as far as that can be done in time. */
  async stop(timeoutMs: number): Promise<void> {
    await this.#kept.stop(timeoutMs);
  }
}

/** Appends entries at once, for whoever has to know that they are kept. Throws StoreError. */
export async function appendEventLog(database: Database, entries: readonly EventLogEntry[]): Promise<void> {
  const rows = entries.map((entry) => ({
    occurred_at: entry.occurredAt,
    level: entry.level,
    event: entry.event,
    message: entry.message,
    details: entry.details,
    actor: entry.actor,
    subject: entry.subject,
    before: entry.before,
    after: entry.after,
  }));
  const json = JSON.stringify(rows, (_, value: unknown) => (typeof value === "string" ? storableText(value) : value));
  await database.query("select dlms.append_event_logs($1)", [json]);
}

export interface EventLogFault {
  readonly event_log_key: bigint;
  readonly occurred_at: Date | null;
  readonly fault: string;
}

/** Where the chain is broken. Reads the whole log. Throws StoreError. */
export function eventLogFaults(database: Database): Promise<readonly EventLogFault[]> {
  return database.query<EventLogFault>("select * from dlms.event_log_faults()");
}

function lostEntries(count: number, occurredAt: Date): EventLogEntry {
  return {
    occurredAt,
    level: "warn",
    event: "eventsLost",
    message: "the log has a gap: more happened than could be kept while the database was away",
    details: { count },
  };
}
