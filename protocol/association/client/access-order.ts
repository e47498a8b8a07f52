import type { ActionOutcome } from "../../apdu/action.ts";
import type { AttributeReference, DataResult, MethodDescriptor } from "../../apdu/descriptors.ts";
import type { DataAccessResult } from "../../apdu/result-codes.ts";
import type { Data } from "../../axdr/data.ts";

/** One thing that an ACCESS request wants done. */
export type AccessItem =
  | ({ readonly type: "get" } & AttributeReference)
  | ({ readonly type: "set"; readonly value: Data } & AttributeReference)
  | { readonly type: "action"; readonly method: MethodDescriptor; readonly parameters?: Data | undefined };

/** What came of it, in the same order. */
export type AccessOutcome =
  | { readonly type: "get"; readonly result: DataResult }
  | { readonly type: "set"; readonly result: DataAccessResult }
  | { readonly type: "action"; readonly outcome: ActionOutcome };

export interface AccessOrder {
  readonly items: readonly AccessItem[];
  /** Leave the rest undone after the first failure. */
  readonly breakOnError?: boolean;
}
