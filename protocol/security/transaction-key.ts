/** How a general-ciphering APDU says which key protects it, and how both sides come to that key. */
import type { KeyInfo } from "../apdu/ciphered.ts";
import { DlmsError } from "../errors.ts";
import { drawPrivateKey, type EllipticPrivateKey, type EllipticPublicKey } from "./elliptic-key.ts";
import type { GeneralHeader } from "./general-apdu.ts";
import {
  acceptEphemeralKey,
  deriveKey,
  type KdfIdentifier,
  offerEphemeralKey,
  sharedSecret,
  staticPartyUInfo,
} from "./key-agreement.ts";
import { unwrapKey, wrapKey } from "./key-wrap.ts";
import { type BlockCipherKey, type BroadcastKey, type MasterKey, requireSuiteLength, SecretKey } from "./secret-key.ts";
import { SECURITY_SUITES, type SecuritySuite } from "./suites.ts";
import type { SystemTitle } from "./system-title.ts";

/**
 * `unicast` and `broadcast` name a key that both sides hold; `wrapped` sends a new key under the master key; `one-pass`
 * agrees with an ephemeral key of the sender, C(1e,1s); `static` with the static keys and the transaction id, C(0e,2s).
 */
export const KEY_SCHEMES = {
  unicast: { freshKey: false, window: "global" },
  broadcast: { freshKey: false, window: "broadcast" },
  wrapped: { freshKey: true, window: undefined },
  "one-pass": { freshKey: true, window: undefined },
  static: { freshKey: false, window: undefined },
} as const;

export type KeyScheme = keyof typeof KEY_SCHEMES;

const ONE_PASS = 0x01;
const STATIC = 0x02;

/**
 * What the signature on the ephemeral key of C(1e,1s) covers: the key, as the sources mostly have it, or the octet of the
 * scheme before it, as one peer does it in the manner of C(2e,0s).
 */
export type EphemeralSignature = "key" | "scheme-and-key";

/** What the schemes need; each says what is missing when it is used. */
export interface TransactionKeys {
  readonly blockCipherKey?: BlockCipherKey;
  readonly broadcastKey?: BroadcastKey;
  readonly masterKey?: MasterKey;
  readonly ownAgreementKey?: EllipticPrivateKey;
  readonly peerAgreementKey?: EllipticPublicKey;
  readonly ownSigningKey?: EllipticPrivateKey;
  readonly peerSigningKey?: EllipticPublicKey;
}

export interface TransactionContext {
  readonly suite: SecuritySuite;
  readonly keys: TransactionKeys;
  readonly kdfIdentifier: KdfIdentifier;
  readonly ephemeralSignature: EphemeralSignature;
  /** For new keys: those that are wrapped and those that are ephemeral. */
  readonly randomOctets?: ((length: number) => Uint8Array) | undefined;
}

export interface TransactionKeyChoice {
  readonly scheme: KeyScheme;
  readonly key: SecretKey;
  readonly keyInfo: KeyInfo;
}

/** The key for an APDU that is to be sent, and what tells the peer of it. */
export function makeTransactionKey(
  scheme: KeyScheme,
  header: GeneralHeader,
  context: TransactionContext,
): TransactionKeyChoice {
  const { keys, suite } = context;
  switch (scheme) {
    case "unicast":
      return {
        scheme,
        key: need(keys.blockCipherKey, "blockCipherKey"),
        keyInfo: identified("global-unicast-encryption-key"),
      };
    case "broadcast":
      return {
        scheme,
        key: need(keys.broadcastKey, "broadcastKey"),
        keyInfo: identified("global-broadcast-encryption-key"),
      };
    case "wrapped": {
      const masterKey = need(keys.masterKey, "masterKey");
      const key = new SecretKey("transactionKey", draw(context)(SECURITY_SUITES[suite].keyLength));
      return {
        scheme,
        key,
        keyInfo: { type: "wrapped-key", kekId: "master-key", keyCipheredData: wrapKey(masterKey, key) },
      };
    }
    case "one-pass": {
      const peer = need(keys.peerAgreementKey, "peerAgreementKey");
      const signingKey = need(keys.ownSigningKey, "ownSigningKey");
      const ephemeral = drawPrivateKey(peer.curve, draw(context));
      const keyCipheredData = offerEphemeralKey(signingKey, ephemeral.publicKey, signedScheme(context));
      return {
        scheme,
        key: onePassKey(header, context, sharedSecret(ephemeral, peer)),
        keyInfo: agreed(ONE_PASS, keyCipheredData),
      };
    }
    case "static":
      return { scheme, key: staticKey(header, context), keyInfo: agreed(STATIC, new Uint8Array(0)) };
  }
}

/** The key of an APDU that came. Without key info it is the unicast key. */
export function findTransactionKey(
  keyInfo: KeyInfo | undefined,
  header: GeneralHeader,
  context: TransactionContext,
): { readonly scheme: KeyScheme; readonly key: SecretKey } {
  const { keys } = context;
  switch (keyInfo?.type) {
    case undefined:
      return { scheme: "unicast", key: need(keys.blockCipherKey, "blockCipherKey") };
    case "identified-key":
      return identifiedKey(keyInfo.keyId, keys);
    case "wrapped-key": {
      if (keyInfo.kekId !== "master-key") throw unsupported("kekId", keyInfo.kekId);
      const masterKey = need(keys.masterKey, "masterKey");
      const key = unwrapKey(masterKey, "transactionKey", keyInfo.keyCipheredData);
      requireSuiteLength(key, context.suite, "peer");
      return { scheme: "wrapped", key };
    }
    case "agreed-key":
      return agreedKey(keyInfo, header, context);
  }
}

function identifiedKey(keyId: string, keys: TransactionKeys): { readonly scheme: KeyScheme; readonly key: SecretKey } {
  if (keyId === "global-unicast-encryption-key")
    return { scheme: "unicast", key: need(keys.blockCipherKey, "blockCipherKey") };
  if (keyId === "global-broadcast-encryption-key")
    return { scheme: "broadcast", key: need(keys.broadcastKey, "broadcastKey") };
  throw unsupported("keyId", keyId);
}

function agreedKey(
  keyInfo: Extract<KeyInfo, { type: "agreed-key" }>,
  header: GeneralHeader,
  context: TransactionContext,
): { readonly scheme: KeyScheme; readonly key: SecretKey } {
  const [parameters] = keyInfo.keyParameters;
  if (keyInfo.keyParameters.length !== 1 || (parameters !== ONE_PASS && parameters !== STATIC))
    throw unsupported("keyParameters", parameters ?? "none");
  if (parameters === STATIC) return { scheme: "static", key: staticKey(header, context) };
  const own = need(context.keys.ownAgreementKey, "ownAgreementKey");
  const verificationKey = need(context.keys.peerSigningKey, "peerSigningKey");
  const ephemeral = acceptEphemeralKey(verificationKey, keyInfo.keyCipheredData, signedScheme(context));
  return { scheme: "one-pass", key: onePassKey(header, context, sharedSecret(own, ephemeral)) };
}

function signedScheme({ ephemeralSignature }: TransactionContext): number | undefined {
  return ephemeralSignature === "scheme-and-key" ? ONE_PASS : undefined;
}

/** Party U is whoever made the ephemeral key: the originator, so a response swaps the roles. */
function onePassKey(header: GeneralHeader, context: TransactionContext, z: Uint8Array): SecretKey {
  return deriveKey("transactionKey", z, {
    suite: context.suite,
    identifier: context.kdfIdentifier,
    partyUInfo: needTitle(header.originator, "originator"),
    partyVInfo: needTitle(header.recipient, "recipient"),
  });
}

function staticKey(header: GeneralHeader, context: TransactionContext): SecretKey {
  const own = need(context.keys.ownAgreementKey, "ownAgreementKey");
  const z = sharedSecret(own, need(context.keys.peerAgreementKey, "peerAgreementKey"));
  return deriveKey("transactionKey", z, {
    suite: context.suite,
    identifier: context.kdfIdentifier,
    partyUInfo: staticPartyUInfo(needTitle(header.originator, "originator"), header.transactionId),
    partyVInfo: needTitle(header.recipient, "recipient"),
  });
}

function identified(keyId: "global-unicast-encryption-key" | "global-broadcast-encryption-key"): KeyInfo {
  return { type: "identified-key", keyId };
}

function agreed(parameters: number, keyCipheredData: Uint8Array): KeyInfo {
  return { type: "agreed-key", keyParameters: Uint8Array.of(parameters), keyCipheredData };
}

function draw(context: TransactionContext): (length: number) => Uint8Array {
  return need(context.randomOctets, "randomOctets");
}

function need<T>(value: T | undefined, key: string): T {
  if (value === undefined) throw new DlmsError("SECURITY_KEY_MISSING", "caller", { key });
  return value;
}

function needTitle(title: SystemTitle | undefined, of: string): SystemTitle {
  if (title === undefined) throw new DlmsError("SECURITY_TITLE_UNKNOWN", "peer", { of });
  return title;
}

function unsupported(field: string, value: string | number): DlmsError {
  return new DlmsError("SECURITY_KEY_INFO_UNKNOWN", "peer", { [field]: value });
}
