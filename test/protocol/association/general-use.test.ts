/** HLS by signatures, general-ciphering and general-signing, between our client and our server. */
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { decodeApdu } from "../../../protocol/apdu/apdu.ts";
import type { ClientSettings } from "../../../protocol/association/client/client-settings.ts";
import type { GeneralUse } from "../../../protocol/association/general-use.ts";
import type { AssociationRule, AssociationSecurity } from "../../../protocol/association/server/association-rule.ts";
import { conformanceFromNumber } from "../../../protocol/ber/conformance.ts";
import { hdlcAddress } from "../../../protocol/link/hdlc/address.ts";
import { HdlcClient } from "../../../protocol/link/hdlc/client.ts";
import { HdlcServer } from "../../../protocol/link/hdlc/server.ts";
import { ApduProtection } from "../../../protocol/security/apdu-protection.ts";
import { readCertificate } from "../../../protocol/security/certificate.ts";
import {
  type Curve,
  drawPrivateKey,
  type EllipticPrivateKey,
  privateKeyFromPem,
} from "../../../protocol/security/elliptic-key.ts";
import { GeneralProtection, type GeneralProtectionOptions } from "../../../protocol/security/general-protection.ts";
import { SecretKey } from "../../../protocol/security/secret-key.ts";
import type { KeyScheme } from "../../../protocol/security/transaction-key.ts";
import { SIGNING_IDENTITIES } from "./identities.ts";
import { ApduPair, SessionPair } from "./pair.ts";
import { CLIENT_TITLE, counter, FixtureObjects, OPEN_RULE, SERVER_TITLE } from "./server-fixture.ts";
import { LONG, octets, serve, settingsOf } from "./variants.ts";

const long = { classId: 1, logicalName: LONG, attributeId: 2 };
const CONFORMANCE = conformanceFromNumber(0x407e1f);
const random = (length: number) => new Uint8Array(randomBytes(length));

interface Identity {
  readonly signing: EllipticPrivateKey;
  readonly agreement: EllipticPrivateKey;
}

interface Sides {
  readonly client: ClientSettings;
  readonly rule: AssociationRule;
}

interface Wish {
  readonly suite: 0 | 1 | 2;
  readonly scheme?: KeyScheme;
  readonly sign?: boolean;
  readonly security?: Partial<AssociationSecurity>;
  readonly size?: number;
  readonly near?: Partial<GeneralProtectionOptions>;
  readonly far?: Partial<GeneralProtectionOptions>;
}

/** Both sides of an association in which requests are wrapped. */
function sides({ suite, scheme, sign, security, size = 512, ...habits }: Wish): Sides {
  const length = suite === 2 ? 32 : 16;
  const curve: Curve = suite === 2 ? "P-384" : "P-256";
  const keys = {
    blockCipherKey: new SecretKey("blockCipherKey", random(length)),
    authenticationKey: new SecretKey("authenticationKey", random(length)),
    broadcastKey: new SecretKey("broadcastKey", random(length)),
  };
  const masterKey = new SecretKey("masterKey", random(length));
  const draw = (): Identity => ({ signing: drawPrivateKey(curve, random), agreement: drawPrivateKey(curve, random) });
  const [ours, theirs] = [draw(), draw()];
  const side = (who: "near" | "far", own: Identity, peer: Identity) => {
    const ownSystemTitle = who === "near" ? CLIENT_TITLE : SERVER_TITLE;
    const nextInvocationCounter = counter(1);
    const protection = new ApduProtection({
      suite,
      ownSystemTitle,
      keys,
      nextInvocationCounter,
      minimum: { received: "authenticated-encrypted" },
    });
    const general = new GeneralProtection({
      protection,
      keys: {
        ...keys,
        masterKey,
        ownSigningKey: own.signing,
        ownAgreementKey: own.agreement,
        peerSigningKey: peer.signing.publicKey,
        peerAgreementKey: peer.agreement.publicKey,
      },
      nextInvocationCounter,
      randomOctets: random,
      ...habits[who],
    });
    return { protection, general };
  };
  const near = side("near", ours, theirs);
  const far = side("far", theirs, ours);
  const general: GeneralUse = {
    protection: near.general,
    ...(scheme && { scheme }),
    ...(sign && { sign }),
    transactionId: () => random(8),
  };
  return {
    client: settingsOf({
      authentication: { mechanism: "hls-gmac" },
      protection: near.protection,
      ciphering: { request: "authenticated-encrypted" },
      general,
      conformance: CONFORMANCE,
      maxReceivePduSize: size,
    }),
    rule: {
      ...OPEN_RULE,
      applicationContexts: ["logical-name-with-ciphering"],
      mechanism: "hls-gmac",
      conformance: CONFORMANCE,
      maxReceivePduSize: size,
      security: { protection: far.protection, general: far.general, ...security },
    },
  };
}

const SCHEMES: readonly (readonly [0 | 1 | 2, KeyScheme, boolean])[] = [
  [0, "unicast", false],
  [0, "broadcast", false],
  [0, "wrapped", false],
  [1, "unicast", true],
  [1, "one-pass", false],
  [1, "static", true],
  [2, "wrapped", true],
  [2, "one-pass", true],
  [2, "static", false],
];

test.each(SCHEMES)("general ciphering, suite %i, %s key, signed %s: blocks both ways", (suite, scheme, sign) => {
  const { client, rule } = sides({ suite, scheme, sign });
  const { server, objects } = serve(rule);
  // A few blocks: each costs several operations on a curve.
  objects.values.set(FixtureObjects.key(1, LONG, 2), octets(800));
  const pair = new ApduPair(client, server);
  expect(pair.run({ type: "associate" }).at(-1)).toMatchObject({ type: "associated" });
  expect(pair.ask({ type: "get", attribute: long })).toEqual({
    type: "get",
    result: { type: "data", data: octets(800) },
  });
  expect(pair.ask({ type: "set", attribute: long, value: octets(600) })).toEqual({ type: "set", result: "success" });
  expect(pair.ask({ type: "get", attribute: long })).toMatchObject({ result: { data: octets(600) } });
  expect(pair.run({ type: "release" }).at(-1)).toEqual({ type: "released", answer: "rlre" });
  const wrapped = pair.requests.slice(1, -1);
  expect(new Set(wrapped.map((request) => request[0]))).toEqual(new Set([sign ? 0xdf : 0xdd]));
  expect(Math.max(...pair.requests.map((request) => request.length))).toBeLessThanOrEqual(512);
});

test("general signing: what the association's own ciphering protects is signed", () => {
  const { client, rule } = sides({ suite: 1, sign: true });
  const pair = new ApduPair(client, serve(rule).server);
  pair.run({ type: "associate" });
  expect(pair.ask({ type: "get", attribute: long })).toMatchObject({ result: { data: octets(3000) } });
  const signed = decodeApdu(pair.requests.at(-1) ?? new Uint8Array(0));
  if (signed.apdu !== "general-signing") throw new Error("not signed");
  expect(signed.body.content[0]).toBe(0xc8);
});

test("general signing: a server that wants signatures refuses what has none, AARQ excepted", () => {
  const { client, rule } = sides({ suite: 1, scheme: "static", security: { signedRequests: true } });
  const pair = new ApduPair(client, serve(rule).server);
  expect(pair.run({ type: "associate" }).at(-1)).toMatchObject({
    type: "failed",
    failure: { stage: "hls", evidence: { type: "exception", exception: { serviceError: "operation-not-possible" } } },
  });
});

/** The answer to a GET, changed on its way. */
function answered(wish: Wish, change: (answer: Uint8Array, earlier: Uint8Array) => Uint8Array): unknown {
  const { client, rule } = sides({ ...wish, size: 4096 });
  const { server } = serve(rule);
  const pair = new ApduPair(client, server);
  pair.run({ type: "associate" });
  const answers: Uint8Array[] = [];
  const take = server.takeBytes.bind(server);
  server.takeBytes = () => {
    const bytes = take();
    if (bytes === undefined) return undefined;
    answers.push(bytes);
    const [earlier] = answers;
    return answers.length > 1 && earlier !== undefined ? change(bytes, earlier) : bytes;
  };
  pair.ask({ type: "get", attribute: long });
  return pair.run({ type: "get", attribute: long }).at(-1);
}

function unsigned(answer: Uint8Array): Uint8Array {
  const apdu = decodeApdu(answer);
  return apdu.apdu === "general-signing" ? apdu.body.content : answer;
}

function changed(answer: Uint8Array): Uint8Array {
  return answer.with(answer.length - 20, (answer.at(-20) ?? 0) ^ 1);
}

test.each(["static", "one-pass", "wrapped"] as const)(
  "general ciphering, %s key: the answer to an earlier request is not taken for this one's",
  (scheme) => {
    expect(answered({ suite: 1, scheme }, (_answer, earlier) => earlier)).toMatchObject({
      type: "failed",
      failure: { error: { code: "SECURITY_TRANSACTION_MISMATCH" } },
    });
  },
);

test("general signing: an answer whose signature was taken off is refused", () => {
  expect(answered({ suite: 1, scheme: "static", sign: true }, unsigned)).toMatchObject({
    failure: { error: { code: "SECURITY_WEAKER_THAN_REQUIRED" } },
  });
});

test.each([
  ["ciphered", false, "SECURITY_TAG_MISMATCH"],
  ["signed", true, "SECURITY_SIGNATURE_MISMATCH"],
] as const)("general protection: an answer that is %s and changed on its way is refused", (_name, sign, code) => {
  expect(answered({ suite: 1, scheme: "static", sign }, changed)).toMatchObject({ failure: { error: { code } } });
});

test("general protection: without the keys for it a client says so", () => {
  const { client, rule } = sides({ suite: 1, scheme: "static" });
  const wrapping = serve(rule).server;
  const { general: _, ...without } = client;
  const pair = new ApduPair(without, wrapping);
  pair.run({ type: "associate" });
  pair.client.command({ type: "get", attribute: long }, 0);
  pair.client.receive(Uint8Array.of(0xdd, 0, 0, 0, 0, 0), 0);
  expect(pair.client.takeEvent()).toMatchObject({
    type: "failed",
    failure: { error: { code: "SECURITY_KEY_MISSING" } },
  });
});

const CLIENT_KEY = privateKeyFromPem(SIGNING_IDENTITIES.client.privateKey);
const SERVER_KEY = privateKeyFromPem(SIGNING_IDENTITIES.server.privateKey);
const clientCertificate = readCertificate(SIGNING_IDENTITIES.client.certificate);
const serverCertificate = readCertificate(SIGNING_IDENTITIES.server.certificate);

test("hls by signatures over hdlc: each side knows the other by its certificate", () => {
  expect(clientCertificate.systemTitle).toEqual(CLIENT_TITLE);
  expect(serverCertificate.systemTitle).toEqual(SERVER_TITLE);
  const rule: AssociationRule = {
    ...OPEN_RULE,
    mechanism: "hls-ecdsa",
    systemTitle: SERVER_TITLE,
    clientSystemTitle: CLIENT_TITLE,
    signingKey: SERVER_KEY,
    clientSigningKey: clientCertificate.publicKey,
  };
  const settings = (serverSigningKey = serverCertificate.publicKey): ClientSettings => ({
    ...settingsOf({ systemTitle: CLIENT_TITLE, challenge: () => random(32) }),
    authentication: { mechanism: "hls-ecdsa", signingKey: CLIENT_KEY, serverSigningKey },
  });
  const pair = (client: ClientSettings) => {
    const link = new HdlcClient({ clientSap: 16, server: hdlcAddress(1, 17) });
    const far = new HdlcServer({ logicalDevices: [1], physicalDevice: 17 });
    const made = new SessionPair({ link, settings: client }, { link: far, association: serve(rule).server });
    made.run({ type: "open" }, "opened");
    return made;
  };
  const good = pair(settings());
  expect(good.run({ type: "associate" }, "associated").type).toBe("associated");
  expect(good.ask({ type: "get", attribute: long })).toMatchObject({ result: { data: octets(3000) } });
  // A server that another certificate belongs to is not believed.
  expect(pair(settings(clientCertificate.publicKey)).run({ type: "associate" }, "associated")).toMatchObject({
    type: "failed",
    failure: { stage: "hls", error: { code: "HLS_REPLY_MISMATCH" } },
  });
});

/** An association in which requests are wrapped under the unicast key, and the answer that came last. */
function unicast(wish: Pick<Wish, "near" | "far">) {
  const { client, rule } = sides({ suite: 0, scheme: "unicast", size: 4096, ...wish });
  const { server } = serve(rule);
  const pair = new ApduPair(client, server);
  let answer = new Uint8Array(0);
  const take = server.takeBytes.bind(server);
  server.takeBytes = () => {
    const bytes = take();
    if (bytes !== undefined) answer = Uint8Array.from(bytes);
    return bytes;
  };
  pair.run({ type: "associate" });
  return { pair, lastAnswer: () => answer };
}

test("general ciphering: an answer that the network delivers twice does not end the request that follows", () => {
  const { pair, lastAnswer } = unicast({});
  pair.ask({ type: "get", attribute: long });
  pair.client.command({ type: "get", attribute: long }, 0);
  pair.client.receive(lastAnswer(), 0);
  expect(pair.client.takeEvent()).toMatchObject({
    type: "discarded",
    error: { code: "SECURITY_COUNTER_REPLAYED" },
  });
});

test("general ciphering: what was let pass is told", () => {
  const { pair } = unicast({
    near: { tolerateOtherAad: true },
    far: { aad: "without-header", tolerateOtherAad: true },
  });
  expect(pair.run({ type: "get", attribute: long })).toMatchObject([
    { type: "leniency", name: "other-aad" },
    { type: "response" },
  ]);
});
