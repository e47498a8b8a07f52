/** Rows of an event log to events: code, time, and what else the row holds. */
import type { Companion } from "../../protocol/cosem/companion/companion.ts";
import { eventObjects } from "../../protocol/cosem/companion/event-meaning.ts";
import type { DlmsError } from "../../protocol/errors.ts";
import type { DecodedColumn, TimeColumn } from "../../protocol/profile/column.ts";
import type { DecodedProfile } from "../../protocol/profile/decode.ts";
import type { OtherColumn, OtherValue } from "./batch.ts";
import { columnInWords } from "./map-column.ts";
import { otherValue } from "./other-value.ts";
import { LAST_CODE, loggedEvent, type SeenEvent } from "./seen-events.ts";

export interface EventLogContext {
  readonly companion: Companion;
  /** Logical name of the log. */
  readonly log: string;
}

/** A row that no event can be made of: without a time or a code, or not of the log's columns. */
export interface SetAsideEvent {
  readonly index: number;
  readonly reason: DlmsError | "no-time" | "no-code";
  readonly values: Readonly<Record<string, OtherValue>>;
}

export interface MappedEvents {
  readonly events: readonly SeenEvent[];
  readonly setAside: readonly SetAsideEvent[];
}

/** 0-b:99.98.e is an event log in every companion specification. */
const EVENT_LOG = /^\d\.\d+\.99\.98\.\d+\.255$/;
const CHANNEL = /^(\d)\.\d+\./;
const WHOLE = /^\d+$/;

export function isEventLog(companion: Companion, logicalName: string): boolean {
  if (EVENT_LOG.test(logicalName)) return true;
  const { logs } = eventObjects(companion);
  return !LAST_CODE.test(logicalName) && logs.includes(logicalName.replace(CHANNEL, "$1.b."));
}

export function mapEventLog(decoded: DecodedProfile, { companion, log }: EventLogContext): MappedEvents {
  const columns = decoded.columns.filter((column) => column !== decoded.clock);
  const named = columns.map(columnInWords);
  const code = codeColumn(columns);
  const events: SeenEvent[] = [];
  const setAside: SetAsideEvent[] = decoded.rejected.map(({ index, data, error }) => {
    return { index, reason: error, values: { row: otherValue(data) ?? "" } };
  });
  for (let row = 0; row < decoded.rowCount; row++) {
    const atMs = instantOf(decoded.clock, row);
    const number = named[code]?.values[row];
    const details = detailsOf(named, row, code);
    if (atMs === undefined || typeof number !== "string" || !WHOLE.test(number)) {
      const reason = atMs === undefined ? "no-time" : "no-code";
      const all = Object.fromEntries(Object.entries(detailsOf(named, row)).map(([key, { value }]) => [key, value]));
      setAside.push({ index: row, reason, values: all });
      continue;
    }
    const event = loggedEvent(companion, { log, code: Number(number), at: new Date(atMs) });
    events.push(Object.keys(details).length === 0 ? event : { ...event, details });
  }
  return { events, setAside };
}

/** The column of the object with the last code; in logs of makers the first number that is not measured. */
function codeColumn(columns: readonly DecodedColumn[]): number {
  const named = columns.findIndex(({ captureObject }) => LAST_CODE.test(captureObject.logicalName));
  return named >= 0 ? named : columns.findIndex(({ captureObject }) => captureObject.classId === DATA_CLASS);
}

const DATA_CLASS = 1;

function detailsOf(columns: readonly OtherColumn[], row: number, without = -1): NonNullable<SeenEvent["details"]> {
  const details: Record<string, { value: OtherValue; unit?: string }> = {};
  for (const [index, { captureObject, unit, values }] of columns.entries()) {
    const value = values[row];
    if (value !== undefined && index !== without)
      details[captureObject] = { value, ...(unit !== undefined && { unit }) };
  }
  return details;
}

function instantOf(clock: TimeColumn | undefined, row: number): number | undefined {
  const instantMs = clock?.instantsMs[row];
  return instantMs === undefined || Number.isNaN(instantMs) ? undefined : instantMs;
}
