import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { counterMode, initialisationVector, parseContent } from "../../../protocol/security/aead.ts";
import { ApduProtection } from "../../../protocol/security/apdu-protection.ts";
import { drawPrivateKey, type EllipticPrivateKey } from "../../../protocol/security/elliptic-key.ts";
import { encodeGeneralCiphering, parseGeneralCiphering } from "../../../protocol/security/general-apdu.ts";
import { GeneralProtection, type GeneralProtectionOptions } from "../../../protocol/security/general-protection.ts";
import { wrapKey } from "../../../protocol/security/key-wrap.ts";
import { SecretKey } from "../../../protocol/security/secret-key.ts";
import type { SecuritySuite } from "../../../protocol/security/suites.ts";
import { systemTitle } from "../../../protocol/security/system-title.ts";
import type { KeyScheme } from "../../../protocol/security/transaction-key.ts";

const CLIENT = systemTitle(fromHex("4d4d4d0000000001"));
const SERVER = systemTitle(fromHex("4d4d4d0000bc614e"));
const GET_CLOCK = fromHex("c0010000080000010000ff0200");
const TRANSACTION = { transactionId: fromHex("0102030405060708") };

const random = (length: number) => new Uint8Array(randomBytes(length));

interface Pair {
  readonly client: GeneralProtection;
  readonly server: GeneralProtection;
}

function pair(suite: SecuritySuite, options: Partial<GeneralProtectionOptions> = {}): Pair {
  const length = suite === 2 ? 32 : 16;
  const shared = {
    blockCipherKey: new SecretKey("blockCipherKey", random(length)),
    broadcastKey: new SecretKey("broadcastKey", random(length)),
    authenticationKey: new SecretKey("authenticationKey", random(length)),
  };
  const masterKey = new SecretKey("masterKey", random(length));
  const curve = suite === 2 ? "P-384" : "P-256";
  const draw = () => drawPrivateKey(curve, random);
  const own = [
    { signing: draw(), agreement: draw() },
    { signing: draw(), agreement: draw() },
  ] as const;
  const side = (mine: Keys, peer: Keys, ownSystemTitle = CLIENT, peerSystemTitle = SERVER) => {
    let counter = 1;
    const nextInvocationCounter = () => counter++;
    return new GeneralProtection({
      protection: new ApduProtection({ suite, ownSystemTitle, peerSystemTitle, keys: shared, nextInvocationCounter }),
      keys: {
        ...shared,
        masterKey,
        ownSigningKey: mine.signing,
        ownAgreementKey: mine.agreement,
        peerSigningKey: peer.signing.publicKey,
        peerAgreementKey: peer.agreement.publicKey,
      },
      nextInvocationCounter,
      randomOctets: random,
      ...options,
    });
  };
  return { client: side(own[0], own[1]), server: side(own[1], own[0], SERVER, CLIENT) };
}

interface Keys {
  readonly signing: EllipticPrivateKey;
  readonly agreement: EllipticPrivateKey;
}

const SCHEMES: readonly (readonly [SecuritySuite, KeyScheme])[] = [
  [0, "unicast"],
  [0, "broadcast"],
  [0, "wrapped"],
  [1, "one-pass"],
  [1, "static"],
  [2, "wrapped"],
  [2, "one-pass"],
  [2, "static"],
];

test.each(SCHEMES)("general-ciphering: suite %i, %s key, both directions", (suite, scheme) => {
  const { client, server } = pair(suite);
  for (const control of ["authenticated", "encrypted", "authenticated-encrypted"] as const) {
    const request = client.cipher(GET_CLOCK, { control, scheme }, TRANSACTION);
    const opened = server.unprotect(request);
    expect(toHex(opened.apdu)).toBe(toHex(GET_CLOCK));
    expect(opened.layers).toMatchObject([{ scheme, verified: control !== "encrypted" }]);
    const response = server.cipher(GET_CLOCK, { control, scheme }, TRANSACTION);
    expect(toHex(client.unprotect(response).apdu)).toBe(toHex(GET_CLOCK));
  }
});

test("general-ciphering: the two forms of additional data do not open one another unless that is tolerated", () => {
  const options = { aad: "without-header" } as const;
  const { client, server } = pair(1, options);
  const apdu = client.cipher(GET_CLOCK, { control: "authenticated-encrypted", scheme: "unicast" }, TRANSACTION);
  expect(toHex(server.unprotect(apdu).apdu)).toBe(toHex(GET_CLOCK));
});

test("general-ciphering: a header that was changed on the way does not pass", () => {
  const { client, server } = pair(0);
  const apdu = client.cipher(GET_CLOCK, { control: "authenticated", scheme: "unicast" }, TRANSACTION);
  const changed = new Uint8Array(apdu);
  changed[2] = (changed[2] ?? 0) ^ 1;
  expect(() => server.unprotect(changed)).toThrow(expect.objectContaining({ code: "SECURITY_TAG_MISMATCH" }));
  server.unprotect(apdu);
  expect(() => server.unprotect(apdu)).toThrow(expect.objectContaining({ code: "SECURITY_COUNTER_REPLAYED" }));
});

test("general-ciphering: an APDU for somebody else, from somebody else, or sent back is refused by name", () => {
  const { client, server } = pair(0);
  const apdu = client.cipher(GET_CLOCK, { control: "authenticated", scheme: "unicast" }, TRANSACTION);
  expect(() => client.unprotect(apdu)).toThrow(expect.objectContaining({ code: "SECURITY_TITLE_MISMATCH" }));
  const toAnyone = new Uint8Array(apdu.length - 8);
  const recipient = 1 + 9 + 9;
  toAnyone.set(apdu.subarray(0, recipient));
  toAnyone.set(apdu.subarray(recipient + 9), recipient + 1);
  expect(() => client.unprotect(toAnyone)).toThrow(expect.objectContaining({ code: "SECURITY_TITLE_REFLECTED" }));
  const fromOther = new Uint8Array(apdu);
  fromOther[12] = 0;
  expect(() => server.unprotect(fromOther)).toThrow(expect.objectContaining({ code: "SECURITY_TITLE_MISMATCH" }));
});

test("general-signing: a signature around a ciphered APDU is made, verified and refused when one octet changed", () => {
  const { client, server } = pair(1);
  const inner = client.cipher(GET_CLOCK, { control: "authenticated-encrypted", scheme: "unicast" }, TRANSACTION);
  const signed = client.sign(inner, TRANSACTION);
  const changed = new Uint8Array(signed);
  changed[60] = (changed[60] ?? 0) ^ 1;
  expect(() => server.unprotect(changed)).toThrow(expect.objectContaining({ code: "SECURITY_SIGNATURE_MISMATCH" }));
  const opened = server.unprotect(signed);
  expect(toHex(opened.apdu)).toBe(toHex(GET_CLOCK));
  expect(opened.layers.map((layer) => layer.form)).toEqual(["general-signing", "general-ciphering"]);
});

test("general protection: every truncation of an APDU is refused with a typed error", () => {
  const { client, server } = pair(1);
  const inner = client.cipher(GET_CLOCK, { control: "authenticated-encrypted", scheme: "one-pass" }, TRANSACTION);
  for (const apdu of [inner, client.sign(inner, TRANSACTION)])
    for (let length = 0; length < apdu.length; length++)
      expect(() => server.unprotect(apdu.subarray(0, length))).toThrow(
        expect.objectContaining({ name: "DlmsError", fault: "peer" }),
      );
});

test("general-ciphering: the published ciphertext of C(0e,2s) comes out of the counter mode with counter 0", () => {
  // Green Book: key and first octet; the tag printed there fits no known form.
  const encryption = new SecretKey("transactionKey", fromHex("56c46b57df675515c31025455822514a"));
  const opened = counterMode({ suite: 1, encryption }, initialisationVector(SERVER, 0), fromHex("60"));
  expect(toHex(opened)).toBe("d9");
});

interface VectorCase {
  readonly id: string;
  readonly input: { readonly hex: string };
  readonly keys: Readonly<Record<string, string>>;
  readonly expect: { readonly derived: { readonly plaintext: string } };
}

const VECTORS = (
  JSON.parse(readFileSync(join(import.meta.dirname, "../../vectors/security.json"), "utf8")) as VectorCase[]
).filter((each) => each.id.startsWith("std-sec-gencipher-"));

test.each(VECTORS)("general-ciphering: the vector $id opens under its form of additional data only", (each) => {
  const masterKey = each.keys["kek"] && new SecretKey("masterKey", fromHex(each.keys["kek"]));
  const blockCipherKey = each.keys["guek"] && new SecretKey("blockCipherKey", fromHex(each.keys["guek"]));
  const authenticationKey = new SecretKey("authenticationKey", fromHex(each.keys["gak"] ?? ""));
  const apdu = fromHex(each.input.hex);
  const aad = each.id.endsWith("-scak") ? "without-header" : "with-header";
  const receiver = (options: Partial<GeneralProtectionOptions>) =>
    new GeneralProtection({
      protection: new ApduProtection({
        suite: 0,
        ownSystemTitle: SERVER,
        keys: { authenticationKey },
        nextInvocationCounter: () => 0,
      }),
      keys: { authenticationKey, ...(masterKey && { masterKey }), ...(blockCipherKey && { blockCipherKey }) },
      nextInvocationCounter: () => 0,
      ...options,
    });
  expect(toHex(receiver({ aad }).unprotect(apdu).apdu)).toBe(each.expect.derived.plaintext);
  const other = aad === "with-header" ? "without-header" : "with-header";
  expect(() => receiver({ aad: other }).unprotect(apdu)).toThrow(
    expect.objectContaining({ code: "SECURITY_TAG_MISMATCH" }),
  );
  const tolerant = receiver({ aad: other, tolerateOtherAad: true }).unprotect(apdu);
  expect(tolerant.warnings).toEqual(["other-aad"]);
  expect(parseContent(parseGeneralCiphering(apdu).content).tag?.length).toBe(12);
});

test("general-signing: whether the length of the content is signed has to be agreed on", () => {
  for (const signedContent of ["without-length", "with-length"] as const) {
    const { client, server } = pair(1, { signedContent });
    const signed = client.sign(GET_CLOCK, TRANSACTION);
    expect(server.unprotect(signed).apdu).toEqual(GET_CLOCK);
    const { client: other } = pair(1, { signedContent });
    expect(() => server.unprotect(other.sign(GET_CLOCK, TRANSACTION))).toThrow("SECURITY_SIGNATURE_MISMATCH");
  }
});

test("general-ciphering: a wrapped key of another length than the suite's is refused by name", () => {
  const masterKey = new SecretKey("masterKey", random(16));
  const authenticationKey = new SecretKey("authenticationKey", random(16));
  const { client, server } = pair(0, { keys: { masterKey, authenticationKey } });
  const request = { control: "authenticated-encrypted", scheme: "wrapped" } as const;
  const { header, content } = parseGeneralCiphering(client.cipher(GET_CLOCK, request, TRANSACTION));
  const keyCipheredData = wrapKey(masterKey, new SecretKey("transactionKey", random(32)));
  const keyInfo = { type: "wrapped-key", kekId: "master-key", keyCipheredData } as const;
  expect(() => server.unprotect(encodeGeneralCiphering(header, keyInfo, content))).toThrow(
    expect.objectContaining({ code: "SECURITY_KEY_LENGTH", fault: "peer" }),
  );
});

test("general protection: held keys have the length of the suite", () => {
  for (const role of ["blockCipherKey", "broadcastKey", "authenticationKey"] as const)
    expect(() => pair(0, { keys: { [role]: new SecretKey(role, random(32)) } })).toThrow(
      expect.objectContaining({ code: "SECURITY_KEY_LENGTH", fault: "caller" }),
    );
});
