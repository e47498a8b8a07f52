import { expect, test } from "vitest";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { SecretKey } from "../../../protocol/security/secret-key.ts";
import type { Protection } from "../../../protocol/security/security-control.ts";
import { systemTitle } from "../../../protocol/security/system-title.ts";
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
  stranger,
} from "./protected-apdus.ts";

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
