import type { DeviationRule } from "../../protocol/cosem/date-time.ts";
import type { MeterTimes } from "../../protocol/profile/meter-times.ts";

/** The four profiles that the gateway keeps; which table a row goes to. */
export type ProfileKind = "instant" | "block_load" | "daily_load" | "billing";

/** What a plan reads: rows of a profile, or the event logs. */
export type ReadingKind = ProfileKind | "events";

/** How a row reached us. */
export type ReadingSource = "poll" | "push" | "on_demand" | "backfill" | "import";

/** Which rule turned the meter's wall clock into an instant. */
export type TimeRule =
  /** The stamp carried a deviation from UTC. */
  | "deviation"
  /** The stamp had none (or one known to be wrong): the meter's configured time zone was used. */
  | "zone"
  /** The meter sent no usable stamp: the time of reception was used. */
  | "received";

/** One column of a named profile table: integers in the column's fixed decimal unit (see columns.ts). */
export interface BatchColumn {
  /** Name of a column in PROFILE_COLUMNS. */
  readonly column: string;
  /** One integer per row; undefined where the meter sent nothing. */
  readonly values: readonly (bigint | undefined)[] | BigInt64Array;
}

/** Values that have no column, or do not fit it exactly, kept under their logical name. */
export interface OtherColumn {
  /**
   * `class:logical name:attribute`, as `3:1.0.99.99.0.255:2`; `#data index` follows where it is not 0, `@raw` where the
   * scaler and unit are not known and the numbers are as the meter sent them, `~n` for the n-th of one kind in a row.
   */
  readonly captureObject: string;
  /** UCUM unit, or undefined. */
  readonly unit: string | undefined;
  /** One value per row: an exact decimal as text, text, octets in hex (`0x…`), a boolean, or nested of these. */
  readonly values: readonly (OtherValue | undefined)[];
}

export type OtherValue = string | boolean | readonly OtherValue[];

/** Rows of one profile of one meter, as they go to the store. All arrays have `rowCount` elements. */
export interface ProfileBatch {
  /** Internal integer key of the meter. */
  readonly meterKey: number;
  readonly profile: ProfileKind;
  readonly source: ReadingSource;
  /** Fingerprint of the capture-object list, scalers and units that the rows were decoded with. */
  readonly layoutFingerprint: string;
  readonly readAt: Date;
  readonly rowCount: number;
  /** The resolved instants (end of the interval where there is one), ms since 1970, and by which rule. */
  readonly instantsMs: readonly number[];
  readonly timeRules: readonly TimeRule[];
  /** Undefined where the meter sent no stamps. */
  readonly meterTimes: MeterTimes | undefined;
  /** Length of the interval in seconds, or undefined for captures without one. */
  readonly intervalS: number | undefined;
  readonly columns: readonly BatchColumn[];
  readonly others: readonly OtherColumn[];
  /** Slots, ms since 1970, that the meter was asked for and has no row of. */
  readonly absentMs?: readonly number[];
  /** Slots that the meter did not record because it was off. */
  readonly offMs?: readonly number[];
  /** Slots whose rows are among those that were set aside, as far as can be told: such a row has no time. */
  readonly asideMs?: readonly number[];
  /** The octets that the rows were decoded from, of those that came as a buffer; they are kept with the rows. */
  readonly buffers?: readonly PackedBuffer[];
}

/** What kept octets are, and so how rows are made of them again. */
export type BufferForm =
  /** The value of a profile's buffer attribute. */
  | "buffer"
  /** What came of one before its read broke off: the last row may be cut short. */
  | "part"
  /** Values that were read one by one, put together as the buffer of one row; null-data for what the meter refused. */
  | "registers"
  /** The data message of an IEC 62056-21 readout, which says itself what it holds: its layout is of no account. */
  | "readout";

/** What a meter answered, as it came. */
export interface ReadOctets {
  readonly form: BufferForm;
  readonly octets: Uint8Array;
}

/** Octets of a buffer as they are kept. */
export interface PackedBuffer extends ReadOctets {
  readonly receivedAt: Date;
  /** What the layout was put together from, as JSON. */
  readonly layout: string;
  readonly layoutFingerprint: string;
  readonly deviation: DeviationRule;
  /** Before compression. */
  readonly octetCount: number;
  /** Code: 0 none, 1 zstd. */
  readonly compression: number;
}
