/**
 * High-level security: what each side replies to the other's challenge, and how the reply is verified (IEC 62056-5-3,
 * authentication mechanisms). Every formula is written from the replier's side, so client and server share it.
 */
import { createCipheriv, createHash } from "node:crypto";
import { joinOctets } from "../bytes/octets.ts";
import { DlmsError } from "../errors.ts";
import type { ApduProtection } from "./apdu-protection.ts";
import { checkChallenges, sameSecrets } from "./challenge.ts";
import type { EllipticPrivateKey, EllipticPublicKey } from "./elliptic-key.ts";
import type { HlsSecret } from "./secret-key.ts";
import { signatureFits, signOctets } from "./signature.ts";
import type { SystemTitle } from "./system-title.ts";

/** The authentication mechanisms and their ids, the last arc of the mechanism name. */
export const AUTHENTICATION_MECHANISMS = {
  // What the standard calls lowest level security.
  none: 0,
  lls: 1,
  hls: 2,
  "hls-md5": 3,
  "hls-sha1": 4,
  "hls-gmac": 5,
  "hls-sha256": 6,
  "hls-ecdsa": 7,
} as const;

export type AuthenticationMechanism = keyof typeof AUTHENTICATION_MECHANISMS;

/** How mechanism 2 fills octets up to AES blocks: `zero` pads secret and challenge with 00, `none` refuses odd lengths. */
export type EcbPadding = "zero" | "none";

/** What a maker computes from a challenge and the secret. */
export type HlsFormula = (challenge: Uint8Array, secret: HlsSecret) => Uint8Array;

/** One side's view. What the mechanism does not use may be missing. */
export interface HlsInputs {
  readonly ownChallenge: Uint8Array;
  readonly peerChallenge: Uint8Array;
  /** Mechanisms 2, 3, 4, 6. */
  readonly secret?: HlsSecret;
  /** Mechanisms 6 and 7. */
  readonly ownSystemTitle?: SystemTitle;
  readonly peerSystemTitle?: SystemTitle;
  /** Mechanism 5: keys, titles and counters, also where APDUs are not ciphered. */
  readonly protection?: ApduProtection;
  /** Mechanism 2. */
  readonly ecbPadding?: EcbPadding;
  /** Mechanism 2 of makers with a formula of their own, in place of AES-ECB. */
  readonly formula?: HlsFormula;
  /** Mechanism 7: ours to reply, the peer's to verify. */
  readonly ownSigningKey?: EllipticPrivateKey;
  readonly peerSigningKey?: EllipticPublicKey;
}

/** A challenge with the replier's and the verifier's side of everything. */
interface Exchange {
  readonly challenge: Uint8Array;
  readonly otherChallenge: Uint8Array;
  readonly replierTitle: SystemTitle | undefined;
  readonly verifierTitle: SystemTitle | undefined;
}

/** f(peer's challenge): what we send in pass 3 (client) or return in pass 4 (server). */
export function hlsReply(mechanism: AuthenticationMechanism, inputs: HlsInputs): Uint8Array {
  checkChallenges(inputs.ownChallenge, inputs.peerChallenge, mechanism === "hls-ecdsa");
  if (mechanism === "hls-gmac") return need(inputs.protection, "protection").signChallenge(inputs.peerChallenge);
  const exchange = {
    challenge: inputs.peerChallenge,
    otherChallenge: inputs.ownChallenge,
    replierTitle: inputs.ownSystemTitle,
    verifierTitle: inputs.peerSystemTitle,
  };
  if (mechanism === "hls-ecdsa") return signOctets(need(inputs.ownSigningKey, "ownSigningKey"), signedOctets(exchange));
  return computed(mechanism, inputs, exchange);
}

/** Throws HLS_REPLY_MISMATCH unless `reply` is f(our challenge) as the peer must compute it. */
export function hlsVerify(mechanism: AuthenticationMechanism, reply: Uint8Array, inputs: HlsInputs): void {
  checkChallenges(inputs.ownChallenge, inputs.peerChallenge, mechanism === "hls-ecdsa");
  if (mechanism === "hls-gmac") {
    need(inputs.protection, "protection").verifyChallenge(inputs.ownChallenge, reply);
    return;
  }
  const exchange = {
    challenge: inputs.ownChallenge,
    otherChallenge: inputs.peerChallenge,
    replierTitle: inputs.peerSystemTitle,
    verifierTitle: inputs.ownSystemTitle,
  };
  const fits =
    mechanism === "hls-ecdsa"
      ? signatureFits(need(inputs.peerSigningKey, "peerSigningKey"), signedOctets(exchange), reply)
      : sameSecrets(computed(mechanism, inputs, exchange), reply);
  if (!fits) throw new DlmsError("HLS_REPLY_MISMATCH", "peer", { mechanism });
}

function computed(mechanism: AuthenticationMechanism, inputs: HlsInputs, exchange: Exchange): Uint8Array {
  const { challenge, otherChallenge } = exchange;
  switch (mechanism) {
    case "hls":
      return inputs.formula === undefined
        ? ecb(need(inputs.secret, "secret"), challenge, inputs.ecbPadding ?? "zero")
        : inputs.formula(challenge, need(inputs.secret, "secret"));
    case "hls-md5":
      return digest("md5", [challenge, need(inputs.secret, "secret").reveal()]);
    case "hls-sha1":
      return digest("sha1", [challenge, need(inputs.secret, "secret").reveal()]);
    case "hls-sha256":
      return digest("sha256", [
        need(inputs.secret, "secret").reveal(),
        need(exchange.replierTitle, "replier's system title"),
        need(exchange.verifierTitle, "verifier's system title"),
        challenge,
        otherChallenge,
      ]);
    default:
      throw new DlmsError("HLS_NO_CHALLENGE", "caller", { mechanism });
  }
}

/** What mechanism 7 signs: replier's title ‖ verifier's title ‖ challenge ‖ the other challenge. */
function signedOctets(exchange: Exchange): Uint8Array {
  return joinOctets([
    need(exchange.replierTitle, "replier's system title"),
    need(exchange.verifierTitle, "verifier's system title"),
    exchange.challenge,
    exchange.otherChallenge,
  ]);
}

function digest(hash: "md5" | "sha1" | "sha256", parts: readonly Uint8Array[]): Uint8Array {
  const state = createHash(hash);
  for (const part of parts) state.update(part);
  return new Uint8Array(state.digest());
}

const ECB_BLOCK = 16;

function ecb(secret: HlsSecret, challenge: Uint8Array, padding: EcbPadding): Uint8Array {
  if (secret.length > ECB_BLOCK || (padding === "none" && secret.length !== ECB_BLOCK))
    throw new DlmsError("SECURITY_KEY_LENGTH", "caller", {
      key: "hlsSecret",
      length: secret.length,
      wanted: ECB_BLOCK,
    });
  const key = new Uint8Array(ECB_BLOCK);
  secret.copyInto(key, 0);
  const blocks = new Uint8Array(Math.ceil(challenge.length / ECB_BLOCK) * ECB_BLOCK);
  if (padding === "none" && blocks.length !== challenge.length)
    throw new DlmsError("HLS_CHALLENGE_LENGTH", "peer", { length: challenge.length, multipleOf: ECB_BLOCK });
  blocks.set(challenge);
  const cipher = createCipheriv("aes-128-ecb", key, null).setAutoPadding(false);
  return new Uint8Array(cipher.update(blocks));
}

function need<T>(value: T | undefined, input: string): T {
  if (value === undefined) throw new DlmsError("HLS_INPUT_MISSING", "caller", { input });
  return value;
}
