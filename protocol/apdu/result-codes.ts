/** Result codes that a server answers with (IEC 62056-5-3). They are values of the protocol, not faults of it. */
import { enumerated, type NameIn } from "../axdr/codec.ts";

export const DATA_ACCESS_RESULTS = {
  success: 0,
  "hardware-fault": 1,
  "temporary-failure": 2,
  "read-write-denied": 3,
  "object-undefined": 4,
  "object-class-inconsistent": 9,
  "object-unavailable": 11,
  "type-unmatched": 12,
  "scope-of-access-violated": 13,
  "data-block-unavailable": 14,
  "long-get-aborted": 15,
  "no-long-get-in-progress": 16,
  "long-set-aborted": 17,
  "no-long-set-in-progress": 18,
  "data-block-number-invalid": 19,
  "other-reason": 250,
} as const;
/** A name of the table, or `unknown-<code>`. */
export type DataAccessResult = NameIn<typeof DATA_ACCESS_RESULTS>;
export const dataAccessResult = enumerated(DATA_ACCESS_RESULTS);

const ACTION_RESULTS = {
  success: 0,
  "hardware-fault": 1,
  "temporary-failure": 2,
  "read-write-denied": 3,
  "object-undefined": 4,
  "object-class-inconsistent": 9,
  "object-unavailable": 11,
  "type-unmatched": 12,
  "scope-of-access-violated": 13,
  "data-block-unavailable": 14,
  "long-action-aborted": 15,
  "no-long-action-in-progress": 16,
  "other-reason": 250,
} as const;
/** A name of the table, or `unknown-<code>`. */
export type ActionResult = NameIn<typeof ACTION_RESULTS>;
export const actionResult = enumerated(ACTION_RESULTS);

/** The same reason as the result of a method: with short names, methods are invoked by Read and Write. */
export function actionResultFor(result: DataAccessResult): ActionResult {
  return isIn(ACTION_RESULTS, result) ? result : "other-reason";
}

/** The same reason as the result of an attribute. */
export function dataAccessResultFor(result: ActionResult): DataAccessResult {
  return isIn(DATA_ACCESS_RESULTS, result) ? result : "other-reason";
}

function isIn<const T extends Readonly<Record<string, number>>>(table: T, name: string): name is NameIn<T> {
  return name in table || name.startsWith("unknown-");
}
