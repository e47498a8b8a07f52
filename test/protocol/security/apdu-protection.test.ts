import fc from "fast-check";
import { expect, test } from "vitest";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import type { CipheredForm, KeySet } from "../../../protocol/security/ciphered-apdu.ts";
import { SecretKey } from "../../../protocol/security/secret-key.ts";
import type { Protection } from "../../../protocol/security/security-control.ts";
import type { SecuritySuite } from "../../../protocol/security/suites.ts";
import {
  BOTH,
  blockCipherKey,
  COUNTER,
  caller,
  GENERAL,
  GET_CLOCK,
  peer,
  receiver,
  refusal,
  sender,
} from "./protected-apdus.ts";

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

test.each(VECTORS)("protection: every truncation of $apdu is refused with a typed error", ({ apdu }) => {
  const octets = fromHex(apdu);
  for (let length = 0; length < octets.length; length++)
    expect(() => receiver().unprotect(octets.subarray(0, length))).toThrow(
      expect.objectContaining({ name: "DlmsError", fault: "peer" }),
    );
});

test("protection: content that ends before its tag is told from content that is damaged", () => {
  expect(() => receiver().unprotect(fromHex("c808 30 01234567 aabbcc"))).toThrow(
    peer("SECURITY_TAG_MISSING", { wanted: 12 }),
  );
  const damaged = fromHex("c81e3001234567411312ff935a47566827c467bc7d825c3be4a77c3fcc056b6a");
  expect(() => receiver().unprotect(damaged)).toThrow(
    peer("SECURITY_TAG_MISMATCH", { protection: "authenticated-encrypted", invocationCounter: COUNTER }),
  );
});

test("protection: what was protected in any way comes out again, in every suite, form and key set", () => {
  const request = fc.record({
    control: fc.constantFrom<Protection[]>("authenticated", "encrypted", "authenticated-encrypted"),
    form: fc.constantFrom<CipheredForm[]>("service-specific", "general"),
    keySet: fc.constantFrom<KeySet[]>("global", "dedicated", "broadcast"),
  });
  const suites = fc.constantFrom<SecuritySuite[]>(0, 1, 2);
  const content = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(request, suites, content, fc.integer({ min: 0, max: 0xffff_ffff }), (how, suite, octets, counter) => {
      const length = suite === 2 ? 32 : 16;
      const same = {
        blockCipherKey: new SecretKey("blockCipherKey", new Uint8Array(length).fill(1)),
        authenticationKey: new SecretKey("authenticationKey", new Uint8Array(length).fill(2)),
        broadcastKey: new SecretKey("broadcastKey", new Uint8Array(length).fill(3)),
        dedicatedKey: new SecretKey("dedicatedKey", new Uint8Array(length).fill(4)),
      };
      const plain = Uint8Array.of(0xc4, ...octets);
      const apdu = sender({ suite, keys: same, nextInvocationCounter: () => counter }).protect(plain, how);
      const opened = receiver({ suite, keys: same }).unprotect(apdu);
      expect(toHex(opened.apdu)).toBe(toHex(plain));
      expect(opened).toMatchObject({ form: how.form, keySet: how.keySet, warnings: [] });
      expect(opened.securityControl).toMatchObject({ suite, broadcast: how.keySet === "broadcast" });
      expect(opened.invocationCounter).toBe(how.keySet === "dedicated" ? 1 : counter);
    }),
  );
});

test("protection: any octets are opened or refused with a typed error, never anything else", () => {
  const start = fc.constantFrom("c81e30", "db084d4d4d0000bc614e1e30", "d01e10", "dc001e70", "cc0520", "");
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 60 }), (hex, rest) => {
      const error = refusal(() => receiver().unprotect(Uint8Array.of(...fromHex(hex), ...rest)));
      expect([undefined, "peer"]).toContain(error?.fault);
    }),
  );
});

test("protection: a flipped bit anywhere never passes where authentication is required", () => {
  const apdu = sender().protect(fromHex(GET_CLOCK), GENERAL);
  const minimum = { received: "authenticated" } as const;
  for (let bit = 0; bit < apdu.length * 8; bit++) {
    const flipped = new Uint8Array(apdu);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(() =>
      receiver({ minimum, tolerate: ["suite-nibble", "broadcast-bit", "other-title"] }).unprotect(flipped),
    ).toThrow(expect.objectContaining({ name: "DlmsError", fault: "peer" }));
  }
});

test("protection: where nothing is required, a cleared authentication bit passes as not verified", () => {
  const apdu = new Uint8Array(sender().protect(fromHex(GET_CLOCK), BOTH));
  apdu[2] = 0x20;
  expect(receiver().unprotect(apdu).verified).toBe(false);
  expect(() => receiver({ minimum: { received: "authenticated" } }).unprotect(apdu)).toThrow(
    peer("SECURITY_WEAKER_THAN_REQUIRED"),
  );
});

test("protection: APDUs without a ciphered tag of their own need the general form, and no counter is lost on them", () => {
  let taken = 0;
  const from = sender({ nextInvocationCounter: () => taken++ });
  const notification = fromHex("0f000000010002021101120203");
  expect(() => from.protect(notification, BOTH)).toThrow(caller("SECURITY_NO_CIPHERED_FORM", { tag: 0x0f }));
  expect(() => from.protect(new Uint8Array(0), GENERAL)).toThrow(caller("DATA_TRUNCATED"));
  expect(taken).toBe(0);
  expect(toHex(receiver().unprotect(from.protect(notification, GENERAL)).apdu)).toBe(toHex(notification));
});

test("protection: a missing key is named, and no counter is lost on it", () => {
  let taken = 0;
  const bare = sender({ keys: {}, nextInvocationCounter: () => taken++ });
  for (const [keySet, key] of [
    ["global", "blockCipherKey"],
    ["dedicated", "dedicatedKey"],
    ["broadcast", "broadcastKey"],
  ] as const)
    expect(() => bare.protect(fromHex(GET_CLOCK), { ...BOTH, keySet })).toThrow(
      caller("SECURITY_KEY_MISSING", { key }),
    );
  const half = sender({ keys: { blockCipherKey }, nextInvocationCounter: () => taken++ });
  expect(() => half.protect(fromHex(GET_CLOCK), BOTH)).toThrow(
    caller("SECURITY_KEY_MISSING", { key: "authenticationKey" }),
  );
  expect(taken).toBe(0);
});

test("protection: keys of another suite's length are refused at once", () => {
  expect(() => sender({ suite: 2 })).toThrow(caller("SECURITY_KEY_LENGTH", { length: 16, wanted: 32, suite: 2 }));
});

test("protection: counters that are no counters are not sent", () => {
  for (const counter of [0x1_0000_0000, -1, 1.5, Number.NaN])
    expect(() => sender({ nextInvocationCounter: () => counter }).protect(fromHex(GET_CLOCK), BOTH)).toThrow(
      caller("SECURITY_COUNTER_EXHAUSTED"),
    );
});
