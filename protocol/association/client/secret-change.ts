/** How the password or HLS secret of an association is changed; meters differ, so that each way is a name. */
import type { Data } from "../../axdr/data.ts";
import { wrapKey } from "../../security/key-wrap.ts";
import type { HlsSecret, MasterKey } from "../../security/secret-key.ts";
import { ASSOCIATION_LN } from "../authentication.ts";
import type { ServiceOrder } from "./client-events.ts";

const SECRET = 7;
const CHANGE_HLS_SECRET = 2;

/** By writing attribute 7 (passwords, and with some meters secrets) or by the method for secrets. */
export const SECRET_CHANGE_WAYS = ["attribute", "method"] as const;

export interface SecretChange {
  /** Six octets; 0.0.40.0.0.255 is the association in use. */
  readonly logicalName: Uint8Array;
  readonly way: (typeof SECRET_CHANGE_WAYS)[number];
  readonly secret: HlsSecret;
  /** Present: the secret travels wrapped under the master key; it must have 16 or 32 octets. */
  readonly masterKey?: MasterKey;
}

/** The order that gives a meter a new secret. It holds in the next association. */
export function secretChangeOrder({ logicalName, way, secret, masterKey }: SecretChange): ServiceOrder {
  const octets = masterKey === undefined ? secret.reveal() : wrapKey(masterKey, secret);
  const value: Data = { type: "octet-string", value: octets };
  if (way === "method") {
    const method = { classId: ASSOCIATION_LN, logicalName, methodId: CHANGE_HLS_SECRET };
    return { type: "action", method, parameters: value };
  }
  return { type: "set", attribute: { classId: ASSOCIATION_LN, logicalName, attributeId: SECRET }, value };
}
