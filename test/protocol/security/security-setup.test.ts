import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Data } from "../../../protocol/axdr/data.ts";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { securitySetupV0, securitySetupV1 } from "../../../protocol/cosem/classes/security.ts";
import { DlmsError, type ErrorCode } from "../../../protocol/errors.ts";
import { drawPrivateKey } from "../../../protocol/security/elliptic-key.ts";
import { SecretKey } from "../../../protocol/security/secret-key.ts";
import {
  type CertificateReference,
  certificateListFrom,
  referenceFrom,
  referenceToData,
  SETUP_METHODS,
  travellingKeysFrom,
} from "../../../protocol/security/security-setup.ts";
import {
  answersRequest,
  certificateIn,
  certificateRequestIn,
  SecuritySetupClient,
  type SetupKey,
  type SetupOrder,
} from "../../../protocol/security/security-setup-client.ts";
import { SecuritySetupServer } from "../../../protocol/security/security-setup-server.ts";
import { systemTitle } from "../../../protocol/security/system-title.ts";
import { Authority } from "./authority.ts";

const METER = systemTitle(fromHex("4D4D4D0000BC614E"));
const CLIENT = systemTitle(fromHex("4D4D4D0000000001"));
const NOW = Date.UTC(2026, 10, 21);
const random = (length: number) => new Uint8Array(randomBytes(length));
const masterKey = new SecretKey("masterKey", random(16));

const authority = new Authority("Test Root CA", drawPrivateKey("P-256", random));
const clientKey = drawPrivateKey("P-256", random);
const clientCertificate = authority.issue({
  commonName: "4D4D4D0000000001",
  publicKey: clientKey.publicKey,
  usage: "digitalSignature",
  serialNumber: 7,
});
const setup = new SecuritySetupClient({ logicalName: fromHex("00002b0000ff"), version: 1 });

/** A meter from the factory: it knows the authority and the client, and has a key pair to sign with. */
class Meter {
  readonly signingKey = drawPrivateKey("P-256", random);
  readonly keys: SetupKey[] = [];
  readonly server: SecuritySetupServer;

  constructor(version: 0 | 1 = 1) {
    this.server = new SecuritySetupServer({
      version,
      suite: 1,
      systemTitle: METER,
      masterKey: () => masterKey,
      randomOctets: random,
      useKeys: (keys) => this.keys.push(...keys),
      keyPairs: { "digital-signature": this.signingKey },
      certificates: [authority.certificate, clientCertificate],
    });
  }

  result({ method, parameters }: SetupOrder, client = CLIENT): string {
    return this.server.invoke(method.methodId, parameters, { clientSystemTitle: client, nowMs: NOW }).result;
  }

  answer({ method, parameters }: SetupOrder): Data | undefined {
    const outcome = this.server.invoke(method.methodId, parameters, { clientSystemTitle: CLIENT, nowMs: NOW });
    if (outcome.result !== "success") throw new Error(outcome.result);
    return outcome.returnParameters?.type === "data" ? outcome.returnParameters.data : undefined;
  }

  agreement() {
    return setup.agreeOnKeys({
      suite: 1,
      roles: ["blockCipherKey", "authenticationKey", "masterKey"],
      clientSystemTitle: CLIENT,
      serverSystemTitle: METER,
      signingKey: clientKey,
      serverSigningKey: this.signingKey.publicKey,
      randomOctets: random,
    });
  }
}

test("security setup: methods have the numbers of the class's table, in either version", () => {
  const { globalKeyTransfer, securityActivate } = securitySetupV0.methods;
  expect([securityActivate, globalKeyTransfer].map(numberOf)).toEqual([1, 2]);
  for (const [name, method] of Object.entries(securitySetupV1.methods)) {
    expect(SETUP_METHODS).toMatchObject({ [name]: { id: numberOf(method) } });
  }
});

test("security setup: keys under the master key arrive, in either version; damaged ones change nothing", () => {
  const fresh = new SecretKey("blockCipherKey", random(16));
  for (const version of [0, 1] as const) {
    const meter = new Meter(version);
    const client = new SecuritySetupClient({ logicalName: fromHex("00002b0000ff"), version });
    const order = client.transferKeys(masterKey, [fresh]);
    expect(order.method).toEqual({ classId: 64, logicalName: fromHex("00002b0000ff"), methodId: 2 });
    expect(meter.result(order)).toBe("success");
    expect(meter.keys[0]?.equals(fresh)).toBe(true);
    const other = new SecretKey("masterKey", random(16));
    expect(meter.result(client.transferKeys(other, [fresh]))).toBe("other-reason");
    expect(meter.keys).toHaveLength(1);
  }
});

test("security setup: version 0 knows neither key agreement nor certificates", () => {
  const client = new SecuritySetupClient({ logicalName: fromHex("00002b0000ff"), version: 0 });
  expect(() => client.generateKeyPair("digital-signature")).toThrow(
    expect.objectContaining({ code: "DATA_OUT_OF_RANGE", fault: "caller" }),
  );
  expect(new Meter(0).result(setup.generateKeyPair("digital-signature"))).toBe("object-undefined");
});

test("security setup: both sides agree on the same keys, one for each role", () => {
  const meter = new Meter();
  const order = meter.agreement();
  const keys = order.accept(meter.answer(order));
  expect(keys.map(({ role }) => role)).toEqual(["blockCipherKey", "authenticationKey", "masterKey"]);
  expect(keys.map((key, index) => meter.keys[index]?.equals(key))).toEqual([true, true, true]);
  expect(keys[0]?.reveal()).not.toEqual(keys[1]?.reveal());
});

test("security setup: an agreement that somebody else has signed, or that lacks a key, is refused by either side", () => {
  const meter = new Meter();
  const order = meter.agreement();
  expect(meter.result(order, systemTitle(fromHex("4D4D4D0000000002")))).toBe("other-reason");
  const answer = meter.answer(order);
  const code = (data: Data | undefined) => codeOf(() => order.accept(data));
  expect(code(undefined)).toBe("DATA_TYPE_MISMATCH");
  expect(code({ type: "array", value: [] })).toBe("RESULT_COUNT_WRONG");
  const [first] = travellingKeysFrom(answer);
  if (answer?.type !== "array" || first === undefined) throw new Error("no offers");
  first.octets[5] = (first.octets[5] ?? 0) ^ 1;
  expect(code(answer)).toBe("SECURITY_SIGNATURE_MISMATCH");
});

test("security setup: a key pair gets its certificate: request, issue, import, list, export, remove", () => {
  const meter = new Meter();
  meter.answer(setup.generateKeyPair("key-agreement"));
  const request = certificateRequestIn(meter.answer(setup.generateCertificateRequest("key-agreement")), METER);
  expect(meter.server.keyPair("key-agreement")).toBeUndefined();
  const issued = authority.issue({
    commonName: "4D4D4D0000BC614E",
    publicKey: request.publicKey,
    usage: "keyAgreement",
    serialNumber: 9,
  });
  expect(answersRequest(issued, request, METER)).toBe(true);
  expect(answersRequest(clientCertificate, request, METER)).toBe(false);
  meter.answer(setup.importCertificate(issued));
  expect(meter.server.keyPair("key-agreement")?.publicKey.octets()).toEqual(request.publicKey.octets());
  expect(certificateListFrom(meter.server.certificates).map(({ entity, purpose }) => [entity, purpose])).toEqual([
    ["authority", "digital-signature"],
    ["client", "digital-signature"],
    ["server", "key-agreement"],
  ]);
  const byEntity: CertificateReference = {
    type: "entity",
    entity: "server",
    purpose: "key-agreement",
    systemTitle: METER,
  };
  const bySerial: CertificateReference = {
    type: "serial",
    serialNumber: Uint8Array.of(9),
    issuer: issued.issuer.octets,
  };
  const demand = { usage: "keyAgreement", atMs: NOW, trusted: [authority.certificate], systemTitle: METER } as const;
  for (const reference of [byEntity, bySerial]) {
    expect(certificateIn(meter.answer(setup.exportCertificate(reference)), demand).octets).toEqual(issued.octets);
  }
  meter.answer(setup.removeCertificate(bySerial));
  expect(meter.result(setup.exportCertificate(byEntity))).toBe("other-reason");
  expect(certificateListFrom(meter.server.certificates)).toHaveLength(2);
});

test("security setup: a certificate that nobody trusted has issued, or for a key that the meter has not, is not taken", () => {
  const meter = new Meter();
  const stranger = new Authority("Test Root CA", drawPrivateKey("P-256", random));
  const order = { commonName: "4D4D4D0000BC614E", usage: "digitalSignature", serialNumber: 3 } as const;
  const { publicKey } = drawPrivateKey("P-256", random);
  const { publicKey: own } = meter.signingKey;
  expect(meter.result(setup.importCertificate(stranger.issue({ ...order, publicKey: own })))).toBe("other-reason");
  expect(meter.result(setup.importCertificate(authority.issue({ ...order, publicKey })))).toBe("other-reason");
  const late = authority.issue({ ...order, publicKey: own, notAfter: "20210101000000Z" });
  expect(meter.result(setup.importCertificate(late))).toBe("other-reason");
  expect(meter.result(setup.importCertificate(authority.issue({ ...order, publicKey: own })))).toBe("success");
});

test("security setup: a request that names another meter is not for the authority", () => {
  const meter = new Meter();
  const answer = meter.answer(setup.generateCertificateRequest("digital-signature"));
  expect(codeOf(() => certificateRequestIn(answer, CLIENT))).toBe("CERTIFICATE_TITLE_MISMATCH");
  expect(codeOf(() => certificateRequestIn({ type: "null-data" }, METER))).toBe("DATA_TYPE_MISMATCH");
});

test("security setup: references and lists of any shape are read or are the peer's fault", () => {
  const leaf = fc.oneof(
    fc.nat(255).map((value): Data => ({ type: "enum", value })),
    fc.uint8Array({ maxLength: 10 }).map((value): Data => ({ type: "octet-string", value })),
  );
  const { tree } = fc.letrec<{ tree: Data }>((tie) => ({
    tree: fc.oneof(
      leaf,
      fc.array(tie("tree"), { maxLength: 6 }).map((value): Data => ({ type: "structure", value })),
      fc.array(tie("tree"), { maxLength: 6 }).map((value): Data => ({ type: "array", value })),
    ),
  }));
  const meter = new Meter();
  fc.assert(
    fc.property(tree, fc.integer({ min: 1, max: 8 }), (data, methodId) => {
      for (const read of [referenceFrom, certificateListFrom, travellingKeysFrom]) {
        const code = codeOf(() => read(data));
        expect(["none", "DATA_TYPE_MISMATCH", "DATA_OUT_OF_RANGE", "LENGTH_OVER_LIMIT"]).toContain(code);
      }
      const call = { clientSystemTitle: CLIENT, nowMs: NOW };
      expect(typeof meter.server.invoke(methodId, data, call).result).toBe("string");
    }),
    { numRuns: 300 },
  );
  const reference: CertificateReference = { type: "entity", entity: "client", purpose: "tls", systemTitle: CLIENT };
  expect(referenceFrom(referenceToData(reference))).toEqual(reference);
});

function codeOf(act: () => unknown): ErrorCode | "none" {
  try {
    act();
    return "none";
  } catch (error) {
    if (error instanceof DlmsError) return error.code;
    throw error;
  }
}

function numberOf(method: number | { readonly id: number }): number {
  return typeof method === "number" ? method : method.id;
}
