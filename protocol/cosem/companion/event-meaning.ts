/**
 * What event codes, status words and alarm registers mean, by companion specification: the same number means different
 * things in different ones, and in some of them in different logs.
 *
 *     eventMeaning("dsmr", "0.0.99.98.7.255", 80) → { name: "phase 1 voltage sag, …", kind, condition, severity, disputed }
 *     raisedBits("is15959", "0.0.94.91.18.255", data) → [{ bit: 81, name: "magnetic influence", … }]
 *     changedBits("idis", "0.0.97.98.0.255", before, after) → what began and what ended between two values of a word
 *
 * An occurrence and its restoration have the same `condition`, and so have a code of a log and a bit of a word that tell
 * of the same thing: pair, and recognise what is known already, by (meter, condition). Codes that no table has are
 * `undefined`, never a guess; bits that no table has come back with the name "bit n".
 */
import type { Data } from "../../axdr/data.ts";
import type { Companion } from "./companion.ts";
import { DSMR_EVENTS } from "./dsmr-events.ts";
import type { CompanionEvents, EventEntry, EventLog, EventMeaning } from "./event-table.ts";
import { IDIS_EVENTS } from "./idis-events.ts";
import { IS15959_EVENTS } from "./is15959-events.ts";
import { SPODES_EVENTS } from "./spodes-events.ts";

/** A bit of a status word or alarm register, with what it says while it is set. */
export interface StatusBit extends EventMeaning {
  readonly bit: number;
}

const TABLES: Readonly<Record<Companion, CompanionEvents | undefined>> = {
  is15959: IS15959_EVENTS,
  idis: IDIS_EVENTS,
  dsmr: DSMR_EVENTS,
  spodes: SPODES_EVENTS,
  // Nordic ports push lists without any events, and a meter of unknown kind has codes of unknown meaning.
  nordic: undefined,
  none: undefined,
};

interface EventIndex {
  readonly byLog: ReadonlyMap<string, ReadonlyMap<number, EventEntry>>;
  readonly everywhere: ReadonlyMap<number, EventEntry>;
  readonly words: ReadonlyMap<string, ReadonlyMap<number, EventEntry>>;
  readonly latched: ReadonlySet<string>;
}

const INDEXES = new Map<Companion, EventIndex>();
for (const companion of ["is15959", "idis", "dsmr", "spodes"] as const) {
  const table = TABLES[companion];
  if (table !== undefined) INDEXES.set(companion, indexOf(table));
}

function indexOf({ logs, everyLog, oneNumbering, words, latched }: CompanionEvents): EventIndex {
  const anywhere = oneNumbering ? logs.flatMap((log) => log.entries) : [];
  return {
    byLog: byObject(logs),
    everywhere: byCode([...anywhere, ...everyLog]),
    words: byObject(words),
    latched: new Set(latched),
  };
}

function byObject(logs: readonly EventLog[]): ReadonlyMap<string, ReadonlyMap<number, EventEntry>> {
  return new Map(logs.flatMap(({ objects, entries }) => objects.map((object) => [object, byCode(entries)] as const)));
}

function byCode(entries: readonly EventEntry[]): ReadonlyMap<number, EventEntry> {
  return new Map(entries.map((entry) => [entry.code, entry]));
}

/** Whether the events of a companion specification are known here at all. */
export function knowsEvents(companion: Companion): boolean {
  return INDEXES.has(companion);
}

/** Logical names (dotted; `b` for any channel) of the logs and of the objects with their last codes, and of the words. */
export function eventObjects(companion: Companion): {
  readonly logs: readonly string[];
  readonly words: readonly string[];
} {
  const index = INDEXES.get(companion);
  return { logs: [...(index?.byLog.keys() ?? [])], words: [...(index?.words.keys() ?? [])] };
}

/** What a code in a log says; the log by its own logical name or by that of the object which holds the code. */
export function eventMeaning(companion: Companion, log: string, code: number): EventMeaning | undefined {
  const index = INDEXES.get(companion);
  if (index === undefined) return undefined;
  return at(index.byLog, log)?.get(code) ?? index.everywhere.get(code);
}

/**
 * The bits of a row's status which say that the clock of the row does not follow from the row before; undefined when the
 * companion has no such status.
 */
export function clockBreakBits(companion: Companion): number | undefined {
  return TABLES[companion]?.clockBreaks;
}

/** Whether an object of that name holds a status word, alarm register or alarm descriptor that is known here. */
export function isStatusWord(companion: Companion, logicalName: string): boolean {
  return wordOf(companion, logicalName) !== undefined;
}

/** Whether a cleared bit of the word says nothing: it was acknowledged, and the condition may go on. */
export function isLatched(companion: Companion, logicalName: string): boolean {
  return INDEXES.get(companion)?.latched.has(logicalName) === true;
}

/**
 * The bits that are set in a status word. In a bit-string bit 0 comes first, in a number it is the least significant.
 * Undefined when the companion knows no such word, or the value is none.
 */
export function raisedBits(companion: Companion, logicalName: string, value: Data): readonly StatusBit[] | undefined {
  const bits = setBits(value);
  const meanings = wordOf(companion, logicalName);
  if (bits === undefined || meanings === undefined) return undefined;
  return bits.map((bit) => statusBit(meanings, bit));
}

/**
 * What a word tells that its value before did not: bits newly set, and conditions that ended because their bit is no
 * longer set. A bit that an acknowledgement clears ends nothing. Without a value before, only what is set now.
 */
export function changedBits(
  companion: Companion,
  logicalName: string,
  before: Data | undefined,
  after: Data,
): readonly StatusBit[] | undefined {
  const bits = setBits(after);
  const meanings = wordOf(companion, logicalName);
  if (bits === undefined || meanings === undefined) return undefined;
  const old = before === undefined ? [] : (setBits(before) ?? []);
  const raised = bits.filter((bit) => !old.includes(bit)).map((bit) => statusBit(meanings, bit));
  if (isLatched(companion, logicalName)) return raised;
  const cleared = old.filter((bit) => !bits.includes(bit)).map((bit) => statusBit(meanings, bit));
  return [...raised, ...cleared.filter(({ kind }) => kind === "occurrence").map(over)];
}

function over(bit: StatusBit): StatusBit {
  return { ...bit, kind: "restoration", name: `${bit.condition}: ended`, severity: "info" };
}

function statusBit(meanings: ReadonlyMap<number, EventEntry>, bit: number): StatusBit {
  const entry = meanings.get(bit);
  if (entry === undefined) {
    return { bit, name: `bit ${bit}`, kind: "occurrence", condition: `bit ${bit}`, severity: "info", disputed: true };
  }
  const { name, kind, condition, severity, disputed } = entry;
  return { bit, name, kind, condition, severity, disputed };
}

function wordOf(companion: Companion, logicalName: string): ReadonlyMap<number, EventEntry> | undefined {
  const index = INDEXES.get(companion);
  return index === undefined ? undefined : at(index.words, logicalName);
}

function at<Value>(table: ReadonlyMap<string, Value>, logicalName: string): Value | undefined {
  return table.get(logicalName) ?? table.get(ofAnyChannel(logicalName));
}

function ofAnyChannel(logicalName: string): string {
  const group = logicalName.indexOf(".");
  return `${logicalName.slice(0, group)}.b${logicalName.slice(logicalName.indexOf(".", group + 1))}`;
}

const BITS_AN_OCTET = 8;

function setBits(value: Data): readonly number[] | undefined {
  switch (value.type) {
    case "bit-string": {
      const { bitCount, value: octets } = value;
      const bits: number[] = [];
      for (let bit = 0; bit < bitCount; bit++) {
        const octet = octets[Math.floor(bit / BITS_AN_OCTET)] ?? 0;
        if ((octet & (0x80 >> (bit % BITS_AN_OCTET))) !== 0) bits.push(bit);
      }
      return bits;
    }
    case "unsigned":
    case "long-unsigned":
    case "double-long-unsigned":
    case "long64-unsigned":
    case "enum": {
      const bits: number[] = [];
      for (let [bit, rest] = [0, BigInt(value.value)]; rest > 0n; bit++, rest >>= 1n) {
        if ((rest & 1n) === 1n) bits.push(bit);
      }
      return bits;
    }
    default:
      return undefined;
  }
}
