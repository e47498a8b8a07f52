/** Two sides that protect APDUs for each other, with the keys of the standard's examples. */
import { expect } from "vitest";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { ApduProtection, type ApduProtectionOptions } from "../../../protocol/security/apdu-protection.ts";
import { SecretKey } from "../../../protocol/security/secret-key.ts";
import { systemTitle } from "../../../protocol/security/system-title.ts";

// Keys, titles and APDUs of the worked example in IEC 62056-5-3 / Green Book, recomputed with node:crypto.
export const SENDER = systemTitle(fromHex("4d4d4d0000bc614e"));
const RECEIVER = systemTitle(fromHex("4d4d4d0000000001"));
export const COUNTER = 0x01234567;
export const GET_CLOCK = "c0010000080000010000ff0200";
export const blockCipherKey = new SecretKey("blockCipherKey", fromHex("000102030405060708090a0b0c0d0e0f"));
const authenticationKey = new SecretKey("authenticationKey", fromHex("d0d1d2d3d4d5d6d7d8d9dadbdcdddedf"));
const broadcastKey = new SecretKey("broadcastKey", fromHex("0f0e0d0c0b0a09080706050403020100"));
const dedicatedKey = new SecretKey("dedicatedKey", fromHex("101112131415161718191a1b1c1d1e1f"));
export const keys = { blockCipherKey, authenticationKey };
export const allKeys = { ...keys, broadcastKey, dedicatedKey };
export const BOTH = { control: "authenticated-encrypted", form: "service-specific", keySet: "global" } as const;
export const GENERAL = { ...BOTH, form: "general" } as const;

export function sender(options: Partial<ApduProtectionOptions> = {}): ApduProtection {
  let counter = COUNTER;
  return new ApduProtection({
    suite: 0,
    ownSystemTitle: SENDER,
    keys: allKeys,
    nextInvocationCounter: () => counter++,
    ...options,
  });
}

export function receiver(options: Partial<ApduProtectionOptions> = {}): ApduProtection {
  return new ApduProtection({
    suite: 0,
    ownSystemTitle: RECEIVER,
    peerSystemTitle: SENDER,
    keys: allKeys,
    nextInvocationCounter: () => 0,
    ...options,
  });
}

/** A receiver that has not been told who speaks. */
export function stranger(options: Partial<ApduProtectionOptions> = {}): ApduProtection {
  return new ApduProtection({
    suite: 0,
    ownSystemTitle: RECEIVER,
    keys: allKeys,
    nextInvocationCounter: () => 0,
    ...options,
  });
}

export const peer = (code: string, at: object = {}) =>
  expect.objectContaining({ code, fault: "peer", at: expect.objectContaining(at) });

export const caller = (code: string, at: object = {}) =>
  expect.objectContaining({ code, fault: "caller", at: expect.objectContaining(at) });

/** The typed error with which something is refused; anything else that is thrown goes on. */
export function refusal(attempt: () => unknown): DlmsError | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (error instanceof DlmsError) return error;
    throw error;
  }
}
