import { z } from "zod";

/** What a read returns to people and machines: a table of text, exact decimals as the meter sent them. */
export interface ReadAnswer {
  readonly meter: string;
  readonly what: string;
  readonly readAt: string;
  readonly columns: readonly ReadColumn[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** Rows from one instant to another, both inclusive, in milliseconds since 1970. */
export interface ReadRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What else is said with the order to read something. */
export interface ReadWishes {
  readonly range?: ReadRange | undefined;
  /** How long to wait for a meter that calls in and is not connected; not at all when left out. */
  readonly waitMs?: number | undefined;
}

export interface ReadColumn {
  /** `class:logical name:attribute` for what a meter's object holds, else a name of our own. */
  readonly name: string;
  /** What it is, in words; null where nobody knows. */
  readonly meaning: string | null;
  /** Symbol of the unit, or null. */
  readonly unit: string | null;
  readonly numeric: boolean;
}

export const readAnswerSchema = z.object({
  meter: z.string(),
  what: z.string(),
  readAt: z.string(),
  columns: z.array(
    z.object({ name: z.string(), meaning: z.string().nullable(), unit: z.string().nullable(), numeric: z.boolean() }),
  ),
  rows: z.array(z.array(z.string().nullable())),
});

/** Why a meter was not read, in words that a field engineer can act on. */
export interface ReadRefusal {
  readonly meter: string;
  /** One of the closed list of causes, `wrong password` or `port refused`. */
  readonly cause: string;
  readonly evidence: string;
  readonly nextStep: string;
}

/** A failed read on its way to whoever asked. */
export class ReadRefusedError extends Error {
  override readonly name = "ReadRefusedError";
  readonly refusal: ReadRefusal;

  constructor(refusal: ReadRefusal, options?: ErrorOptions) {
    super(`${refusal.meter}: ${refusal.cause} (${refusal.evidence}); ${refusal.nextStep}`, options);
    this.refusal = refusal;
  }
}
