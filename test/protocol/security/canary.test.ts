import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { toHex } from "../../../protocol/bytes/hex.ts";
import { ApduProtection } from "../../../protocol/security/apdu-protection.ts";
import { passwordMatches } from "../../../protocol/security/challenge.ts";
import { diagnose } from "../../../protocol/security/diagnosis.ts";
import {
  type EllipticPrivateKey,
  privateKeyFromOctets,
  privateKeyFromPem,
} from "../../../protocol/security/elliptic-key.ts";
import { GeneralProtection } from "../../../protocol/security/general-protection.ts";
import { hlsReply, hlsVerify } from "../../../protocol/security/hls.ts";
import { unwrapKey, wrapKey } from "../../../protocol/security/key-wrap.ts";
import { openEnvelope, sealEnvelope } from "../../../protocol/security/sealed-envelope.ts";
import { type KeyRole, SecretKey } from "../../../protocol/security/secret-key.ts";
import { systemTitle } from "../../../protocol/security/system-title.ts";
import { CounterLease } from "../../../src/keys/counter-lease.ts";
import { KeyStore } from "../../../src/keys/key-store.ts";
import type { SealedKey } from "../../../src/keys/sealed-key.ts";
import { Canaries, shown } from "./canaries.ts";

const random = (length: number) => new Uint8Array(randomBytes(length));
const canaries = new Canaries();

function secretOctets(length: number): Uint8Array {
  return canaries.octets(length);
}

function canary<R extends KeyRole>(role: R, length = 16): SecretKey<R> {
  return canaries.key(role, length);
}

function leaks(text: string): string[] {
  return canaries.leaksIn(text);
}

const OWN = systemTitle(random(8));
const PEER = systemTitle(random(8));
const keys = {
  blockCipherKey: canary("blockCipherKey"),
  authenticationKey: canary("authenticationKey"),
  broadcastKey: canary("broadcastKey"),
  dedicatedKey: canary("dedicatedKey"),
};
const masterKey = canary("masterKey");
const sealingKey = canary("sealingKey", 32);
const hlsSecret = canary("hlsSecret", 12);
const signing = privateKeyFromOctets("P-256", secretOctets(32));
const agreement = privateKeyFromOctets("P-384", secretOctets(48));

function protection(own = OWN, peer = PEER): ApduProtection {
  return new ApduProtection({
    suite: 0,
    ownSystemTitle: own,
    peerSystemTitle: peer,
    keys,
    nextInvocationCounter: () => 1,
  });
}

test("canary: the search finds what is really there", () => {
  expect(leaks(`x${toHex(masterKey.reveal())}y`)).not.toEqual([]);
  expect(leaks(inspect(masterKey.reveal()))).not.toEqual([]);
  expect(leaks(JSON.stringify([...masterKey.reveal()]))).not.toEqual([]);
  expect(leaks(Buffer.from(masterKey.reveal()).toString("base64"))).not.toEqual([]);
});

test("canary: no object that holds keys shows them", async () => {
  const general = new GeneralProtection({
    protection: protection(),
    keys: { ...keys, masterKey, ownSigningKey: signing, ownAgreementKey: agreement },
    nextInvocationCounter: () => 1,
    randomOctets: random,
  });
  const storage = { readMeter: async (): Promise<SealedKey[]> => [] };
  const store = new KeyStore({ storage: storage as never, sealingKeys: [sealingKey], randomOctets: random });
  const lease = await CounterLease.open(
    { reserve: async () => 1 },
    { keyId: "key", systemTitle: OWN, association: "" },
  );
  const objects = [...Object.values(keys), masterKey, sealingKey, hlsSecret, signing, agreement];
  for (const value of [...objects, keys, protection(), general, store, lease, masterKey.keyObject, signing.keyObject])
    expect(leaks(shown(value))).toEqual([]);
  expect(String(masterKey)).toBe("[masterKey, 16 octets]");
  expect(JSON.stringify({ signing })).toBe('{"signing":"[private key on P-256]"}');
});

const PLAIN = Uint8Array.of(0xc0, 1, 0xc1, 0, 8, 0, 0, 1, 0, 0, 255, 2, 0);
const CHALLENGES = { ownChallenge: random(16), peerChallenge: random(16) };

function damaged(octets: Uint8Array): Uint8Array {
  const copy = new Uint8Array(octets);
  copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
  return copy;
}

const FAILURES: readonly (readonly [string, () => unknown])[] = [
  ["a wrong tag", () => protection(PEER, OWN).unprotect(damaged(sealed("global")))],
  ["a wrong dedicated tag", () => protection(PEER, OWN).unprotect(damaged(sealed("dedicated")))],
  ["a wrong key", () => protection(PEER, systemTitle(random(8))).unprotect(sealed("broadcast"))],
  ["a key of a wrong length", () => new SecretKey("masterKey", secretOctets(17))],
  ["a key of another suite", () => new ApduProtection({ ...options(), suite: 2 })],
  ["a wrong private key", () => privateKeyFromOctets("P-256", secretOctets(31))],
  ["a private key out of range", () => privateKeyFromOctets("P-256", outOfRange())],
  ["a damaged private key file", () => privateKeyFromPem(damagedPem(signing))],
  [
    "a wrapped key that was damaged",
    () => unwrapKey(masterKey, "blockCipherKey", damaged(wrapKey(masterKey, keys.blockCipherKey))),
  ],
  ["an envelope that was damaged", () => openEnvelope([sealingKey], damaged(envelope()), PLAIN)],
  ["an envelope under another key", () => openEnvelope([canary("sealingKey", 32)], envelope(), PLAIN)],
  ["a wrong reply to a challenge", () => hlsVerify("hls-md5", random(16), { ...CHALLENGES, secret: hlsSecret })],
  ["a wrong GMAC", () => hlsVerify("hls-gmac", random(17), { ...CHALLENGES, protection: protection() })],
  ["a secret too long for AES", () => hlsReply("hls", { ...CHALLENGES, secret: canary("hlsSecret", 40) })],
  [
    "an echoed challenge",
    () => hlsReply("hls-sha1", { ...CHALLENGES, peerChallenge: CHALLENGES.ownChallenge, secret: hlsSecret }),
  ],
];

function options() {
  return { suite: 0, ownSystemTitle: OWN, keys, nextInvocationCounter: () => 1 } as const;
}

function sealed(keySet: "global" | "dedicated" | "broadcast"): Uint8Array {
  return protection().protect(PLAIN, { control: "authenticated-encrypted", form: "general", keySet });
}

function envelope(): Uint8Array {
  return sealEnvelope(sealingKey, masterKey.reveal(), PLAIN, random);
}

function outOfRange(): Uint8Array {
  const octets = secretOctets(32);
  octets.fill(0xff, 0, 16);
  return octets;
}

function damagedPem(key: EllipticPrivateKey): string {
  const pem = key.keyObject.export({ type: "pkcs8", format: "pem" }).toString();
  return pem.replace("BEGIN PRIVATE KEY-----\nM", "BEGIN PRIVATE KEY-----\nN");
}

test.each(FAILURES)("canary: the error about %s shows no key", (_name, fails) => {
  let error: unknown;
  try {
    fails();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ name: "DlmsError" });
  expect(leaks(shown(error))).toEqual([]);
});

test("canary: a diagnosis and a password check show no key", () => {
  const otherKeys = [{ name: "master", key: masterKey }];
  expect(leaks(shown(diagnose(damaged(sealed("global")), { keys, otherKeys })))).toEqual([]);
  expect(passwordMatches(hlsSecret, hlsSecret.reveal())).toBe(true);
  expect(passwordMatches(hlsSecret, random(12))).toBe(false);
  expect(passwordMatches(hlsSecret, random(3))).toBe(false);
});
