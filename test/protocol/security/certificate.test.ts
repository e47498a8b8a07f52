import { randomBytes, X509Certificate } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { type CertificateDemand, checkCertificate, readCertificate } from "../../../protocol/security/certificate.ts";
import { makeCertificateRequest, readCertificateRequest } from "../../../protocol/security/certificate-request.ts";
import { drawPrivateKey } from "../../../protocol/security/elliptic-key.ts";
import { systemTitle } from "../../../protocol/security/system-title.ts";
import { Authority } from "./authority.ts";
import { certificateOctets } from "./certificates.ts";

const METER = systemTitle(fromHex("4d4d4d0000bc614e"));
const AT = Date.UTC(2030, 0, 1);
const certificate = (name: Parameters<typeof certificateOctets>[0]) => readCertificate(certificateOctets(name));
const root = certificate("rootCa");
const sub = certificate("subCa");
const signing = certificate("signing");

const demand: CertificateDemand = {
  usage: "digitalSignature",
  atMs: AT,
  trusted: [root],
  intermediate: [sub],
  systemTitle: METER,
};
const refused = (code: string) => expect.objectContaining({ code, fault: "peer" });

test("certificate: title, serial number, names, usage, times and key are what OpenSSL wrote", () => {
  expect(signing).toMatchObject({ isAuthority: false, keyUsages: ["digitalSignature"] });
  expect(toHex(signing.systemTitle ?? new Uint8Array(0))).toBe("4d4d4d0000bc614e");
  expect(toHex(signing.serialNumber)).toBe("0102030405060708090a0b0c0d0e0f10111213");
  expect(signing.subject.commonName).toBe("4D4D4D0000BC614E");
  expect(signing.issuer).toEqual(sub.subject);
  expect(signing.publicKey.curve).toBe("P-256");
  expect(toHex(signing.publicKey.octets())).toMatch(/^97f05a1f5024ca92d98bcce8f8276647/);
  expect(new Date(signing.notBeforeMs).getUTCFullYear()).toBe(2026);
  expect(new Date(signing.notAfterMs).getUTCFullYear()).toBe(2126);
  expect(toHex(signing.octets)).toBe(toHex(certificateOctets("signing")));
  expect(sub).toMatchObject({ isAuthority: true, keyUsages: ["keyCertSign", "crlSign"], systemTitle: undefined });
  expect(certificate("signing2").publicKey.curve).toBe("P-384");
});

test("certificate: the chain runs over the sub-authority to the root, on either curve", () => {
  expect(checkCertificate(signing, demand)).toEqual([signing, sub, root]);
  const root2 = certificate("rootCa2");
  const signing2 = certificate("signing2");
  const { systemTitle: _other, ...anyTitle } = demand;
  expect(checkCertificate(signing2, { ...anyTitle, trusted: [root2] })).toEqual([signing2, root2]);
});

test("certificate: one that is trusted itself needs nobody else", () => {
  expect(checkCertificate(signing, { ...demand, trusted: [signing], intermediate: [] })).toEqual([signing]);
});

test("certificate: everything that can be wrong with a chain has its own code", () => {
  expect(() => checkCertificate(signing, { ...demand, intermediate: [] })).toThrow(
    refused("CERTIFICATE_ISSUER_UNKNOWN"),
  );
  expect(() => checkCertificate(signing, { ...demand, trusted: [certificate("rootCa2")] })).toThrow(
    refused("CERTIFICATE_ISSUER_UNKNOWN"),
  );
  expect(() => checkCertificate(signing, { ...demand, trusted: [certificate("otherRootCa")] })).toThrow(
    refused("CERTIFICATE_SIGNATURE_WRONG"),
  );
  expect(() => checkCertificate(certificate("agreement"), demand)).toThrow(refused("CERTIFICATE_USAGE_WRONG"));
  expect(() => checkCertificate(sub, { ...demand, usage: "digitalSignature" })).toThrow(expect.anything());
  expect(() => checkCertificate(signing, { ...demand, atMs: Date.UTC(2020, 0, 1) })).toThrow(
    refused("CERTIFICATE_OUT_OF_DATE"),
  );
  expect(() => checkCertificate(signing, { ...demand, atMs: Date.UTC(2200, 0, 1) })).toThrow(
    refused("CERTIFICATE_OUT_OF_DATE"),
  );
  const stranger = systemTitle(fromHex("4d4d4d0000bc614f"));
  expect(() => checkCertificate(signing, { ...demand, systemTitle: stranger })).toThrow(
    refused("CERTIFICATE_TITLE_MISMATCH"),
  );
});

test("certificate: an end entity cannot issue, though its signature is right", () => {
  const byEndEntity = certificate("signedByEndEntity");
  expect(() => checkCertificate(byEndEntity, { ...demand, intermediate: [sub, signing] })).toThrow(
    refused("CERTIFICATE_USAGE_WRONG"),
  );
});

test("certificate: a changed one does not pass for the one that was signed", () => {
  const octets = certificateOctets("signing");
  const changed = new Uint8Array(octets);
  const title = Buffer.from(octets).indexOf("4D4D4D0000BC614E");
  changed.set(new TextEncoder().encode("4D4D4D0000BC614F"), title);
  const forged = readCertificate(changed);
  const { systemTitle: _wanted, ...anyTitle } = demand;
  expect(() => checkCertificate(forged, anyTitle)).toThrow(refused("CERTIFICATE_SIGNATURE_WRONG"));
});

test("certificate: other keys, truncations, PEM text and noise are refused with a typed error", () => {
  const typed = expect.objectContaining({ name: "DlmsError", fault: "peer" });
  expect(() => certificate("rsa")).toThrow(refused("SECURITY_PUBLIC_KEY_INVALID"));
  const octets = certificateOctets("signing");
  for (let length = 0; length < octets.length; length++)
    expect(() => readCertificate(octets.subarray(0, length))).toThrow(typed);
  expect(() => readCertificate(Uint8Array.of(...octets, 0))).toThrow(typed);
  const pem = new X509Certificate(octets).toString();
  expect(() => readCertificate(new TextEncoder().encode(pem))).toThrow(refused("CERTIFICATE_INVALID"));
});

function outcome(octets: Uint8Array): string {
  try {
    readCertificate(octets);
    return "read";
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}

test("certificate: mutated octets are read or refused with a typed error, never anything else", () => {
  const octets = certificateOctets("signing");
  const change = fc.array(fc.tuple(fc.nat(octets.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(change, (changes) => {
      const mutated = new Uint8Array(octets);
      for (const [at, octet] of changes) mutated[at] = octet;
      expect(["read", "DlmsError"]).toContain(outcome(mutated));
    }),
    { numRuns: 500 },
  );
});

test("request: one that OpenSSL made is read, its signature verified", () => {
  const request = readCertificateRequest(certificateOctets("request"));
  expect(request.commonName).toBe("4D4D4D0000BC614E");
  expect(request.publicKey.equals(signing.publicKey)).toBe(true);
});

test.each(["P-256", "P-384"] as const)("request: one that we make on %s reads back, changed octets do not", (curve) => {
  const key = drawPrivateKey(curve, (length) => new Uint8Array(length).fill(7));
  const octets = makeCertificateRequest(key, METER);
  const request = readCertificateRequest(octets);
  expect(request.commonName).toBe("4D4D4D0000BC614E");
  expect(request.publicKey.equals(key.publicKey)).toBe(true);
  const changed = new Uint8Array(octets);
  const title = Buffer.from(octets).indexOf("4D4D4D");
  changed[title] = 0x35;
  expect(() => readCertificateRequest(changed)).toThrow(refused("CERTIFICATE_SIGNATURE_WRONG"));
  for (let length = 0; length < octets.length; length++)
    expect(() => readCertificateRequest(octets.subarray(0, length))).toThrow(
      expect.objectContaining({ name: "DlmsError", fault: "peer" }),
    );
});

test("certificate: of a name that is no name an error shows a line, and no more than a name has", () => {
  const key = drawPrivateKey("P-256", (length) => new Uint8Array(randomBytes(length)));
  const commonName = `meter\nlevel=error ${"x".repeat(1000)}`;
  const order = { publicKey: key.publicKey, usage: "digitalSignature", serialNumber: 2 } as const;
  const issued = new Authority("root", key).issue({ ...order, commonName });
  const at = { subject: `meter?level=error ${"x".repeat(46)}`, issuer: "root" };
  expect(() => checkCertificate(issued, { usage: "digitalSignature", atMs: AT, trusted: [] })).toThrow(
    expect.objectContaining({ code: "CERTIFICATE_ISSUER_UNKNOWN", at }),
  );
});
