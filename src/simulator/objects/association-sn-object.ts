import type { ActionOutcome } from "../../../protocol/apdu/action.ts";
import type { DataResult } from "../../../protocol/apdu/descriptors.ts";
import type { DataAccessResult } from "../../../protocol/apdu/result-codes.ts";
import type { AssociationView } from "../../../protocol/association/server/object-server.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import type { MeterSecurity } from "../meter-security.ts";
import { CURRENT_ASSOCIATION } from "./association-object.ts";
import { found, type ObjectRequest, outcome, refused, type VirtualObject } from "./virtual-object.ts";

const CHANGE_SECRET = 5;
const REPLY_TO_HLS = 8;
const OBJECT_LIST = 2;
const ACCESS_RIGHTS_LIST = 3;

export interface AssociationSnObjectOptions {
  readonly security: MeterSecurity;
  /** What an association sees: the object list and the access rights list. */
  readonly objectList: (association: AssociationView) => Data;
  readonly accessRights: (association: AssociationView) => Data;
}

/** Association SN: the objects that a client sees, with their base names. */
export class AssociationSnObject implements VirtualObject {
  readonly classId = 12;
  readonly version = 1;
  readonly logicalName = CURRENT_ASSOCIATION;
  readonly attributeIds = [OBJECT_LIST, ACCESS_RIGHTS_LIST];
  readonly writableIds = [];
  readonly methodIds = [CHANGE_SECRET, REPLY_TO_HLS];
  readonly #options: AssociationSnObjectOptions;

  constructor(options: AssociationSnObjectOptions) {
    this.#options = options;
  }

  /** An association means nothing without one who asks. */
  value(): undefined {
    return undefined;
  }

  read(attributeId: number, access: unknown, { association }: ObjectRequest): DataResult {
    if (access !== undefined) return refused("scope-of-access-violated");
    if (attributeId === OBJECT_LIST) return found(this.#options.objectList(association));
    if (attributeId === ACCESS_RIGHTS_LIST) return found(this.#options.accessRights(association));
    return refused("object-undefined");
  }

  write(): DataAccessResult {
    return "read-write-denied";
  }

  invoke(methodId: number, parameters: Data | undefined, { association }: ObjectRequest): ActionOutcome {
    if (methodId !== CHANGE_SECRET) return outcome("read-write-denied");
    if (parameters?.type !== "octet-string") return outcome("type-unmatched");
    const changed = this.#options.security.changeSecret(association.clientSap, parameters.value);
    return outcome(changed ? "success" : "read-write-denied");
  }
}
