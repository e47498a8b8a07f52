import type { ActionOutcome } from "../../../protocol/apdu/action.ts";
import type { DataResult, SelectiveAccess } from "../../../protocol/apdu/descriptors.ts";
import type { ActionResult, DataAccessResult } from "../../../protocol/apdu/result-codes.ts";
import type { AssociationView } from "../../../protocol/association/server/object-server.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import type { Moment } from "../meter-model.ts";

/** One request on its way to an object. */
export interface ObjectRequest {
  readonly association: AssociationView;
  readonly moment: Moment;
}

/** An object of a virtual meter. Rights have been checked by whoever calls. */
export interface VirtualObject {
  readonly classId: number;
  readonly version: number;
  /** Dotted. */
  readonly logicalName: string;
  /** Without 1, the logical name. */
  readonly attributeIds: readonly number[];
  readonly writableIds: readonly number[];
  readonly methodIds: readonly number[];
  /** The whole attribute at a moment: a column of a profile, or of a push. */
  value(attributeId: number, moment: Moment): Data | undefined;
  read(attributeId: number, access: SelectiveAccess | undefined, request: ObjectRequest): DataResult;
  write(attributeId: number, value: Data, request: ObjectRequest): DataAccessResult;
  invoke(methodId: number, parameters: Data | undefined, request: ObjectRequest): ActionOutcome;
}

export function found(data: Data): DataResult {
  return { type: "data", data };
}

export function refused(dataAccessResult: DataAccessResult): DataResult {
  return { type: "data-access-result", dataAccessResult };
}

export function outcome(result: ActionResult): ActionOutcome {
  return { result };
}
