/** What pushes and event logs say has happened: codes of logs, and the bits of status words. */
import type { Data } from "../../protocol/axdr/data.ts";
import type { CaptureObject } from "../../protocol/cosem/capture-object.ts";
import type { Companion } from "../../protocol/cosem/companion/companion.ts";
import {
  eventMeaning,
  isLatched,
  isStatusWord,
  raisedBits,
  type StatusBit,
} from "../../protocol/cosem/companion/event-meaning.ts";
import { integerOf } from "../../protocol/cosem/integers.ts";
import type { OtherValue } from "./batch.ts";

/** One event, as a log or a bit tells it; name, kind and condition are missing for what no table knows. */
export interface SeenEvent {
  readonly occurredAt: Date;
  /** Logical name of the log, or of the word. */
  readonly log: string;
  /** Code within the log, or number of the bit. */
  readonly code: number;
  readonly name?: string;
  readonly kind?: "occurrence" | "restoration" | "change";
  readonly condition?: string;
  readonly severity: "info" | "warning" | "alarm";
  readonly disputed: boolean;
  /** What else the log holds about it, by capture object. */
  readonly details?: Readonly<Record<string, { readonly value: OtherValue; readonly unit?: string }>>;
}

/** A status word: the bits that are set. What is not among them is over. */
export interface SeenWord {
  readonly at: Date;
  readonly log: string;
  /** Cleared bits say nothing. */
  readonly latched: boolean;
  readonly bits: readonly SeenEvent[];
}

export interface SeenEvents {
  readonly events: readonly SeenEvent[];
  readonly words: readonly SeenWord[];
}

interface NamedValue {
  readonly object: CaptureObject | undefined;
  readonly data: Data;
}

const DATA_CLASS = 1;
const VALUE = 2;
/** 0-b:96.11.e holds the last code of an event log. */
export const LAST_CODE = /^0\.\d+\.96\.11\.\d+\.255$/;
/** Where it is not of an M-Bus channel, that log is 0-0:99.98.e. */
const LAST_CODE_OF_LOG = /^0\.0\.96\.11\.(\d+)\.255$/;

/** The events among values that were true at a moment, apart from those of whole logs. */
export function eventsAmong(values: readonly NamedValue[], companion: Companion, at: Date): SeenEvents {
  const events: SeenEvent[] = [];
  const words: SeenWord[] = [];
  for (const { object, data } of values) {
    if (object === undefined || object.classId !== DATA_CLASS || object.attributeId !== VALUE) continue;
    const log = object.logicalName;
    const code = LAST_CODE.test(log) ? integerOf(data) : undefined;
    if (code !== undefined && code > 0) {
      const inLog = log.replace(LAST_CODE_OF_LOG, "0.0.99.98.$1.255");
      events.push(loggedEvent(companion, { log: inLog, code, at }));
    }
    if (!isStatusWord(companion, log)) continue;
    const bits = raisedBits(companion, log, data);
    if (bits === undefined) continue;
    words.push({
      at,
      log,
      latched: isLatched(companion, log),
      bits: bits.map((bit) => raisedEvent(bit, log, at)),
    });
  }
  return { events, words };
}

function raisedEvent({ bit, ...meaning }: StatusBit, log: string, at: Date): SeenEvent {
  return { occurredAt: at, log, code: bit, ...meaning };
}

/** What a code of a log means; a code that no table knows is an event all the same. */
export function loggedEvent(
  companion: Companion,
  { log, code, at }: { readonly log: string; readonly code: number; readonly at: Date },
): SeenEvent {
  const meaning = eventMeaning(companion, log, code);
  return { occurredAt: at, log, code, ...(meaning ?? { severity: "info", disputed: false }) };
}
