/** Which associations a meter offers, read from its own Association LN objects: no secret is tried to find out. */
import type { Data } from "../../../protocol/axdr/data.ts";
import { associationLnV0 } from "../../../protocol/cosem/classes/associations.ts";
import { integerOf } from "../../../protocol/cosem/integers.ts";
import type { ObjectListElement } from "../../../protocol/cosem/object-list.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { attributeOf } from "../read/layout-reader.ts";
import type { AttributeSource } from "../session/attribute-source.ts";

/** One client that the meter knows, and what it wants from it. */
export interface Offer {
  readonly clientSap: number;
  readonly says: string;
  readonly referencing?: "sn";
  /** In the configuration's words; undefined where the meter does not tell. */
  readonly mechanism: string | undefined;
  readonly ciphered: boolean | undefined;
  /** What came of asking without authentication; undefined where it was not asked. */
  readonly outcome: string | undefined;
}

const ASSOCIATION_LN = 15;
const CURRENT = "0.0.40.0.0.255";
const PARTNERS = 3;
const CONTEXT = 4;
const MECHANISM = 6;

/** The last arc of the mechanism's object identifier. */
const MECHANISMS: readonly string[] = ["none", "lls", "hls-2", "hls-3", "hls-4", "hls-5", "hls-6", "hls-7"];
/** The last arc of the application context's object identifier. */
const CIPHERED_CONTEXTS: ReadonlySet<number> = new Set([3, 4]);

export async function associationOffers(
  source: AttributeSource,
  objects: readonly ObjectListElement[],
): Promise<readonly Offer[]> {
  const offers: Offer[] = [];
  for (const { classId, logicalName } of objects) {
    if (classId !== ASSOCIATION_LN || logicalName === CURRENT) continue;
    const [partners, context, mechanism] = await source.getList(
      [PARTNERS, CONTEXT, MECHANISM].map((attributeId) => attributeOf({ classId, logicalName, attributeId })),
    );
    const clientSap = partners?.type === "data" ? firstInteger(partners.data) : undefined;
    if (clientSap === undefined) continue;
    const arc = mechanism?.type === "data" ? lastArc(mechanism.data, "mechanism") : undefined;
    const contextArc = context?.type === "data" ? lastArc(context.data, "context") : undefined;
    offers.push({
      clientSap,
      says: logicalName,
      mechanism: arc === undefined ? undefined : MECHANISMS[arc],
      ciphered: contextArc === undefined ? undefined : CIPHERED_CONTEXTS.has(contextArc),
      outcome: undefined,
    });
  }
  return offers;
}

function firstInteger(data: Data): number | undefined {
  const [first] = data.type === "structure" || data.type === "array" ? data.value : [];
  return first && integerOf(first);
}

/** Object identifiers come as structures of their arcs, or as octets. */
function lastArc(data: Data, what: "context" | "mechanism"): number | undefined {
  const { applicationContextName, authenticationMechanismName } = associationLnV0.attributes;
  const type = what === "context" ? applicationContextName.type : authenticationMechanismName.type;
  try {
    return Number(type.parse(data).split(".").at(-1));
  } catch (error) {
    if (error instanceof DlmsError) return undefined;
    throw error;
  }
}
