import { expect, test } from "vitest";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { ApduProtection, type ApduProtectionOptions } from "../../../protocol/security/apdu-protection.ts";
import { SecretKey } from "../../../protocol/security/secret-key.ts";
import { systemTitle } from "../../../protocol/security/system-title.ts";

// Keys, titles and APDUs of the worked example in IEC 62056-5-3 / Green Book, recomputed with node:crypto.
const BLOCK_CIPHER_KEY = "000102030405060708090a0b0c0d0e0f";
const AUTHENTICATION_KEY = "d0d1d2d3d4d5d6d7d8d9dadbdcdddedf";
const SENDER = systemTitle(fromHex("4d4d4d0000bc614e"));
const RECEIVER = systemTitle(fromHex("4d4d4d0000000001"));
const COUNTER = 0x01234567;
const GET_CLOCK = "c0010000080000010000ff0200";
const keys = {
  blockCipherKey: new SecretKey("blockCipherKey", fromHex(BLOCK_CIPHER_KEY)),
  authenticationKey: new SecretKey("authenticationKey", fromHex(AUTHENTICATION_KEY)),
};

function sender(options: Partial<ApduProtectionOptions> = {}): ApduProtection {
  return new ApduProtection({
    suite: 0,
    ownSystemTitle: SENDER,
    keys,
    nextInvocationCounter: () => COUNTER,
    ...options,
  });
}

function receiver(options: Partial<ApduProtectionOptions> = {}): ApduProtection {
  return new ApduProtection({
    suite: 0,
    ownSystemTitle: RECEIVER,
    peerSystemTitle: SENDER,
    keys,
    nextInvocationCounter: () => 0,
    ...options,
  });
}

const VECTORS = [
  {
    control: "authenticated",
    plain: GET_CLOCK,
    apdu: "c81e1001234567c0010000080000010000ff020006725d910f9221d263877516",
  },
  { control: "encrypted", plain: GET_CLOCK, apdu: "c8122001234567411312ff935a47566827c467bc" },
  {
    control: "authenticated-encrypted",
    plain: GET_CLOCK,
    apdu: "c81e3001234567411312ff935a47566827c467bc7d825c3be4a77c3fcc056b6b",
  },
  {
    control: "authenticated-encrypted",
    plain: "01011000112233445566778899aabbccddeeff0000065f1f0400007e1f04b0",
    apdu: "21303001234567801302ff8a7874133d414ced25b42534d28db0047720606b175bd52211be6841db204d39ee6fdb8e356855",
  },
  {
    control: "authenticated-encrypted",
    plain: "0800065f1f0400007c1f04000007",
    apdu: "281f3001234567891214a0845e475714383f65bc19745ca235906525e4f3e1c893",
  },
] as const;

test.each(VECTORS)("protection: the standard's example $apdu is made and undone", ({ control, plain, apdu }) => {
  const sealed = sender().protect(fromHex(plain), { control, form: "service-specific", keySet: "global" });
  expect(toHex(sealed)).toBe(apdu);
  const opened = receiver().unprotect(sealed);
  expect(toHex(opened.apdu)).toBe(plain);
  expect(opened).toMatchObject({ invocationCounter: COUNTER, keySet: "global", verified: control !== "encrypted" });
});
