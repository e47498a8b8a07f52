/** From the configuration of an association and its secrets to the settings of the client machine. */
import { randomInt } from "node:crypto";
import type { ClientAuthentication, ClientSettings } from "../../protocol/association/client-settings.ts";
import { fromHex } from "../../protocol/bytes/hex.ts";
import { ApduProtection } from "../../protocol/security/apdu-protection.ts";
import { SecretKey } from "../../protocol/security/secret-key.ts";
import { systemTitle } from "../../protocol/security/system-title.ts";
import type { AssociationConfig } from "../config/schema.ts";
import type { MeterSecrets } from "./meter-secrets.ts";

/** The names of the configuration are those of the field; the machine's are the standard's. */
const MECHANISMS = {
  "hls-2": "hls",
  "hls-3": "hls-md5",
  "hls-4": "hls-sha1",
  "hls-5": "hls-gmac",
  "hls-6": "hls-sha256",
  "hls-7": "hls-ecdsa",
} as const;

const REFERENCING = { ln: "logical-name", sn: "short-name" } as const;
const CHALLENGE_LENGTH = 16;
/** Some meters take printable challenges only. */
const FIRST_PRINTABLE = 0x21;
const AFTER_LAST_PRINTABLE = 0x7f;
const DEDICATED_KEY_LENGTHS = { 0: 16, 1: 16, 2: 32 } as const;

export interface AssociationContext {
  readonly association: AssociationConfig;
  readonly secrets: MeterSecrets;
  readonly responseTimeoutMs: number;
  /** Gives each counter once; asked only where the association is ciphered or authenticates by GMAC. */
  readonly nextInvocationCounter: () => number;
}

/** Throws an Error that names what the configuration lacks for its mechanism. */
export function associationSettings(context: AssociationContext): ClientSettings {
  const { association, responseTimeoutMs } = context;
  const { security } = association;
  const protection = protectionOf(context);
  return {
    authentication: authenticationOf(context),
    referencing: REFERENCING[association.referencing],
    challenge: printableChallenge,
    maxReceivePduSize: association.maxReceivePduSize,
    responseTimeoutMs,
    ...(protection === undefined ? {} : { protection }),
    ...(security === undefined || security.protection === "none"
      ? {}
      : {
          ciphering: {
            request: security.protection,
            form: security.general ? ("general" as const) : ("service-specific" as const),
            ...(security.dedicatedKey ? { dedicatedKey: () => randomDedicatedKey(security.suite) } : {}),
          },
        }),
  };
}

/** The public client: no authentication, no ciphering. */
export function publicClientSettings(
  { referencing }: Pick<AssociationConfig, "referencing">,
  responseTimeoutMs: number,
): ClientSettings {
  return {
    authentication: { mechanism: "lowest" },
    referencing: REFERENCING[referencing],
    challenge: printableChallenge,
    responseTimeoutMs,
  };
}

function authenticationOf({ association, secrets }: AssociationContext): ClientAuthentication {
  const { mechanism } = association;
  if (mechanism === "none") return { mechanism: "lowest" };
  if (mechanism === "lls") return { mechanism: "lls", password: required(secrets.secret, mechanism, "secret") };
  const name = MECHANISMS[mechanism];
  if (name === "hls-gmac" || name === "hls-ecdsa") {
    required(association.security, mechanism, "security");
    return { mechanism: name };
  }
  return { mechanism: name, secret: required(secrets.secret, mechanism, "secret") };
}

function protectionOf({ association, secrets, nextInvocationCounter }: AssociationContext): ApduProtection | undefined {
  const { security } = association;
  if (security === undefined) return undefined;
  const { blockCipherKey, authenticationKey } = secrets;
  return new ApduProtection({
    suite: security.suite,
    ownSystemTitle: systemTitle(fromHex(security.clientSystemTitle)),
    ...(security.serverSystemTitle === undefined
      ? {}
      : { peerSystemTitle: systemTitle(fromHex(security.serverSystemTitle)) }),
    keys: {
      ...(blockCipherKey === undefined ? {} : { blockCipherKey }),
      ...(authenticationKey === undefined ? {} : { authenticationKey }),
    },
    nextInvocationCounter,
    ...(security.protection === "none"
      ? {}
      : { minimum: { sent: security.protection, received: security.protection } }),
  });
}

function required<T>(value: T | undefined, mechanism: string, field: string): T {
  if (value === undefined) throw new Error(`mechanism ${mechanism} needs association.${field} in the configuration`);
  return value;
}

function printableChallenge(): Uint8Array {
  return Uint8Array.from({ length: CHALLENGE_LENGTH }, () => randomInt(FIRST_PRINTABLE, AFTER_LAST_PRINTABLE));
}

function randomDedicatedKey(suite: 0 | 1 | 2): SecretKey<"dedicatedKey"> {
  const octets = Uint8Array.from({ length: DEDICATED_KEY_LENGTHS[suite] }, () => randomInt(256));
  return new SecretKey("dedicatedKey", octets);
}
