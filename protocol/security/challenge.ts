import { timingSafeEqual } from "node:crypto";
import { DlmsError } from "../errors.ts";
import type { HlsSecret } from "./secret-key.ts";

const LENGTHS = { min: 8, max: 64 } as const;
const ECDSA_LENGTHS = { min: 32, max: 64 } as const;

/** Throws unless both challenges have a legal length and differ. `own` was sent by us, `peer` came from the peer. */
export function checkChallenges(own: Uint8Array, peer: Uint8Array, ecdsa: boolean): void {
  const { min, max } = ecdsa ? ECDSA_LENGTHS : LENGTHS;
  if (own.length < min || own.length > max)
    throw new DlmsError("HLS_CHALLENGE_LENGTH", "caller", { length: own.length, min, max });
  if (peer.length < min || peer.length > max)
    throw new DlmsError("HLS_CHALLENGE_LENGTH", "peer", { length: peer.length, min, max });
  if (sameSecrets(own, peer)) throw new DlmsError("HLS_CHALLENGE_ECHOED", "peer");
}

/** Compares in a time that depends on the lengths only. */
export function sameSecrets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Whether a password that came in an AARQ (LLS) is the expected one. */
export function passwordMatches(expected: HlsSecret, received: Uint8Array): boolean {
  return sameSecrets(expected.reveal(), received);
}
