/** What each security suite is made of (IEC 62056-5-3, security suites). Code interprets this table; nothing else knows a suite. */
export const SECURITY_SUITES = {
  0: {
    // AES-GCM-128
    keyLength: 16,
    gcm: "aes-128-gcm",
    ctr: "aes-128-ctr",
    curve: undefined,
  },
  1: {
    // ECDH-ECDSA-AES-GCM-128-SHA-256
    keyLength: 16,
    gcm: "aes-128-gcm",
    ctr: "aes-128-ctr",
    curve: "P-256",
  },
  2: {
    // ECDH-ECDSA-AES-GCM-256-SHA-384
    keyLength: 32,
    gcm: "aes-256-gcm",
    ctr: "aes-256-ctr",
    curve: "P-384",
  },
} as const;

export type SecuritySuite = keyof typeof SECURITY_SUITES;

/** Octets of the GCM tag in every suite. */
export const TAG_LENGTH = 12;

/** The highest invocation counter; a key that has reached it must be replaced. */
export const MAX_INVOCATION_COUNTER = 0xffff_ffff;
