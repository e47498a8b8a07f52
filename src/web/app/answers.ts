/** The shapes of what the API answers, as far as the pages use them; /openapi.json has all. */

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

export interface Session {
  readonly actor: string;
  readonly role: "reader" | "operator" | "engineer" | "admin";
}

export interface Attempt {
  readonly startedAt: string;
  readonly endedAt: string;
  readonly what: string;
  readonly succeeded: boolean;
  readonly rows: number;
  readonly cause: string | null;
  readonly evidence: string | null;
  readonly nextStep: string | null;
}

export interface Meter {
  readonly name: string;
  readonly number: string;
  readonly type: string;
  readonly maker: string | null;
  readonly model: string | null;
  readonly firmware: string | null;
  readonly systemTitle: string | null;
  readonly companion: string;
  readonly timeZone: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly lastAttempt: Attempt | null;
}

export interface MeterCounts {
  readonly meters: number;
  readonly answering: number;
  readonly failing: number;
  readonly current: number;
}

export interface Overview {
  readonly countedAt: string;
  readonly fleet: MeterCounts;
  readonly groups: readonly (MeterCounts & { by: "network" | "maker" | "companion"; name: string | null })[];
  readonly days: readonly { day: string; due: number; held: number }[];
  readonly causes: readonly { cause: string; meters: number; tries: number }[];
  readonly pushes: readonly { outcome: string; count: number }[];
}

export interface Readings extends Page<Reading> {
  readonly columns: readonly { name: string; unit: string; meaning: string }[];
}

export interface Reading {
  readonly at: string;
  readonly values: Readonly<Record<string, string>>;
  readonly about: Readonly<Record<string, string | number | boolean | null>>;
}

export interface CoverageDay {
  readonly day: string;
  readonly slots: number;
  readonly held: number;
  readonly absent: number;
  readonly meterOff: number;
  readonly setAside: number;
}

export interface Gap {
  readonly profile: string;
  readonly from: string;
  readonly to: string;
  readonly slots: number;
  readonly state: string;
  readonly why: string;
  readonly willCome: string;
  readonly nextStep: string | null;
}

export interface MeterEvent {
  readonly meter: string;
  readonly occurredAt: string;
  readonly log: string;
  readonly code: number;
  readonly name: string | null;
  readonly severity: string;
  readonly condition: string | null;
  readonly restoredAt: string | null;
  readonly source: string;
}

export interface LogEntry {
  readonly occurredAt: string;
  readonly level: string;
  readonly event: string;
  readonly message: string;
  readonly actor: string | null;
  readonly subject: string | null;
  readonly details: unknown;
}

export interface Ask {
  readonly id: string;
  readonly state: "running" | "done" | "failed";
  readonly answer: {
    readonly columns: readonly { name: string; meaning: string | null; unit: string | null; numeric: boolean }[];
    readonly rows: readonly (readonly (string | null)[])[];
  } | null;
  readonly refusal: { readonly cause: string; readonly evidence: string; readonly nextStep: string } | null;
}
