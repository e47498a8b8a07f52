import { expect, test } from "vitest";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { ApduProtection } from "../../../protocol/security/apdu-protection.ts";
import { diagnose } from "../../../protocol/security/diagnosis.ts";
import type { ProtectionKeys } from "../../../protocol/security/keys-in-force.ts";
import { SecretKey } from "../../../protocol/security/secret-key.ts";
import type { Protection } from "../../../protocol/security/security-control.ts";
import { systemTitle } from "../../../protocol/security/system-title.ts";

const SENDER = systemTitle(fromHex("4d4d4d0000bc614e"));
const OTHER = systemTitle(fromHex("4d4d4d0000bc614f"));
const RESPONSE = fromHex("c401c10009083132303030303137");
const rightKeys = {
  blockCipherKey: new SecretKey("blockCipherKey", fromHex("000102030405060708090a0b0c0d0e0f")),
  authenticationKey: new SecretKey("authenticationKey", fromHex("d0d1d2d3d4d5d6d7d8d9dadbdcdddedf")),
};
const wrong = fromHex("ffeeddccbbaa99887766554433221100");

function sent(control: Protection, form: "service-specific" | "general" = "service-specific", keys = rightKeys) {
  const sender = new ApduProtection({ suite: 0, ownSystemTitle: SENDER, keys, nextInvocationCounter: () => 77 });
  return sender.protect(RESPONSE, { control, form, keySet: "global" });
}

const WRONG_BLOCK_CIPHER_KEY: ProtectionKeys = {
  ...rightKeys,
  blockCipherKey: new SecretKey("blockCipherKey", wrong),
};
const WRONG_AUTHENTICATION_KEY: ProtectionKeys = {
  ...rightKeys,
  authenticationKey: new SecretKey("authenticationKey", wrong),
};
const EXCHANGED: ProtectionKeys = {
  blockCipherKey: new SecretKey("blockCipherKey", rightKeys.authenticationKey.reveal()),
  authenticationKey: new SecretKey("authenticationKey", rightKeys.blockCipherKey.reveal()),
};

test("diagnosis: each wrong input of authenticated encryption is named for what it is", () => {
  const apdu = sent("authenticated-encrypted");
  const systemTitle = SENDER;
  expect(diagnose(apdu, { keys: rightKeys, systemTitle })).toEqual({ finding: "intact", proven: true });
  expect(diagnose(apdu, { keys: WRONG_AUTHENTICATION_KEY, systemTitle })).toEqual({
    finding: "authentication-key-wrong",
    proven: false,
  });
  expect(diagnose(apdu, { keys: WRONG_BLOCK_CIPHER_KEY, systemTitle })).toEqual({
    finding: "block-cipher-key-wrong",
    proven: false,
  });
  expect(diagnose(apdu, { keys: EXCHANGED, systemTitle })).toEqual({ finding: "keys-exchanged", proven: true });
  expect(diagnose(apdu, { keys: rightKeys, systemTitle: OTHER, otherTitles: [SENDER] })).toEqual({
    finding: "system-title-wrong",
    proven: true,
    systemTitle: SENDER,
  });
});

test("diagnosis: a key among the others that fits is proven and named", () => {
  const apdu = sent("authenticated-encrypted");
  const otherKeys = [
    { name: "meter 17, authentication key", key: new SecretKey("authenticationKey", wrong) },
    { name: "meter 18, block cipher key", key: rightKeys.blockCipherKey },
  ];
  expect(diagnose(apdu, { keys: WRONG_BLOCK_CIPHER_KEY, systemTitle: SENDER, otherKeys })).toEqual({
    finding: "block-cipher-key-wrong",
    proven: true,
    fittingKeys: ["meter 18, block cipher key"],
  });
});

test("diagnosis: without encryption the tag alone tells, so a wrong key stays undecided unless another one fits", () => {
  const apdu = sent("authenticated");
  expect(diagnose(apdu, { keys: WRONG_AUTHENTICATION_KEY, systemTitle: SENDER })).toEqual({
    finding: "undecided",
    proven: false,
  });
  expect(
    diagnose(apdu, {
      keys: WRONG_AUTHENTICATION_KEY,
      systemTitle: SENDER,
      otherKeys: [{ name: "last year's", key: rightKeys.authenticationKey }],
    }),
  ).toMatchObject({ finding: "authentication-key-wrong", proven: true, fittingKeys: ["last year's"] });
});

test("diagnosis: without a tag a plausible APDU is likely, never proven", () => {
  const apdu = sent("encrypted");
  expect(diagnose(apdu, { keys: rightKeys, systemTitle: SENDER })).toEqual({ finding: "intact", proven: false });
  expect(diagnose(apdu, { keys: rightKeys, systemTitle: OTHER, otherTitles: [SENDER] })).toEqual({
    finding: "system-title-wrong",
    proven: false,
    systemTitle: SENDER,
  });
  expect(diagnose(apdu, { keys: WRONG_BLOCK_CIPHER_KEY, systemTitle: SENDER })).toEqual({
    finding: "block-cipher-key-wrong",
    proven: false,
  });
});

test("diagnosis: damage behind the first octets is told from a wrong key", () => {
  const apdu = sent("authenticated-encrypted");
  const damaged = new Uint8Array(apdu);
  // The type of the Data that get-response carries.
  damaged[2 + 5 + 4] = (damaged[2 + 5 + 4] ?? 0) ^ 0xe0;
  expect(diagnose(damaged, { keys: rightKeys, systemTitle: SENDER })).toEqual({
    finding: "octets-damaged",
    proven: false,
  });
});

test("diagnosis: a sender that leaves the authentication key out of the tag is recognised", () => {
  const sender = new ApduProtection({
    suite: 0,
    ownSystemTitle: SENDER,
    keys: rightKeys,
    aadForm: "empty",
    nextInvocationCounter: () => 77,
  });
  const apdu = sender.protect(RESPONSE, { control: "authenticated-encrypted", form: "general", keySet: "global" });
  expect(diagnose(apdu, { keys: rightKeys })).toEqual({ finding: "additional-data-empty", proven: true });
});

test("diagnosis: what is missing or malformed is said, whatever the octets", () => {
  const apdu = sent("authenticated-encrypted");
  expect(diagnose(apdu, { keys: rightKeys }).finding).toBe("title-missing");
  expect(diagnose(apdu, { keys: {}, systemTitle: SENDER }).finding).toBe("key-missing");
  expect(diagnose(RESPONSE, { keys: rightKeys })).toEqual({
    finding: "malformed",
    proven: true,
    code: "SECURITY_NOT_CIPHERED",
  });
  const general = sent("authenticated-encrypted", "general");
  for (let length = 0; length < general.length; length++)
    expect(diagnose(general.subarray(0, length), { keys: rightKeys }).finding).toBe("malformed");
});
