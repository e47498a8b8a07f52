/** What the event tables of the companion specifications are made of: one entry for each event, in our own words. */

export type EventSeverity = "info" | "warning" | "alarm";

/** A condition begins, it ends, or something happened that has no end. */
export type EventKind = "occurrence" | "restoration" | "change";

export interface EventMeaning {
  readonly name: string;
  readonly kind: EventKind;
  /**
   * What goes on between an occurrence and its restoration, the same text in every log and status word of one companion:
   * events of one meter pair, and are known twice, by it. A change has its own name here.
   */
  readonly condition: string;
  readonly severity: EventSeverity;
  /** Sources disagree about the code, or only some makers or utilities use it: show it as likely, not as certain. */
  readonly disputed: boolean;
}

export interface EventEntry extends EventMeaning {
  readonly code: number;
}

interface Rest {
  readonly disputed?: boolean;
  /** The condition, where an entry is one end of a condition that another entry begins. */
  readonly condition?: string;
}

/** A condition with a code for its begin and one for its end. */
export function lasting(
  [from, to]: readonly [from: number, to: number],
  condition: string,
  severity: EventSeverity,
  { disputed = false }: Rest = {},
): EventEntry[] {
  return [
    { code: from, kind: "occurrence", name: condition, condition, severity, disputed },
    { code: to, kind: "restoration", name: `${condition}: ended`, condition, severity: "info", disputed },
  ];
}

/** A condition with a code for its begin alone; several codes may begin the same one. */
export function begins(code: number, condition: string, severity: EventSeverity, rest: Rest = {}): EventEntry {
  const { disputed = false } = rest;
  return {
    code,
    kind: "occurrence",
    name: condition,
    condition: rest.condition ?? condition,
    severity,
    disputed,
  };
}

/** The end of a condition that begins with other codes. */
export function ends(code: number, condition: string, rest: Rest = {}): EventEntry {
  const { disputed = false } = rest;
  return { code, kind: "restoration", name: `${condition}: ended`, condition, severity: "info", disputed };
}

/** Something that happened and has no end. */
export function happens(code: number, name: string, severity: EventSeverity = "info", rest: Rest = {}): EventEntry {
  return { code, kind: "change", name, condition: name, severity, disputed: rest.disputed ?? false };
}

/** The codes of one log, or the bits of one word. */
export interface EventLog {
  /** Dotted logical names of what holds the codes: the log and the object with its last code, or the word. `b` is any channel. */
  readonly objects: readonly string[];
  readonly entries: readonly EventEntry[];
}

/** The standard places of event logs: log `e` and the object that its code column captures. */
export function log(e: number, entries: readonly (EventEntry | readonly EventEntry[])[]): EventLog {
  return { objects: [`0.0.99.98.${e}.255`, `0.0.96.11.${e}.255`], entries: entries.flat() };
}

export function word(objects: readonly string[], entries: readonly (EventEntry | readonly EventEntry[])[]): EventLog {
  return { objects, entries: entries.flat() };
}

export interface CompanionEvents {
  /** Event logs, by code. */
  readonly logs: readonly EventLog[];
  /** Codes that mean the same in every log. */
  readonly everyLog: readonly EventEntry[];
  /** No code stands for two things in two logs: one found in another log than the table says is known all the same. */
  readonly oneNumbering: boolean;
  /** Status words and alarm registers, by bit: `code` is the number of the bit. */
  readonly words: readonly EventLog[];
  /** Bits of the status of a row that say its clock can't be reckoned from the row before: set, invalid, power was off. */
  readonly clockBreaks?: number;
  /** Of those words, the ones whose bits stay set until a client resets them. */
  readonly latched: readonly string[];
}
