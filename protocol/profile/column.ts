/**
 * Columns of decoded rows, and the builder that fills them: from single values here, from runs of equal rows in run.ts.
 * Whole numbers go to a typed array, exactly; what is no whole number of 64 signed bits is kept as Data.
 */
import { DATE_TIME_LENGTH, type Data } from "../axdr/data.ts";
import { newNumbers, newOctets, viewOf } from "../bytes/octets.ts";
import type { CaptureObject } from "../cosem/capture-object.ts";
import { type ClockPolicy, dayMs, deviationToUtc, saysDaylightSaving, timeOfDayMs } from "../cosem/date-time.ts";
import type { ScalerUnit } from "../cosem/scaler-unit.ts";
import { instantOfWallClock } from "../cosem/time-zone.ts";
import type { LayoutColumn } from "./layout.ts";

/** Whole numbers: the value of a row is mantissa × 10^scaler in the unit. */
export interface NumberColumn {
  readonly kind: "number";
  readonly captureObject: CaptureObject;
  readonly scalerUnit: ScalerUnit | undefined;
  /** One per row; 64-bit integers beyond 2^53 make the column a BigInt64Array. */
  readonly mantissas: Float64Array | BigInt64Array;
  /** 1 where the row has a whole number. */
  readonly present: Uint8Array;
  /** Values of single rows that are no whole number of 64 signed bits. */
  readonly exceptions: ReadonlyMap<number, Data>;
}

/** Points in time. */
export interface TimeColumn {
  readonly kind: "time";
  readonly captureObject: CaptureObject;
  /** 12 octets per row as the meter sent them; meaningless where `sent` is 0. */
  readonly stamps: Uint8Array;
  readonly sent: Uint8Array;
  /** Milliseconds since 1970; NaN where nothing could be made of the stamp. */
  readonly instantsMs: Float64Array;
  /** One of TIME_RULE per row. */
  readonly rules: Uint8Array;
  /** Values of single rows that are no stamp. */
  readonly exceptions: ReadonlyMap<number, Data>;
}

/** Everything else: texts, bit-strings, floats, structures. */
export interface DataColumn {
  readonly kind: "data";
  readonly captureObject: CaptureObject;
  readonly scalerUnit: ScalerUnit | undefined;
  /** Undefined where the row has nothing. Octets are views into what was decoded. */
  readonly values: readonly (Data | undefined)[];
}

export type DecodedColumn = NumberColumn | TimeColumn | DataColumn;

/** How an instant was found. */
export const TIME_RULE = { none: 0, deviation: 1, zone: 2 } as const;

/** What a row has in a column while it is being decoded. */
export const CELL = { missing: 0, value: 1, exception: 2, null: 3, delta: 4 } as const;

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** What a column without times has of them. */
const NO_STAMPS = new DataView(new ArrayBuffer(0));
const NO_INSTANTS = new Float64Array(0);
const NO_RULES = new Uint8Array(0);
const NO_EXCEPTIONS: ReadonlyMap<number, Data> = new Map();

export class ColumnBuilder {
  readonly layout: LayoutColumn;
  readonly isTime: boolean;
  rowCount: number;
  cells: Uint8Array;
  #exceptions: Map<number, Data> | undefined;
  /** Set when a row has null-data or a delta, so that the column has to be gone through once more. */
  sparse = false;
  /** Set when an instant came from the zone, so that repeated hours have to be told apart. */
  zoned = false;
  mantissas: Float64Array | undefined;
  wide: BigInt64Array | undefined;
  readonly stamps: DataView;
  instantsMs: Float64Array;
  rules: Uint8Array;
  readonly #policy: ClockPolicy;
  /** The last day of the wall clock that the zone was asked for, and its minutes ahead of UTC where it has one offset. */
  #zoneDay = Number.NaN;
  #zoneMinutes = Number.NaN;
  /** Rows that have a stamp, whatever it says. */
  #stamped = 0;

  constructor(layout: LayoutColumn, rowCount: number, policy: ClockPolicy) {
    this.layout = layout;
    this.rowCount = rowCount;
    this.isTime = layout.role !== "value";
    this.cells = newOctets(rowCount);
    this.stamps = this.isTime ? viewOf(newOctets(rowCount * DATE_TIME_LENGTH)) : NO_STAMPS;
    this.instantsMs = this.isTime ? newNumbers(rowCount) : NO_INSTANTS;
    this.rules = this.isTime ? newOctets(rowCount) : NO_RULES;
    this.#policy = policy;
  }

  /** Forgets the rows from that one on: fewer fitted than there was room for. */
  trim(rowCount: number): void {
    if (rowCount === this.rowCount) return;
    this.rowCount = rowCount;
    this.cells = this.cells.subarray(0, rowCount);
    this.mantissas = this.mantissas?.subarray(0, rowCount);
    this.wide = this.wide?.subarray(0, rowCount);
    this.instantsMs = this.instantsMs.subarray(0, rowCount);
    this.rules = this.rules.subarray(0, rowCount);
  }

  /** The array for whole numbers of at most 53 bits, or undefined when the column has become wide. */
  narrow(): Float64Array | undefined {
    if (this.wide !== undefined) return undefined;
    this.mantissas ??= newNumbers(this.rowCount);
    return this.mantissas;
  }

  /** The number of a row; undefined where it has none, where it is not known yet, and in a wide column. */
  numberAt(row: number): number | undefined {
    return this.cells[row] === CELL.value && this.wide === undefined ? this.mantissas?.[row] : undefined;
  }

  setNumber(row: number, value: number, cell: number): void {
    const narrow = this.narrow();
    if (narrow === undefined) this.widened()[row] = BigInt(value);
    else narrow[row] = value;
    this.cells[row] = cell;
    if (cell === CELL.delta) this.sparse = true;
  }

  setBigInt(row: number, value: bigint): void {
    if (value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER) {
      this.setNumber(row, Number(value), CELL.value);
    } else if (value === BigInt.asIntN(64, value)) {
      this.widened()[row] = value;
      this.cells[row] = CELL.value;
    } else {
      this.setException(row, { type: "long64-unsigned", value });
    }
  }

  /** The array for 64-bit integers; from now on the column is in it. */
  widened(): BigInt64Array {
    if (this.wide !== undefined) return this.wide;
    const wide = new BigInt64Array(this.rowCount);
    if (this.mantissas !== undefined) for (const [row, value] of this.mantissas.entries()) wide[row] = BigInt(value);
    this.wide = wide;
    return wide;
  }

  setException(row: number, data: Data): void {
    this.#keepException(row, data);
    this.cells[row] = CELL.exception;
  }

  /** Values of single rows that the arrays can't hold. */
  get exceptions(): ReadonlyMap<number, Data> {
    return this.#exceptions ?? NO_EXCEPTIONS;
  }

  /** Most columns have none. */
  #keepException(row: number, data: Data): void {
    this.#exceptions ??= new Map();
    this.#exceptions.set(row, data);
  }

  setNull(row: number): void {
    this.cells[row] = CELL.null;
    this.sparse = true;
  }

  /** Takes one value of any type. */
  setData(row: number, data: Data): void {
    switch (data.type) {
      case "null-data":
        this.setNull(row);
        return;
      case "dont-care":
        return;
      case "octet-string":
      case "date-time":
        if (this.isTime && data.value.length === DATE_TIME_LENGTH) {
          this.setStamps(viewOf(data.value), { row, count: 1 }, 0, DATE_TIME_LENGTH);
        } else this.setException(row, data);
        return;
      default:
        if (this.isTime) this.#setTimeNumber(row, data);
        else this.#setValue(row, data);
    }
  }

  #setTimeNumber(row: number, data: Data): void {
    if (this.layout.role === "unix-clock" && data.type === "double-long-unsigned") {
      this.instantsMs[row] = data.value * 1000;
      this.rules[row] = TIME_RULE.deviation;
      this.cells[row] = CELL.value;
    }
    // Kept in any case: the integer is all that the meter sent of its time.
    this.#keepException(row, data);
    if (this.cells[row] === CELL.missing) this.cells[row] = CELL.exception;
  }

  #setValue(row: number, data: Data): void {
    switch (data.type) {
      case "integer":
      case "long":
      case "double-long":
      case "unsigned":
      case "long-unsigned":
      case "double-long-unsigned":
      case "enum":
        this.setNumber(row, data.value, CELL.value);
        return;
      case "delta-integer":
      case "delta-long":
      case "delta-double-long":
      case "delta-unsigned":
      case "delta-long-unsigned":
      case "delta-double-long-unsigned":
        this.setNumber(row, data.value, CELL.delta);
        return;
      case "long64":
      case "long64-unsigned":
        this.setBigInt(row, data.value);
        return;
      default:
        this.setException(row, data);
    }
  }

  /** Takes the stamps of `count` rows from `row` on, which are `stride` octets apart in `view`. */
  setStamps(view: DataView, { row, count }: { row: number; count: number }, start: number, stride: number): void {
    const { stamps, instantsMs, rules } = this;
    const rule = this.#policy.deviation;
    this.cells.fill(CELL.value, row, row + count);
    rules.fill(TIME_RULE.deviation, row, row + count);
    this.#stamped += count;
    // Dates and deviations rarely change from row to row.
    let dateWord = -1;
    let midnightMs = Number.NaN;
    let zoneWord = -1;
    let minutes = Number.NaN;
    for (let i = 0, place = start, at = row * DATE_TIME_LENGTH; i < count; i++) {
      const word0 = view.getUint32(place);
      const word1 = view.getUint32(place + 4);
      const word2 = view.getUint32(place + 8);
      stamps.setUint32(at, word0);
      stamps.setUint32(at + 4, word1);
      stamps.setUint32(at + 8, word2);
      if (word0 !== dateWord) {
        dateWord = word0;
        midnightMs = dayMs(word0);
      }
      const wallMs = midnightMs + timeOfDayMs((word1 >>> 16) & 0xff, (word1 >>> 8) & 0xff, word1 & 0xff, word2 >>> 24);
      if (word2 !== zoneWord) {
        zoneWord = word2;
        minutes = deviationToUtc((word2 >>> 8) & 0xffff, word2 & 0xff, rule);
      }
      const instantMs = wallMs + minutes * MINUTE_MS;
      instantsMs[row + i] = instantMs;
      // A NaN is a stamp without a usable deviation, or one that names no time at all.
      if (instantMs !== instantMs) this.#setByZone(row + i, wallMs, word2 & 0xff);
      place += stride;
      at += DATE_TIME_LENGTH;
    }
  }

  #setByZone(row: number, wallMs: number, status: number): void {
    if (Number.isNaN(wallMs)) {
      this.rules[row] = TIME_RULE.none;
      return;
    }
    const day = Math.floor(wallMs / DAY_MS);
    if (day !== this.#zoneDay) this.#rememberDay(day);
    this.instantsMs[row] = Number.isNaN(this.#zoneMinutes)
      ? instantOfWallClock(wallMs, this.#policy.zone, saysDaylightSaving(status))
      : wallMs - this.#zoneMinutes * MINUTE_MS;
    this.rules[row] = TIME_RULE.zone;
    this.zoned = true;
  }

  /** A day far enough from any change of the clock has one offset. */
  #rememberDay(day: number): void {
    const { zone } = this.#policy;
    const before = zone.offsetMinutes((day - 1) * DAY_MS);
    const after = zone.offsetMinutes((day + 2) * DAY_MS);
    this.#zoneDay = day;
    this.#zoneMinutes = before === after ? before : Number.NaN;
  }

  /** Makes the instants of rows without a time NaN. */
  markOpenTimes(): void {
    const { instantsMs, rules, rowCount } = this;
    if (this.#stamped >= rowCount) return;
    for (let row = 0; row < rowCount; row++) if (rules[row] === TIME_RULE.none) instantsMs[row] = Number.NaN;
  }

  /** The column as it is to be used; the builder is done after it. */
  finish(): DecodedColumn {
    const { captureObject, scalerUnit } = this.layout;
    const { exceptions } = this;
    if (this.isTime) return { kind: "time", captureObject, exceptions, ...this.#times() };
    const mantissas = this.wide ?? this.mantissas;
    if (mantissas !== undefined) {
      return { kind: "number", captureObject, scalerUnit, mantissas, present: this.#where(CELL.value), exceptions };
    }
    const values = Array.from({ length: this.rowCount }, (_, row) => exceptions.get(row));
    return { kind: "data", captureObject, scalerUnit, values };
  }

  #times(): Pick<TimeColumn, "stamps" | "sent" | "instantsMs" | "rules"> {
    const sent = this.#where(CELL.value);
    for (const row of this.exceptions.keys()) sent[row] = 0;
    const stamps = new Uint8Array(this.stamps.buffer, this.stamps.byteOffset, this.rowCount * DATE_TIME_LENGTH);
    return { stamps, sent, instantsMs: this.instantsMs, rules: this.rules };
  }

  /** 1 for the rows whose cell is of that kind; the array of cells itself where it says just that. */
  #where(kind: number): Uint8Array {
    if (kind === CELL.value && !this.sparse && this.exceptions.size === 0) return this.cells;
    return this.cells.map((cell) => (cell === kind ? 1 : 0));
  }
}
