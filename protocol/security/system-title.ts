import { toHex } from "../bytes/hex.ts";
import { DlmsError, type Fault } from "../errors.ts";

const LENGTH = 8;

declare const brand: unique symbol;
/** Eight octets that name a client or server; half of every initialisation vector. */
export type SystemTitle = Uint8Array & { readonly [brand]: "systemTitle" };

export function isSystemTitle(octets: Uint8Array): octets is SystemTitle {
  return octets.length === LENGTH;
}

/** A copy of eight octets as a system title; `fault` says whose octets they are. Throws SECURITY_TITLE_INVALID. */
export function systemTitle(octets: Uint8Array, fault: Fault = "caller"): SystemTitle {
  const title = new Uint8Array(octets);
  if (!isSystemTitle(title)) throw new DlmsError("SECURITY_TITLE_INVALID", fault, { length: octets.length });
  return title;
}

export function sameTitle(a: SystemTitle, b: SystemTitle): boolean {
  for (let i = 0; i < LENGTH; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Sixteen upper-case digits, as certificates and meter name plates have it. */
export function titleText(title: SystemTitle): string {
  return toHex(title).toUpperCase();
}
