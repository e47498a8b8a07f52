import type { ActionOutcome } from "../../../protocol/apdu/action.ts";
import type { DataResult } from "../../../protocol/apdu/descriptors.ts";
import type { DataAccessResult } from "../../../protocol/apdu/result-codes.ts";
import type { AssociationView } from "../../../protocol/association/server/object-server.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import { conformanceToNumber } from "../../../protocol/ber/conformance.ts";
import { APPLICATION_CONTEXT_NAMES, MECHANISM_NAMES } from "../../../protocol/ber/names.ts";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { logicalNameToOctets } from "../../../protocol/cosem/obis.ts";
import type { AssociationDescription } from "../description.ts";
import type { MeterSecurity } from "../meter-security.ts";
import { found, type ObjectRequest, outcome, refused, type VirtualObject } from "./virtual-object.ts";

export const CURRENT_ASSOCIATION = "0.0.40.0.0.255";
const CHANGE_HLS_SECRET = 2;
const SECRET = 7;
const NO_SECURITY_SETUP = "0.0.43.0.0.255";

export interface AssociationObjectOptions {
  readonly logicalName: string;
  readonly version: number;
  /** The association that this object is of; absent for the current one, which is that of whoever asks. */
  readonly description?: AssociationDescription;
  readonly security: MeterSecurity;
  /** The object list that an association sees. */
  readonly objectList: (association: AssociationView) => Data;
}

/** Association LN: what a client and the meter have agreed on, and which objects the client sees. */
export class AssociationObject implements VirtualObject {
  readonly classId = 15;
  readonly version: number;
  readonly logicalName: string;
  readonly attributeIds: readonly number[];
  readonly writableIds = [SECRET];
  readonly methodIds = [1, CHANGE_HLS_SECRET];
  readonly #options: AssociationObjectOptions;

  constructor(options: AssociationObjectOptions) {
    this.#options = options;
    this.version = options.version;
    this.logicalName = options.logicalName;
    this.attributeIds = options.version === 0 ? [2, 3, 4, 5, 6, 7, 8] : [2, 3, 4, 5, 6, 7, 8, 9];
  }

  /** An association means nothing without one who asks. */
  value(): undefined {
    return undefined;
  }

  read(attributeId: number, access: unknown, { association }: ObjectRequest): DataResult {
    if (access !== undefined) return refused("scope-of-access-violated");
    const description = this.#descriptionFor(association);
    if (description === undefined) return refused("object-unavailable");
    switch (attributeId) {
      case 2:
        return found(this.#options.objectList(association));
      case 3:
        return found(partners(description.clientSap, association.serverSap));
      case 4:
        return found(identifier(APPLICATION_CONTEXT_NAMES[contextOf(description)]));
      case 5:
        return found(contextInfo(association));
      case 6:
        return found(identifier(MECHANISM_NAMES[description.mechanism]));
      case SECRET:
        return refused("read-write-denied");
      case 8:
        return found({ type: "enum", value: this.#statusFor(description, association) });
      case 9:
        return this.version === 0 ? refused("object-undefined") : found(name(description.securitySetup));
      default:
        return refused("object-undefined");
    }
  }

  write(attributeId: number, value: Data, request: ObjectRequest): DataAccessResult {
    if (attributeId !== SECRET) return "read-write-denied";
    if (value.type !== "octet-string") return "type-unmatched";
    return this.#changeSecret(value.value, request) ? "success" : "read-write-denied";
  }

  invoke(methodId: number, parameters: Data | undefined, request: ObjectRequest): ActionOutcome {
    if (methodId !== CHANGE_HLS_SECRET) return outcome("read-write-denied");
    if (parameters?.type !== "octet-string") return outcome("type-unmatched");
    return outcome(this.#changeSecret(parameters.value, request) ? "success" : "read-write-denied");
  }

  #changeSecret(octets: Uint8Array, { association }: ObjectRequest): boolean {
    const clientSap = this.#descriptionFor(association)?.clientSap;
    return clientSap !== undefined && this.#options.security.changeSecret(clientSap, octets);
  }

  #descriptionFor(association: AssociationView): AssociationDescription | undefined {
    const { description, security } = this.#options;
    return description ?? security.associations.find(({ clientSap }) => clientSap === association.clientSap);
  }

  #statusFor(description: AssociationDescription, association: AssociationView): number {
    if (description.clientSap !== association.clientSap) return 0;
    return association.pending ? 1 : 2;
  }
}

function contextOf({ protection }: AssociationDescription): "logical-name" | "logical-name-with-ciphering" {
  return protection === undefined ? "logical-name" : "logical-name-with-ciphering";
}

function partners(clientSap: number, serverSap: number): Data {
  return {
    type: "structure",
    value: [
      { type: "integer", value: clientSap },
      { type: "long-unsigned", value: serverSap },
    ],
  };
}

/** 2.16.756.5.8 and the two arcs of a name, as a structure of seven numbers. */
function identifier(arcs: string): Data {
  const [kind = 0, id = 0] = fromHex(arcs);
  const numbers: Data[] = [
    { type: "unsigned", value: 2 },
    { type: "unsigned", value: 16 },
    { type: "long-unsigned", value: 756 },
    { type: "unsigned", value: 5 },
    { type: "unsigned", value: 8 },
    { type: "unsigned", value: kind },
    { type: "unsigned", value: id },
  ];
  return { type: "structure", value: numbers };
}

function contextInfo({ conformance, maxReceivePduSize, maxSendPduSize }: AssociationView): Data {
  const bits = conformanceToNumber(conformance);
  return {
    type: "structure",
    value: [
      { type: "bit-string", bitCount: 24, value: Uint8Array.of(bits >> 16, (bits >> 8) & 0xff, bits & 0xff) },
      { type: "long-unsigned", value: maxReceivePduSize },
      { type: "long-unsigned", value: maxSendPduSize },
      { type: "unsigned", value: 6 },
      { type: "integer", value: 0 },
      { type: "octet-string", value: new Uint8Array(0) },
    ],
  };
}

function name(logicalName: string | undefined): Data {
  return { type: "octet-string", value: logicalNameToOctets(logicalName ?? NO_SECURITY_SETUP) };
}
