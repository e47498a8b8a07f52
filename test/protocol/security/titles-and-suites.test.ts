import { expect, test } from "vitest";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { SecretKey } from "../../../protocol/security/secret-key.ts";
import { systemTitle } from "../../../protocol/security/system-title.ts";
import {
  allKeys,
  BOTH,
  blockCipherKey,
  caller,
  GENERAL,
  GET_CLOCK,
  keys,
  peer,
  receiver,
  SENDER,
  sender,
  stranger,
} from "./protected-apdus.ts";

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
