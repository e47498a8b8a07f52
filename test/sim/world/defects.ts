/** Faults that are built in on purpose, to see that the invariants find them. */

import { MeterTimes } from "../../../protocol/profile/meter-times.ts";
import type { ProfileBatch } from "../../../src/profiles/batch.ts";

export interface Defect {
  /** Rows are said to be safe and are not kept. */
  readonly acknowledgesEarly?: (batch: ProfileBatch) => boolean;
  /** Rows are kept otherwise than they came. */
  readonly spoilsRows?: (batch: ProfileBatch) => ProfileBatch;
  /** Another counter than the one that was reserved. */
  readonly bendsCounter?: (counter: number) => number;
  /** So many times the places that there are for jobs. */
  readonly widens?: number;
  /** A write of rows that the ledger does not hear of. */
  readonly skipsLedger?: (batches: readonly ProfileBatch[]) => boolean;
  /** A meter that is said to have been read, and was not. */
  readonly neglects?: (meterKey: number) => boolean;
}

/** By the word that chooses one on the command line. */
export const DEFECTS = {
  "acknowledged-too-early": { acknowledgesEarly: ({ rowCount }) => rowCount > 0 && rowCount % 5 === 0 },
  "counter-used-twice": { bendsCounter: (counter) => counter - (counter % 7 === 0 ? 1 : 0) },
  "slot-dropped": {
    spoilsRows: (batch) => (batch.rowCount < 4 ? batch : { ...batch, ...withoutRow(batch, 1) }),
  },
  "value-changed": {
    spoilsRows: ({ columns, ...batch }) => ({
      ...batch,
      columns: columns.map(({ column, values }) => ({
        column,
        values: Array.from(values, (value) => value && value + 1n),
      })),
    }),
  },
  "places-added": { widens: 3 },
  "ledger-forgotten": { skipsLedger: (batches) => batches.some(({ meterKey }) => meterKey === 2) },
  "meter-neglected": { neglects: (meterKey) => meterKey === 1 },
} as const satisfies Record<string, Defect>;

export type DefectName = keyof typeof DEFECTS;

/** The row is left out of what is kept, and nobody is told. */
function withoutRow(batch: ProfileBatch, dropped: number): Partial<ProfileBatch> {
  const rest = <T>(values: readonly T[]) => values.filter((_, row) => row !== dropped);
  return {
    rowCount: batch.rowCount - 1,
    instantsMs: rest(batch.instantsMs),
    timeRules: rest(batch.timeRules),
    meterTimes: batch.meterTimes && MeterTimes.of(rest(batch.meterTimes.toArray())),
    columns: batch.columns.map(({ column, values }) => ({ column, values: rest(Array.from(values)) })),
    others: batch.others.map((other) => ({ ...other, values: rest(other.values) })),
  };
}
