import { expect, test, vi } from "vitest";
import type { ClientSettings } from "../../../../protocol/association/client/client-settings.ts";
import { fromHex } from "../../../../protocol/bytes/hex.ts";
import { ApduProtection } from "../../../../protocol/security/apdu-protection.ts";
import { privateKeyFromPem } from "../../../../protocol/security/elliptic-key.ts";
import { GeneralProtection, type GeneralProtectionOptions } from "../../../../protocol/security/general-protection.ts";
import { SecretKey } from "../../../../protocol/security/secret-key.ts";
import { systemTitle } from "../../../../protocol/security/system-title.ts";
import { associationSettings, publicClientSettings } from "../../../../src/collect/session/association-settings.ts";
import { resolveMeterSecrets } from "../../../../src/collect/session/meter-secrets.ts";
import { meterSchema } from "../../../../src/config/schema.ts";
import { SIGNING_IDENTITIES } from "../../../protocol/association/identities.ts";

const METER_TITLE = "4d4d4d0000bc614e";
const RESPONSE = fromHex("c401c1000600000000");
const keys = {
  blockCipherKey: new SecretKey("blockCipherKey", new Uint8Array(16).fill(1)),
  authenticationKey: new SecretKey("authenticationKey", new Uint8Array(16).fill(2)),
};

const NO_SECRETS = { secret: undefined, blockCipherKey: undefined, authenticationKey: undefined };

function clientSettings(protection: "none" | "encrypted" | "authenticated-encrypted"): ClientSettings {
  const { association } = meterSchema.parse({
    name: "feeder-7",
    number: "7",
    connection: { tcp: "192.0.2.7:4059" },
    association: {
      security: {
        protection,
        clientSystemTitle: "4845530000000001",
        serverSystemTitle: METER_TITLE,
        blockCipherKey: "env:KEY",
      },
    },
  });
  const secrets = { secret: undefined, ...keys };
  return associationSettings({
    association,
    secrets,
    responseTimeoutMs: 1000,
    maxReceivePduSize: 1024,
    nextInvocationCounter: () => 1,
  });
}

function clientProtection(protection: "encrypted" | "authenticated-encrypted"): ApduProtection {
  const settings = clientSettings(protection);
  if (settings.protection === undefined) throw new Error("a ciphered association has protection");
  return settings.protection;
}

function meterAnswer(control: "authenticated" | "encrypted" | "authenticated-encrypted"): Uint8Array {
  const ownSystemTitle = systemTitle(fromHex(METER_TITLE));
  const meter = new ApduProtection({ suite: 0, ownSystemTitle, keys, nextInvocationCounter: () => 9 });
  return meter.protect(RESPONSE, { control, form: "service-specific", keySet: "global" });
}

test("association settings: an answer that is protected less than the requests is refused, plain ones too", () => {
  const weaker = expect.objectContaining({ code: "SECURITY_WEAKER_THAN_REQUIRED", fault: "peer" });
  const strict = clientProtection("authenticated-encrypted");
  expect(() => strict.admitPlain(RESPONSE)).toThrow(weaker);
  for (const control of ["authenticated", "encrypted"] as const)
    expect(() => clientProtection("authenticated-encrypted").unprotect(meterAnswer(control))).toThrow(weaker);
  expect(strict.unprotect(meterAnswer("authenticated-encrypted")).verified).toBe(true);
  expect(clientProtection("encrypted").unprotect(meterAnswer("encrypted")).verified).toBe(false);
  expect(() => clientProtection("encrypted").admitPlain(RESPONSE)).toThrow(weaker);
});

test("association settings: without protection the keys serve authentication alone", () => {
  const settings = clientSettings("none");
  expect(settings.ciphering).toBeUndefined();
  expect(settings.protection?.ownSystemTitle).toEqual(fromHex("4845530000000001"));
  expect(() => settings.protection?.admitPlain(RESPONSE)).not.toThrow();
});

test.each([
  ["ln", "logical-name"],
  ["sn", "short-name"],
] as const)("association settings: referencing %s, for the public client too", (configured, referencing) => {
  const { association } = meterSchema.parse({
    name: "feeder-7",
    number: "7",
    connection: { tcp: "192.0.2.7:4059" },
    association: { referencing: configured },
  });
  const settings = associationSettings({
    association,
    secrets: NO_SECRETS,
    responseTimeoutMs: 1,
    maxReceivePduSize: 1024,
    nextInvocationCounter: () => 1,
  });
  expect(settings.referencing).toBe(referencing);
  expect(publicClientSettings(association, 1).referencing).toBe(referencing);
});

const SUITE_ONE = {
  suite: 1,
  clientSystemTitle: "4d4d4d0000000001",
  serverSystemTitle: "4d4d4d0000bc614e",
  blockCipherKey: "env:TEST_STACK_KEY",
  authenticationKey: "env:TEST_STACK_KEY",
  signingKey: "env:TEST_STACK_PRIVATE",
  serverSigningKey: "env:TEST_STACK_CERTIFICATE",
} as const;

function withPem(body: () => Promise<void>): () => Promise<void> {
  return async () => {
    const { privateKey, certificate } = SIGNING_IDENTITIES.client;
    const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(certificate).toString("base64")}\n-----END CERTIFICATE-----`;
    vi.stubEnv("TEST_STACK_KEY", "00".repeat(16));
    vi.stubEnv("TEST_STACK_PRIVATE", privateKey);
    vi.stubEnv("TEST_STACK_CERTIFICATE", pem);
    await body();
    vi.unstubAllEnvs();
  };
}

async function settingsWith(over: object, mechanism = "hls-7"): Promise<ClientSettings> {
  const { association } = meterSchema.parse({
    name: "feeder-7",
    number: "7",
    connection: { tcp: "192.0.2.7:4059" },
    association: { mechanism, security: { ...SUITE_ONE, ...over } },
  });
  const secrets = await resolveMeterSecrets(association, () => Promise.reject(new Error("no key is stored")));
  return associationSettings({
    association,
    secrets,
    responseTimeoutMs: 1,
    maxReceivePduSize: 1024,
    nextInvocationCounter: () => 1,
  });
}

test(
  "association settings: hls-7 has our key, the meter's certificate, and a challenge that is long enough",
  withPem(async () => {
    const { authentication, challenge, general } = await settingsWith({});
    expect(challenge()).toHaveLength(32);
    expect(general).toBeUndefined();
    if (authentication.mechanism !== "hls-ecdsa") throw new Error("another mechanism");
    expect(authentication.signingKey?.publicKey.octets()).toEqual(authentication.serverSigningKey?.octets());
  }),
);

test(
  "association settings: signed requests and general ciphering draw a new transaction id each time",
  withPem(async () => {
    const { general } = await settingsWith({ sign: true, generalCiphering: "unicast" });
    expect(general).toMatchObject({ sign: true, scheme: "unicast" });
    expect(general?.transactionId()).not.toEqual(general?.transactionId());
  }),
);

/** The peer of the association with other ideas of what the sources leave open. */
function peerOf(options: Partial<GeneralProtectionOptions>): GeneralProtection {
  const signingKey = privateKeyFromPem(SIGNING_IDENTITIES.client.privateKey);
  const shared = {
    blockCipherKey: new SecretKey("blockCipherKey", new Uint8Array(16)),
    authenticationKey: new SecretKey("authenticationKey", new Uint8Array(16)),
  };
  const protection = new ApduProtection({
    suite: 1,
    ownSystemTitle: systemTitle(fromHex(SUITE_ONE.serverSystemTitle)),
    peerSystemTitle: systemTitle(fromHex(SUITE_ONE.clientSystemTitle)),
    keys: shared,
    nextInvocationCounter: () => 1,
  });
  const keys = { ...shared, peerSigningKey: signingKey.publicKey };
  return new GeneralProtection({ protection, keys, nextInvocationCounter: () => 1, ...options });
}

test.each([
  [{ signatureCovers: "content" }, { signedContent: "without-length" }, { signedContent: "with-length" }],
  [{ signatureCovers: "content-and-length" }, { signedContent: "with-length" }, { signedContent: "without-length" }],
  [{ tagCovers: "header" }, { aad: "with-header" }, { aad: "without-header" }],
  [{ tagCovers: "either" }, { aad: "with-header" }, { aad: "without-header" }],
  [{ tagCovers: "keys" }, { aad: "without-header" }, { aad: "with-header" }],
] as const)(
  "association settings: with %j a peer with %j understands us, one with %j does not",
  async (security, same, other) => {
    await withPem(async () => {
      const { general } = await settingsWith({ sign: true, generalCiphering: "unicast", ...security });
      const transaction = { transactionId: Uint8Array.of(1) };
      const ours = general?.protection;
      if (ours === undefined) throw new Error("no general protection");
      const octets =
        "signatureCovers" in security
          ? ours.sign(RESPONSE, transaction)
          : ours.cipher(RESPONSE, { control: "authenticated-encrypted", scheme: "unicast" }, transaction);
      expect(peerOf(same).unprotect(octets).apdu).toEqual(RESPONSE);
      expect(() => peerOf(other).unprotect(octets)).toThrow(/MISMATCH/);
    })();
  },
);

test(
  "association settings: a certificate for another use, or no PEM, is refused by its reference",
  withPem(async () => {
    const agreed = { generalCiphering: "static", agreementKey: "env:TEST_STACK_PRIVATE" };
    await expect(settingsWith({ ...agreed, serverAgreementKey: "env:TEST_STACK_CERTIFICATE" })).rejects.toThrow(
      "CERTIFICATE_USAGE_WRONG",
    );
    await expect(settingsWith({ signingKey: "env:TEST_STACK_KEY" })).rejects.toThrow("TEST_STACK_KEY");
    await expect(settingsWith({ serverSigningKey: "env:TEST_STACK_KEY" })).rejects.toThrow("TEST_STACK_KEY");
  }),
);

test.each([
  [{ sign: true, serverSigningKey: undefined }, "security.serverSigningKey"],
  [{ generalCiphering: "wrapped" }, "security.masterKey"],
  [{ generalCiphering: "one-pass" }, "security.agreementKey"],
  [{ signingKey: undefined }, "security.signingKey"],
])("association settings: %j lacks %s", async (over, field) => {
  await expect(settingsWith(over)).rejects.toThrow(field.replace("security.", ""));
});

test("association settings: a pre-established association has no mechanism, and knows the meter's title", () => {
  const security = { clientSystemTitle: "4d4d4d0000000001", blockCipherKey: "env:KEY" };
  const serverSystemTitle = METER_TITLE;
  expect(parseAssociation({ preEstablished: true, mechanism: "hls-5", security }).success).toBe(false);
  expect(parseAssociation({ preEstablished: true, security }).success).toBe(false);
  const { data } = parseAssociation({ preEstablished: true, security: { ...security, serverSystemTitle } });
  if (data === undefined) throw new Error("not parsed");
  const context = {
    secrets: { ...NO_SECRETS, ...keys },
    responseTimeoutMs: 1,
    maxReceivePduSize: 1024,
    nextInvocationCounter: () => 1,
  };
  expect(associationSettings({ association: data.association, ...context }).preEstablished).toBe(true);
});

function parseAssociation(association: object) {
  return meterSchema.safeParse({ name: "m", number: "1", connection: { tcp: "192.0.2.7:4059" }, association });
}
