import type { SecuritySuite } from "./suites.ts";

/** The ways in which an APDU may be protected by a symmetric key. */
export const PROTECTIONS = {
  authenticated: { authenticated: true, encrypted: false },
  encrypted: { authenticated: false, encrypted: true },
  "authenticated-encrypted": { authenticated: true, encrypted: true },
} as const;

export type Protection = keyof typeof PROTECTIONS;

const AUTHENTICATED = 0x10;
const ENCRYPTED = 0x20;
const BROADCAST = 0x40;
const COMPRESSED = 0x80;
const SUITE_MASK = 0x0f;

/** The security control octet: suite id in bits 0–3, authenticated, encrypted, key set, compression in bits 4–7. */
export interface SecurityControl {
  readonly octet: number;
  /** The suite id as sent; 3–15 are not assigned. */
  readonly suite: number;
  readonly authenticated: boolean;
  readonly encrypted: boolean;
  readonly broadcast: boolean;
  readonly compressed: boolean;
}

const CONTROLS: readonly SecurityControl[] = Array.from({ length: 256 }, (_, octet) =>
  Object.freeze({
    octet,
    suite: octet & SUITE_MASK,
    authenticated: (octet & AUTHENTICATED) !== 0,
    encrypted: (octet & ENCRYPTED) !== 0,
    broadcast: (octet & BROADCAST) !== 0,
    compressed: (octet & COMPRESSED) !== 0,
  }),
);

/** The meaning of a security control octet; every octet has one. */
export function securityControlOf(octet: number): SecurityControl {
  const control = CONTROLS[octet];
  if (control === undefined) throw new RangeError("a security control is one octet");
  return control;
}

/** The security control octet to send. */
export function securityControlOctet(suite: SecuritySuite, protection: Protection, broadcast = false): number {
  const { authenticated, encrypted } = PROTECTIONS[protection];
  return suite | (authenticated ? AUTHENTICATED : 0) | (encrypted ? ENCRYPTED : 0) | (broadcast ? BROADCAST : 0);
}

/** What an octet's two protection bits are called in messages. */
export function protectionName(control: Pick<SecurityControl, "authenticated" | "encrypted">): Protection | "none" {
  if (control.authenticated) return control.encrypted ? "authenticated-encrypted" : "authenticated";
  return control.encrypted ? "encrypted" : "none";
}

/** What protects at least as all of them; undefined where none does. */
export function strongerProtection(
  ...all: readonly (Pick<SecurityControl, "authenticated" | "encrypted"> | undefined)[]
): Protection | undefined {
  const authenticated = all.some((each) => each?.authenticated === true);
  const encrypted = all.some((each) => each?.encrypted === true);
  const name = protectionName({ authenticated, encrypted });
  return name === "none" ? undefined : name;
}
