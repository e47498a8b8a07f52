/**
 * P1 telegrams (DSMR 2–5, ESMR, e-MUCS, Swedish and Luxembourg variants): `/` identification, an empty line, data lines,
 * `!` and, from DSMR 4 on, the CRC-16/ARC of everything from `/` to `!`. Meters differ in its letters, leading zeros and
 * presence. An encrypted telegram (Smarty) is a general-glo-ciphering APDU; what comes out of it is read here.
 *
 * A telegram of a stream ends with the line end after `!`; a `/` at the start of a line before that begins a new one and
 * costs the unfinished one, as after a meter's restart.
 */
import { DlmsError } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import { crcArc } from "../crc.ts";
import { type DataSet, parseDataSets } from "./data-sets.ts";
import { octetsOf, textOf } from "./text.ts";

export interface P1Telegram {
  /** The first line without `/`; meters may put any octet in it. */
  readonly identification: string;
  readonly dataSets: readonly DataSet[];
  /** Lines that are no data set, as they came. */
  readonly unreadable: readonly string[];
  /** The check as sent, or undefined when the meter sends none; a wrong one is an error, never a telegram. */
  readonly crc: number | undefined;
}

export interface P1Options {
  /** The check was computed before some gateway turned CR LF into LF: compute it over CR LF. */
  readonly lineEndsReplaced?: boolean;
}

export type P1Unit =
  | { readonly type: "telegram"; readonly telegram: P1Telegram; readonly octets: Uint8Array }
  | { readonly type: "discarded"; readonly octets: Uint8Array; readonly error: DlmsError };

const SLASH = 0x2f;
const EXCLAMATION = 0x21;
const CR = 0x0d;
const LF = 0x0a;
/** `/` identification, the data, `!`, the check or nothing, line ends. */
const TELEGRAM = /^\/([^\r\n!]+)\r?\n([^!]*)!([0-9A-Fa-f]{0,4})[\r\n]*$/;

/**
 * Reads one telegram; octets before `/` must be line ends. Throws READOUT_INVALID for another form and FRAME_CHECK_WRONG
 * for a wrong check; LENGTH_OVER_LIMIT for what is longer than any telegram.
 */
export function decodeP1Telegram(octets: Uint8Array, options: P1Options = {}): P1Telegram {
  if (octets.length > LIMITS.p1TelegramLength) {
    throw new DlmsError("LENGTH_OVER_LIMIT", "peer", { limit: LIMITS.p1TelegramLength });
  }
  const start = octets.findIndex((octet) => octet !== CR && octet !== LF);
  const text = textOf(octets.subarray(Math.max(start, 0)));
  const [, identification, data, check] = TELEGRAM.exec(text) ?? [];
  if (identification === undefined || data === undefined || check === undefined) {
    throw new DlmsError("READOUT_INVALID", "peer", { message: "telegram", octets: octets.length });
  }
  const protectedText = text.slice(0, text.indexOf("!") + 1);
  const crc = check === "" ? undefined : Number.parseInt(check, 16);
  if (crc !== undefined && crc !== p1Check(protectedText, options)) {
    throw new DlmsError("FRAME_CHECK_WRONG", "peer", { offset: protectedText.length });
  }
  return { identification, ...parseDataSets(data), crc };
}

/** The check over the characters from `/` to `!`. */
export function p1Check(text: string, { lineEndsReplaced = false }: P1Options = {}): number {
  return crcArc(octetsOf(lineEndsReplaced ? text.replace(/\r?\n/g, "\r\n") : text));
}

/** Cuts a stream into telegrams. */
export class P1Parser {
  readonly #options: P1Options;
  readonly #units: P1Unit[] = [];
  #octets: number[] = [];
  #inside: "nothing" | "telegram" | "check" = "nothing";

  constructor(options: P1Options = {}) {
    this.#options = options;
  }

  get pending(): boolean {
    return this.#octets.length > 0;
  }

  receive(octets: Uint8Array): void {
    for (const octet of octets) this.#take(octet);
  }

  takeUnit(): P1Unit | undefined {
    return this.#units.shift();
  }

  /** Gives up what is not whole. */
  flush(): void {
    const idle = this.#octets.every((octet) => octet === CR || octet === LF);
    if (idle) this.#octets = [];
    else this.#discard(new DlmsError("FRAME_INCOMPLETE", "peer", { octets: this.#octets.length }));
  }

  #take(octet: number): void {
    if (octet === SLASH && this.#atLineStart()) this.#begin();
    this.#octets.push(octet);
    if (this.#octets.length > LIMITS.p1TelegramLength) {
      this.#discard(new DlmsError("LENGTH_OVER_LIMIT", "peer", { limit: LIMITS.p1TelegramLength }));
    } else if (octet === EXCLAMATION && this.#inside === "telegram") this.#inside = "check";
    else if (octet === LF && this.#inside === "check") this.#end();
  }

  #atLineStart(): boolean {
    const before = this.#octets.at(-1);
    return this.#inside === "nothing" || before === LF || before === CR;
  }

  #begin(): void {
    const unfinished = this.#inside !== "nothing";
    if (unfinished) this.#discard(new DlmsError("FRAME_INCOMPLETE", "peer", { octets: this.#octets.length }));
    else if (this.#octets.some((octet) => octet !== CR && octet !== LF)) {
      this.#discard(new DlmsError("FRAME_INVALID", "peer", { octets: this.#octets.length }));
    }
    this.#octets = [];
    this.#inside = "telegram";
  }

  #end(): void {
    const octets = Uint8Array.from(this.#octets);
    try {
      this.#units.push({ type: "telegram", telegram: decodeP1Telegram(octets, this.#options), octets });
      this.#octets = [];
      this.#inside = "nothing";
    } catch (error) {
      if (!(error instanceof DlmsError)) throw error;
      this.#discard(error);
    }
  }

  #discard(error: DlmsError): void {
    this.#units.push({ type: "discarded", octets: Uint8Array.from(this.#octets), error });
    this.#octets = [];
    this.#inside = "nothing";
  }
}

/** A P1 time-stamp as the meter's wall clock; `season` tells summer from winter time, DSMR 2 and 3 leave it out. */
export interface P1Time {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly season: "summer" | "winter" | undefined;
}

/** Reads `YYMMDDhhmmss` with S or W; undefined for what is no date, as unset devices send (`632525252525S`). */
export function parseP1Time(text: string): P1Time | undefined {
  const match = /^([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([SW]?)$/.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const date = new Date(Date.UTC(2000 + year, month - 1, day, hour, minute, second));
  const real = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  if (!real) return undefined;
  const season = match[7] === "S" ? "summer" : match[7] === "W" ? "winter" : undefined;
  return { year: 2000 + year, month, day, hour, minute, second, season };
}
