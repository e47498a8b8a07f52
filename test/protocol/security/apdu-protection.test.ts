import fc from "fast-check";
import { expect, test } from "vitest";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { ApduProtection, type ApduProtectionOptions } from "../../../protocol/security/apdu-protection.ts";
import type { CipheredForm, KeySet } from "../../../protocol/security/ciphered-apdu.ts";
import { SecretKey } from "../../../protocol/security/secret-key.ts";
import type { Protection } from "../../../protocol/security/security-control.ts";
import type { SecuritySuite } from "../../../protocol/security/suites.ts";
import { systemTitle } from "../../../protocol/security/system-title.ts";

// Keys, titles and APDUs of the worked example in IEC 62056-5-3 / Green Book, recomputed with node:crypto.
const SENDER = systemTitle(fromHex("4d4d4d0000bc614e"));
const RECEIVER = systemTitle(fromHex("4d4d4d0000000001"));
const COUNTER = 0x01234567;
const GET_CLOCK = "c0010000080000010000ff0200";
const blockCipherKey = new SecretKey("blockCipherKey", fromHex("000102030405060708090a0b0c0d0e0f"));
const authenticationKey = new SecretKey("authenticationKey", fromHex("d0d1d2d3d4d5d6d7d8d9dadbdcdddedf"));
const broadcastKey = new SecretKey("broadcastKey", fromHex("0f0e0d0c0b0a09080706050403020100"));
const dedicatedKey = new SecretKey("dedicatedKey", fromHex("101112131415161718191a1b1c1d1e1f"));
const keys = { blockCipherKey, authenticationKey };
const allKeys = { ...keys, broadcastKey, dedicatedKey };
const BOTH = { control: "authenticated-encrypted", form: "service-specific", keySet: "global" } as const;
const GENERAL = { ...BOTH, form: "general" } as const;

function sender(options: Partial<ApduProtectionOptions> = {}): ApduProtection {
  let counter = COUNTER;
  return new ApduProtection({
    suite: 0,
    ownSystemTitle: SENDER,
    keys: allKeys,
    nextInvocationCounter: () => counter++,
    ...options,
  });
}

function receiver(options: Partial<ApduProtectionOptions> = {}): ApduProtection {
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
function stranger(options: Partial<ApduProtectionOptions> = {}): ApduProtection {
  return new ApduProtection({
    suite: 0,
    ownSystemTitle: RECEIVER,
    keys: allKeys,
    nextInvocationCounter: () => 0,
    ...options,
  });
}

const peer = (code: string, at: object = {}) =>
  expect.objectContaining({ code, fault: "peer", at: expect.objectContaining(at) });
const caller = (code: string, at: object = {}) =>
  expect.objectContaining({ code, fault: "caller", at: expect.objectContaining(at) });

/** The typed error with which something is refused; anything else that is thrown goes on. */
function refusal(attempt: () => unknown): DlmsError | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (error instanceof DlmsError) return error;
    throw error;
  }
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

test("titles: one that is missing, unknown, other or our own is told by name", () => {
  const apdu = sender().protect(fromHex(GET_CLOCK), BOTH);
  const general = sender().protect(fromHex(GET_CLOCK), GENERAL);
  expect(() => stranger().unprotect(apdu)).toThrow(peer("SECURITY_TITLE_UNKNOWN"));
  const other = systemTitle(fromHex("5858580000000001"));
  expect(() => receiver({ peerSystemTitle: other }).unprotect(general)).toThrow(
    peer("SECURITY_TITLE_MISMATCH", { systemTitle: "4D4D4D0000BC614E", expected: "5858580000000001" }),
  );
  const tolerant = receiver({ peerSystemTitle: other, tolerate: ["other-title"] });
  expect(tolerant.unprotect(general).warnings).toEqual(["other-title"]);
  expect(() => sender({ peerSystemTitle: other }).unprotect(general)).toThrow(peer("SECURITY_TITLE_REFLECTED"));
  expect(() => sender().learnPeerSystemTitle(SENDER)).toThrow(peer("SECURITY_TITLE_REFLECTED"));
  expect(() => sender().learnPeerSystemTitle(new Uint8Array(7))).toThrow(peer("SECURITY_TITLE_INVALID"));
});

test("titles: one is learned from a general APDU only when its tag vouches for it", () => {
  const learns = stranger();
  learns.unprotect(sender().protect(fromHex(GET_CLOCK), { ...GENERAL, control: "encrypted" }));
  expect(learns.peerSystemTitle).toBeUndefined();
  learns.unprotect(sender().protect(fromHex(GET_CLOCK), GENERAL));
  expect(toHex(learns.peerSystemTitle ?? new Uint8Array(0))).toBe(toHex(SENDER));
});

test("titles: an empty one in a general APDU stands for the association's", () => {
  const named = sender().protect(fromHex(GET_CLOCK), GENERAL);
  const unnamed = Uint8Array.of(0xdb, 0, ...named.subarray(10));
  expect(toHex(receiver().unprotect(unnamed).apdu)).toBe(GET_CLOCK);
  expect(() => stranger().unprotect(unnamed)).toThrow(peer("SECURITY_TITLE_UNKNOWN"));
});

test("suite: another one is refused by name, or tolerated where the key is of its length", () => {
  const apdu = sender({ suite: 1 }).protect(fromHex(GET_CLOCK), BOTH);
  expect(() => receiver().unprotect(apdu)).toThrow(peer("SECURITY_SUITE_MISMATCH", { suite: 1, expected: 0 }));
  expect(receiver({ tolerate: ["suite-nibble"] }).unprotect(apdu).warnings).toEqual(["suite-nibble"]);
});

test("length: one that counts a tag that is not there is refused by name, or tolerated", () => {
  const apdu = new Uint8Array(sender().protect(fromHex(GET_CLOCK), { ...BOTH, control: "encrypted" }));
  apdu[1] = (apdu[1] ?? 0) + 12;
  expect(() => receiver().unprotect(apdu)).toThrow(peer("SECURITY_TAG_MISSING", { counted: 12 }));
  const tolerant = receiver({ tolerate: ["counted-tag"] }).unprotect(apdu);
  expect(toHex(tolerant.apdu)).toBe(GET_CLOCK);
  expect(tolerant.warnings).toEqual(["counted-tag"]);
});

test("compression: the bit is refused by name", () => {
  expect(() => receiver().unprotect(fromHex("c8 06 a0 00000001 00"))).toThrow(peer("SECURITY_COMPRESSION_UNSUPPORTED"));
});

test("broadcast bit: on what was protected with the unicast key it is tolerated only where that is wanted", () => {
  const mistaken = sender({ keys: { ...keys, broadcastKey: new SecretKey("broadcastKey", blockCipherKey.reveal()) } });
  const apdu = mistaken.protect(fromHex(GET_CLOCK), { ...BOTH, keySet: "broadcast" });
  expect(() => receiver().unprotect(apdu)).toThrow(peer("SECURITY_TAG_MISMATCH"));
  expect(() => receiver({ keys }).unprotect(apdu)).toThrow(caller("SECURITY_KEY_MISSING", { key: "broadcastKey" }));
  for (const known of [keys, allKeys]) {
    const opened = receiver({ keys: known, tolerate: ["broadcast-bit"] }).unprotect(apdu);
    expect(opened).toMatchObject({ warnings: ["broadcast-bit"], keySet: "global" });
  }
});

test("replay: a verified counter is taken once; a lower one is refused, gaps are not", () => {
  const from = sender();
  const [first, second, third] = [1, 2, 3].map(() => from.protect(fromHex(GET_CLOCK), BOTH)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const to = receiver();
  to.unprotect(first);
  expect(to.lowestAcceptable("global")).toBe(COUNTER + 1);
  to.unprotect(third);
  for (const replayed of [first, second, third])
    expect(() => to.unprotect(replayed)).toThrow(peer("SECURITY_COUNTER_REPLAYED", { lowestAcceptable: COUNTER + 3 }));
  const remembering = receiver();
  remembering.expectInvocationCounter("global", COUNTER + 1);
  expect(() => remembering.unprotect(first)).toThrow(peer("SECURITY_COUNTER_REPLAYED"));
  remembering.unprotect(second);
});

test("replay: where the policy only warns, a lower counter passes with a warning and lowers nothing", () => {
  const from = sender();
  const [first, second] = [from.protect(fromHex(GET_CLOCK), BOTH), from.protect(fromHex(GET_CLOCK), BOTH)];
  const to = receiver({ replay: "warn" });
  expect(to.unprotect(second).warnings).toEqual([]);
  expect(to.unprotect(first).warnings).toEqual(["counter-replayed"]);
  expect(to.lowestAcceptable("global")).toBe(COUNTER + 2);
});

test("replay: a forged APDU moves no window, whatever counter it bears", () => {
  const genuine = sender().protect(fromHex(GET_CLOCK), BOTH);
  const forged = new Uint8Array(genuine);
  forged.set([0xff, 0xff, 0xff, 0xff], 3);
  const to = receiver();
  expect(() => to.unprotect(forged)).toThrow(peer("SECURITY_TAG_MISMATCH"));
  const withoutTag = fromHex("c80620ffffffff00");
  for (let octet = 0; octet < 256; octet++) {
    withoutTag[7] = octet;
    expect([undefined, "SECURITY_PLAINTEXT_IMPLAUSIBLE", "SECURITY_COUNTER_REPLAYED"]).toContain(
      refusal(() => to.unprotect(withoutTag))?.code,
    );
  }
  expect(to.unprotect(genuine).verified).toBe(true);
});

test("replay: the highest counter may come once", () => {
  const from = sender({ nextInvocationCounter: () => 0xffff_ffff });
  const apdu = from.protect(fromHex(GET_CLOCK), BOTH);
  const to = receiver();
  to.unprotect(apdu);
  expect(() => to.unprotect(apdu)).toThrow(
    peer("SECURITY_COUNTER_REPLAYED", { invocationCounter: 0xffff_ffff, lowestAcceptable: 0xffff_ffff }),
  );
});

test("replay: the dedicated key of a new association counts afresh in both directions", () => {
  const [from, to] = [sender(), receiver()];
  const dedicated = { ...BOTH, keySet: "dedicated" } as const;
  const old = from.protect(fromHex(GET_CLOCK), dedicated);
  expect(to.unprotect(old).invocationCounter).toBe(1);
  const fresh = new SecretKey("dedicatedKey", fromHex("202122232425262728292a2b2c2d2e2f"));
  from.useDedicatedKey(fresh);
  to.useDedicatedKey(fresh);
  expect(to.unprotect(from.protect(fromHex(GET_CLOCK), dedicated)).invocationCounter).toBe(1);
  expect(() => to.unprotect(old)).toThrow(peer("SECURITY_TAG_MISMATCH"));
  to.useDedicatedKey(undefined);
  expect(() => to.unprotect(old)).toThrow(caller("SECURITY_KEY_MISSING", { key: "dedicatedKey" }));
});

const numbered = (number: number) =>
  sender({ ownSystemTitle: systemTitle(fromHex(`4d4d4d00000001${number.toString(16).padStart(2, "0")}`)) });

test("replay: more senders than the limit are refused, the known ones go on", () => {
  const to = stranger({ tolerate: ["other-title"] });
  for (let number = 0; number < 64; number++) to.unprotect(numbered(number).protect(fromHex(GET_CLOCK), GENERAL));
  expect(() => to.unprotect(numbered(64).protect(fromHex(GET_CLOCK), GENERAL))).toThrow(peer("LENGTH_OVER_LIMIT"));
  expect(() => to.unprotect(numbered(3).protect(fromHex(GET_CLOCK), GENERAL))).toThrow(
    peer("SECURITY_COUNTER_REPLAYED"),
  );
});

const WEAKER: readonly (readonly [Protection, Protection])[] = [
  ["authenticated", "encrypted"],
  ["authenticated", "authenticated-encrypted"],
  ["encrypted", "authenticated"],
  ["encrypted", "authenticated-encrypted"],
];

test.each(WEAKER)("minimum: %s is refused in either direction where %s is required", (given, required) => {
  const to = receiver({ minimum: { received: required } });
  const apdu = sender().protect(fromHex(GET_CLOCK), { ...BOTH, control: given });
  expect(() => to.unprotect(apdu)).toThrow(peer("SECURITY_WEAKER_THAN_REQUIRED", { protection: given, required }));
  const from = sender({ minimum: { sent: required } });
  expect(() => from.protect(fromHex(GET_CLOCK), { ...BOTH, control: given })).toThrow(
    caller("SECURITY_WEAKER_THAN_REQUIRED", { protection: given, required }),
  );
});

test("minimum: a direction may ask less than the other, and more than asked always passes", () => {
  const to = receiver({ minimum: { sent: "authenticated-encrypted", received: "encrypted" } });
  const from = sender();
  for (const control of ["encrypted", "authenticated-encrypted"] as const)
    expect(toHex(to.unprotect(from.protect(fromHex(GET_CLOCK), { ...BOTH, control })).apdu)).toBe(GET_CLOCK);
});

test("minimum: two layers may give together what is required", () => {
  const from = sender();
  const inner = from.protect(fromHex(GET_CLOCK), { ...BOTH, control: "authenticated" });
  const outer = from.protect(inner, { ...GENERAL, control: "encrypted" });
  const opened = receiver({ minimum: { received: "authenticated-encrypted" } }).unprotect(outer);
  expect(toHex(opened.apdu)).toBe(GET_CLOCK);
  expect(opened.layers.map((layer) => layer.form)).toEqual(["general", "service-specific"]);
});

test("minimum: plain APDUs are admitted where nothing is required, and failures always", () => {
  const to = receiver({ minimum: { received: "encrypted" } });
  expect(() => to.admitPlain(fromHex("c401c1000600000000"))).toThrow(
    peer("SECURITY_WEAKER_THAN_REQUIRED", { protection: "none", required: "encrypted" }),
  );
  expect(() => to.admitPlain(new Uint8Array(0))).toThrow(peer("SECURITY_WEAKER_THAN_REQUIRED"));
  to.admitPlain(fromHex("d80101"));
  to.admitPlain(fromHex("0e01060d"));
  receiver().admitPlain(fromHex("c401c1000600000000"));
});

test("layers: deeper than the limit is refused", () => {
  const from = sender();
  let apdu = fromHex(GET_CLOCK);
  for (let depth = 0; depth < 5; depth++) apdu = new Uint8Array(from.protect(apdu, GENERAL));
  expect(() => receiver({ replay: "warn" }).unprotect(apdu)).toThrow(peer("DEPTH_OVER_LIMIT", { limit: 4 }));
});

test("service: an APDU of another service than its ciphered tag says is refused", () => {
  const apdu = sender().protect(fromHex(GET_CLOCK), BOTH);
  const relabelled = new Uint8Array(apdu);
  relabelled[0] = 0xc9;
  expect(() => receiver().unprotect(relabelled)).toThrow(
    peer("SECURITY_SERVICE_MISMATCH", { expected: 0xc1, tag: 0xc0 }),
  );
});

test("encrypted only: a wrong key shows as an implausible APDU", () => {
  const apdu = sender().protect(fromHex(GET_CLOCK), { ...BOTH, control: "encrypted" });
  const wrong = new SecretKey("blockCipherKey", fromHex("ffeeddccbbaa99887766554433221100"));
  expect(() => receiver({ keys: { blockCipherKey: wrong } }).unprotect(apdu)).toThrow(
    peer("SECURITY_PLAINTEXT_IMPLAUSIBLE", { expected: 0xc0 }),
  );
});

test("additional data: a sender that leaves it empty is understood where that is configured", () => {
  const apdu = sender({ aadForm: "empty" }).protect(fromHex(GET_CLOCK), GENERAL);
  expect(() => receiver().unprotect(apdu)).toThrow(peer("SECURITY_TAG_MISMATCH"));
  expect(toHex(receiver({ aadForm: "empty", keys: { blockCipherKey } }).unprotect(apdu).apdu)).toBe(GET_CLOCK);
});

test("minimum: a tag that nobody can check is no authentication", () => {
  const options = { keys: { blockCipherKey }, tolerate: ["unchecked-tag"] } as const;
  const apdu = sender().protect(fromHex(GET_CLOCK), BOTH);
  expect(receiver({ ...options, minimum: { received: "encrypted" } }).unprotect(apdu).verified).toBe(false);
  expect(() => receiver({ ...options, minimum: { received: "authenticated-encrypted" } }).unprotect(apdu)).toThrow(
    peer("SECURITY_WEAKER_THAN_REQUIRED", { protection: "encrypted" }),
  );
});
