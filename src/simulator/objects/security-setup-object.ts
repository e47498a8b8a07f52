import type { ActionOutcome } from "../../../protocol/apdu/action.ts";
import type { DataResult, SelectiveAccess } from "../../../protocol/apdu/descriptors.ts";
import type { DataAccessResult } from "../../../protocol/apdu/result-codes.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import type { SecuritySetupServer } from "../../../protocol/security/security-setup-server.ts";
import type { Moment } from "../meter-model.ts";
import type { DescribedObject } from "./described-object.ts";
import { found, type ObjectRequest, type VirtualObject } from "./virtual-object.ts";

const POLICY = 2;
const CERTIFICATES = 6;
const METHODS_OF_VERSION = [
  [1, 2],
  [1, 2, 3, 4, 5, 6, 7, 8],
];

/** Security setup: policy, suite and titles as described, certificates and methods as the meter keeps them. */
export class SecuritySetupObject implements VirtualObject {
  readonly classId: number;
  readonly version: number;
  readonly logicalName: string;
  readonly attributeIds: readonly number[];
  readonly writableIds: readonly number[];
  readonly methodIds: readonly number[];
  readonly #described: DescribedObject;
  readonly #setup: SecuritySetupServer;
  readonly #policy: () => number | undefined;

  /** `policy` is the one that has been activated, if any. */
  constructor(described: DescribedObject, setup: SecuritySetupServer, policy: () => number | undefined) {
    this.classId = described.classId;
    this.version = described.version;
    this.logicalName = described.logicalName;
    const { attributeIds } = described;
    this.attributeIds =
      described.version === 0 ? attributeIds : [...attributeIds.filter((id) => id !== CERTIFICATES), CERTIFICATES];
    this.writableIds = described.writableIds;
    this.methodIds = METHODS_OF_VERSION[Math.min(described.version, METHODS_OF_VERSION.length - 1)] ?? [];
    this.#described = described;
    this.#setup = setup;
    this.#policy = policy;
  }

  value(attributeId: number, moment: Moment): Data | undefined {
    return this.#kept(attributeId) ?? this.#described.value(attributeId, moment);
  }

  read(attributeId: number, access: SelectiveAccess | undefined, request: ObjectRequest): DataResult {
    const kept = access === undefined ? this.#kept(attributeId) : undefined;
    return kept === undefined ? this.#described.read(attributeId, access, request) : found(kept);
  }

  #kept(attributeId: number): Data | undefined {
    if (attributeId === CERTIFICATES) return this.#setup.certificates;
    const policy = attributeId === POLICY ? this.#policy() : undefined;
    return policy === undefined ? undefined : { type: "enum", value: policy };
  }

  write(attributeId: number, value: Data, request: ObjectRequest): DataAccessResult {
    return this.#described.write(attributeId, value, request);
  }

  invoke(methodId: number, parameters: Data | undefined, { association, moment }: ObjectRequest): ActionOutcome {
    const { clientSystemTitle } = association;
    return this.#setup.invoke(methodId, parameters, { clientSystemTitle, nowMs: moment.atMs });
  }
}
