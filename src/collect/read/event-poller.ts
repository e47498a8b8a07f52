/**
 * Reads the event logs of a meter: what is newer than what was read before, and once a day as far back as the plan says,
 * for a clock that was set back makes events that look old.
 */
import type { DataAccessResult } from "../../../protocol/apdu/result-codes.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import type { ProfileLayout } from "../../../protocol/profile/layout.ts";
import { mapEventLog, type SetAsideEvent } from "../../profiles/map-events.ts";
import type { SeenEvent } from "../../profiles/seen-events.ts";
import { AccessRefusedError } from "../session/access-refused.ts";
import type { AttributeSource } from "../session/attribute-source.ts";
import type { MeterTarget } from "../session/meter-target.ts";
import { eventLogNames, eventLogObject } from "./event-logs.ts";
import { readLayout } from "./layout-reader.ts";
import { clockOf } from "./meter-reader.ts";
import { readRows } from "./profile-reader.ts";

export interface EventOrder {
  readonly target: MeterTarget;
  /** How far back to go in a log that is read for the first time, or anew. */
  readonly historyMs: number;
  /** Up to when each log has been read, ms since 1970. */
  readonly readUpTo: ReadonlyMap<string, number>;
  readonly nowMs: () => number;
}

export interface PolledEvents {
  readonly events: readonly SeenEvent[];
  readonly setAside: readonly SetAsideEvent[];
  /** Up to when the logs that were read have been read now. */
  readonly readUpTo: ReadonlyMap<string, number>;
  /** Logs that could not be read or understood, beside those that the meter has not. */
  readonly refused: readonly RefusedLog[];
  /** What ended the session before all logs were read. */
  readonly failure: Error | undefined;
}

export interface RefusedLog {
  readonly log: string;
  readonly error: Error;
}

/** Events may come into a log a little late, and a clock may be set back by a little. */
const OVERLAP_MS = 3_600_000;
/** A meter's clock may be ahead of ours by this much. */
const CLOCK_LEAD_MS = 3_600_000;
/** What was found of a log holds for so long. */
const TRUSTED_MS = 86_400_000;
/** What meters answer when they have no such object, or do not show it. */
const HIDDEN: ReadonlySet<DataAccessResult> = new Set([
  "object-undefined",
  "object-unavailable",
  "object-class-inconsistent",
  "read-write-denied",
  "scope-of-access-violated",
]);

/** Never rejects: what was read before the session ended is in the result. */
export async function pollEventLogs(source: AttributeSource, order: EventOrder): Promise<PolledEvents> {
  const events: SeenEvent[] = [];
  const setAside: SetAsideEvent[] = [];
  const readUpTo = new Map<string, number>();
  const refused: RefusedLog[] = [];
  let failure: Error | undefined;
  for (const log of eventLogNames(order.target.companion)) {
    try {
      const read = await readLog(source, log, order);
      if (read === undefined) continue;
      for (const event of read.events) events.push(event);
      for (const event of read.setAside) setAside.push(event);
      readUpTo.set(log, Math.max(order.readUpTo.get(log) ?? 0, read.upToMs));
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      // A log that can't be understood does not end the session: the next one may be in order.
      if (error instanceof AccessRefusedError || error instanceof DlmsError) refused.push({ log, error });
      else failure = error;
    }
    if (failure !== undefined) break;
  }
  return { events, setAside, readUpTo, refused, failure };
}

interface ReadLog {
  readonly events: readonly SeenEvent[];
  readonly setAside: readonly SetAsideEvent[];
  readonly upToMs: number;
}

async function readLog(source: AttributeSource, log: string, order: EventOrder): Promise<ReadLog | undefined> {
  const { target, historyMs, nowMs } = order;
  const known = await knownLog(source, log, order);
  if (known.layout === undefined) return undefined;
  const readBefore = known.isNew ? undefined : order.readUpTo.get(log);
  const fromMs = readBefore === undefined ? nowMs() - historyMs : readBefore - OVERLAP_MS;
  const decoded = await allowed(
    async () =>
      await readRows(source, {
        object: eventLogObject(target.companion, log),
        layout: known.layout,
        clock: await clockOf(source, target, nowMs),
        quirks: target.quirks,
        ways: target.ways,
        nowMs,
        range: { fromMs, toMs: nowMs() + CLOCK_LEAD_MS },
      }),
  );
  if (decoded === undefined) return undefined;
  // The log may have got other columns: it is looked at anew the next time.
  if (decoded.rejected.length > 0) target.eventLogs?.delete(log);
  const { events, setAside } = mapEventLog(decoded, { companion: target.companion, log });
  // Nothing before is asked for again, though the log may have held nothing since.
  const newestMs = events.reduce((newest, { occurredAt }) => Math.max(newest, occurredAt.getTime()), fromMs);
  return { events, setAside, upToMs: Math.min(newestMs, nowMs()) };
}

/** The layout of a log; asked for once a day. */
async function knownLog(
  source: AttributeSource,
  log: string,
  { target, nowMs }: EventOrder,
): Promise<{ readonly layout: ProfileLayout; readonly isNew: boolean } | { readonly layout: undefined }> {
  target.eventLogs ??= new Map();
  const known = target.eventLogs.get(log);
  if (known !== undefined && nowMs() - known.readAtMs < TRUSTED_MS) {
    return known.layout === undefined ? { layout: undefined } : { layout: known.layout, isNew: false };
  }
  const object = eventLogObject(target.companion, log);
  const layout = await allowed(() => readLayout(source, object, target.quirks));
  target.eventLogs.set(log, { layout, readAtMs: nowMs() });
  return layout === undefined ? { layout } : { layout, isNew: true };
}

async function allowed<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof AccessRefusedError && HIDDEN.has(error.result)) return undefined;
    throw error;
  }
}
