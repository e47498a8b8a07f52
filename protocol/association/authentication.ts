/** What both sides know of authentication: which mechanisms want what, and the method that takes the client's reply. */
import type { AuthenticationValue } from "../ber/association.ts";
import type { AuthenticationMechanism } from "../security/hls.ts";

/** Association LN in use, whatever its own name is. */
export const CURRENT_ASSOCIATION = Uint8Array.of(0, 0, 40, 0, 0, 255);
export const ASSOCIATION_LN = 15;
/** reply_to_HLS_authentication, method 1 of Association LN. */
export const REPLY_TO_HLS = 1;
/** The same method of Association SN, which has the base name FA00. */
export const REPLY_TO_HLS_NAME = 0xfa58;

/** Mechanisms whose formulas or initialisation vectors hold system titles. */
const TITLE_MECHANISMS: ReadonlySet<AuthenticationMechanism> = new Set(["hls-gmac", "hls-sha256", "hls-ecdsa"]);

export function holdsTitles(mechanism: AuthenticationMechanism): boolean {
  return TITLE_MECHANISMS.has(mechanism);
}

/** Whether both sides exchange challenges. */
export function isHls(mechanism: AuthenticationMechanism): boolean {
  return mechanism !== "none" && mechanism !== "lls";
}

/** Password or challenge, in either form. */
export function authenticationOctets(value: AuthenticationValue | undefined): Uint8Array | undefined {
  return value?.type === "bitstring" ? value.value.octets : value?.value;
}
