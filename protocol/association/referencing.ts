/** The two ways in which a client names what it wants (IEC 62056-5-3): what differs between them, as a table. */
import { VAA_NAME_LN, VAA_NAME_SN } from "../apdu/initiate.ts";
import type { ApduName } from "../apdu/registry.ts";
import type { Conformance, ConformanceBit } from "../ber/conformance.ts";
import type { ApplicationContextName } from "../ber/names.ts";

export type Referencing = "logical-name" | "short-name";

interface ReferencingFacts {
  readonly plainContext: ApplicationContextName;
  readonly cipheredContext: ApplicationContextName;
  readonly vaaName: number;
  /** Everything that a client of ours uses here. */
  readonly conformance: Conformance;
  /** Which APDUs may answer the client's reply to the server's challenge. */
  readonly hlsAnswers: readonly ApduName[];
  /** Whether answers carry the invoke-id of their request: where they don't, a late one can't be told from the next. */
  readonly invokeIds: boolean;
}

export const REFERENCING: Readonly<Record<Referencing, ReferencingFacts>> = {
  "logical-name": {
    plainContext: "logical-name",
    cipheredContext: "logical-name-with-ciphering",
    vaaName: VAA_NAME_LN,
    conformance: new Set<ConformanceBit>([
      "block-transfer-with-get-or-read",
      "block-transfer-with-set-or-write",
      "block-transfer-with-action",
      "multiple-references",
      "get",
      "set",
      "selective-access",
      "event-notification",
      "action",
    ]),
    hlsAnswers: ["action-response"],
    invokeIds: true,
  },
  "short-name": {
    plainContext: "short-name",
    cipheredContext: "short-name-with-ciphering",
    vaaName: VAA_NAME_SN,
    conformance: new Set<ConformanceBit>([
      "read",
      "write",
      "unconfirmed-write",
      "block-transfer-with-get-or-read",
      "block-transfer-with-set-or-write",
      "multiple-references",
      "information-report",
      "parameterized-access",
    ]),
    hlsAnswers: ["read-response", "write-response"],
    invokeIds: false,
  },
};

/** How a context names things; undefined for one that is not of the table. */
export function referencingOf(context: ApplicationContextName): Referencing | undefined {
  for (const referencing of ["logical-name", "short-name"] as const) {
    const { plainContext, cipheredContext } = REFERENCING[referencing];
    if (context === plainContext || context === cipheredContext) return referencing;
  }
  return undefined;
}

export function isCipheredContext(context: ApplicationContextName): boolean {
  const referencing = referencingOf(context);
  return referencing !== undefined && context === REFERENCING[referencing].cipheredContext;
}
