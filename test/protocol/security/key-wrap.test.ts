import { expect, test } from "vitest";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { unwrapKey, wrapKey } from "../../../protocol/security/key-wrap.ts";
import { SecretKey } from "../../../protocol/security/secret-key.ts";

/** RFC 3394, 4.1 and 4.6: the two pairs of lengths that the suites use. */
const VECTORS = [
  {
    suite: "0 and 1",
    masterKey: "000102030405060708090a0b0c0d0e0f",
    key: "00112233445566778899aabbccddeeff",
    wrapped: "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5",
  },
  {
    suite: "2",
    masterKey: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    key: "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f",
    wrapped: "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21",
  },
] as const;

test.each(VECTORS)(
  "key wrap, suite $suite: the published key is wrapped and unwrapped",
  ({ masterKey, key, wrapped }) => {
    const master = new SecretKey("masterKey", fromHex(masterKey));
    const plain = new SecretKey("blockCipherKey", fromHex(key));
    expect(toHex(wrapKey(master, plain))).toBe(wrapped);
    expect(unwrapKey(master, "blockCipherKey", fromHex(wrapped)).equals(plain)).toBe(true);
  },
);

test.each(VECTORS)(
  "key wrap, suite $suite: every wrong octet and every truncation is refused",
  ({ masterKey, wrapped }) => {
    const master = new SecretKey("masterKey", fromHex(masterKey));
    const refused = expect.objectContaining({ code: "SECURITY_KEY_UNWRAP_FAILED", fault: "peer" });
    for (let index = 0; index < wrapped.length / 2; index++) {
      const octets = fromHex(wrapped);
      expect(() => unwrapKey(master, "blockCipherKey", octets.subarray(0, index))).toThrow(refused);
      octets[index] = (octets[index] ?? 0) ^ 1;
      expect(() => unwrapKey(master, "blockCipherKey", octets)).toThrow(refused);
    }
  },
);
