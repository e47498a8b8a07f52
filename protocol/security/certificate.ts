/**
 * X.509 certificates as DLMS suites 1 and 2 have them (IEC 62056-5-3, public key certificates): keys on P-256 or P-384,
 * one key usage for end entities, whose common name is their system title in hexadecimal. Time comes in as an argument.
 */

import { X509Certificate } from "node:crypto";
import { fromHex, toHex } from "../bytes/hex.ts";
import { sameOctets } from "../bytes/octets.ts";
import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { DER_TAGS, type DerElement, derChildren, readDer } from "./der.ts";
import { type EllipticPublicKey, publicKeyFromDer } from "./elliptic-key.ts";
import { type SystemTitle, sameTitle, systemTitle, titleText } from "./system-title.ts";

/** Bits of the key usage extension that DLMS uses, from the first bit on. */
const KEY_USAGES = { digitalSignature: 0, keyAgreement: 4, keyCertSign: 5, crlSign: 6 } as const;

type KeyUsage = keyof typeof KEY_USAGES;

const KEY_USAGE_EXTENSION = toHex(Uint8Array.of(0x55, 0x1d, 0x0f));
const COMMON_NAME = toHex(Uint8Array.of(0x55, 0x04, 0x03));
const VERSION_FIELD = 0xa0;
const EXTENSIONS_FIELD = 0xa3;
const NAME_PATTERN = /^[0-9A-F]{16}$/i;

/** Who issued a certificate or whom it names. */
export interface CertificateName {
  /** DER of the whole name, as the security setup object lists it. */
  readonly octets: Uint8Array;
  readonly commonName: string | undefined;
}

export interface Certificate {
  /** DER, as it is imported into and exported from a meter. */
  readonly octets: Uint8Array;
  readonly serialNumber: Uint8Array;
  readonly issuer: CertificateName;
  readonly subject: CertificateName;
  /** The subject's common name as a system title; undefined for authorities. */
  readonly systemTitle: SystemTitle | undefined;
  readonly notBeforeMs: number;
  /** The end of the year 9999 stands for no end. */
  readonly notAfterMs: number;
  readonly isAuthority: boolean;
  readonly keyUsages: readonly KeyUsage[];
  readonly publicKey: EllipticPublicKey;
}

/** What a certificate must be good for. */
export interface CertificateDemand {
  readonly usage: "digitalSignature" | "keyAgreement";
  readonly atMs: number;
  /** Authorities that are believed without further proof. */
  readonly trusted: readonly Certificate[];
  /** Authorities between, which need an issuer themselves. */
  readonly intermediate?: readonly Certificate[];
  readonly systemTitle?: SystemTitle;
}

/** Reads one certificate from DER. Throws CERTIFICATE_INVALID. */
export function readCertificate(octets: Uint8Array): Certificate {
  const read = parsed(octets);
  // What node:crypto reads later than at construction may throw errors of its own.
  const facts = guarded(octets, () => ({
    notBeforeMs: read.validFromDate.getTime(),
    notAfterMs: read.validToDate.getTime(),
    isAuthority: read.ca,
  }));
  if (!Number.isFinite(facts.notBeforeMs) || !Number.isFinite(facts.notAfterMs))
    throw new DlmsError("CERTIFICATE_INVALID", "peer", { field: "validity" });
  // SEQUENCE { tbsCertificate { [0] version, serial, algorithm, issuer, validity, subject, key, … [3] extensions }, … }
  const fields = derChildren(child(readDer(octets), 0));
  const start = fields[0]?.tag === VERSION_FIELD ? 1 : 0;
  const subject = nameIn(at(fields, start + 4));
  const keyUsages = keyUsagesIn(fields.find((each) => each.tag === EXTENSIONS_FIELD));
  return {
    octets: new Uint8Array(octets),
    serialNumber: new Uint8Array(at(fields, start).contents),
    issuer: nameIn(at(fields, start + 2)),
    subject,
    systemTitle:
      subject.commonName !== undefined && NAME_PATTERN.test(subject.commonName)
        ? systemTitle(fromHex(subject.commonName), "peer")
        : undefined,
    ...facts,
    keyUsages,
    publicKey: publicKeyFromDer(at(fields, start + 5).octets),
  };
}

/**
 * The way from a certificate to a trusted authority, both included. Throws CERTIFICATE_TITLE_MISMATCH,
 * CERTIFICATE_USAGE_WRONG, CERTIFICATE_OUT_OF_DATE, CERTIFICATE_SIGNATURE_WRONG or CERTIFICATE_ISSUER_UNKNOWN.
 */
export function checkCertificate(certificate: Certificate, demand: CertificateDemand): readonly Certificate[] {
  const { usage, systemTitle: wanted, trusted, intermediate = [] } = demand;
  const named = certificate.systemTitle;
  if (wanted !== undefined && (named === undefined || !sameTitle(named, wanted)))
    throw refused("CERTIFICATE_TITLE_MISMATCH", certificate, { expected: titleText(wanted) });
  if (certificate.isAuthority || !certificate.keyUsages.includes(usage))
    throw refused("CERTIFICATE_USAGE_WRONG", certificate, { usage: certificate.keyUsages.join(" "), wanted: usage });
  const chain = [certificate];
  for (let last = certificate; chain.length <= LIMITS.certificateChain; chain.push(last)) {
    requireInTime(last, demand.atMs);
    if (trusted.some((each) => sameOctets(each.octets, last.octets))) return chain;
    const issuer = issuerOf(last, [...trusted, ...intermediate]);
    if (issuer === undefined) throw refused("CERTIFICATE_ISSUER_UNKNOWN", last, { issuer: shownName(last.issuer) });
    last = issuer;
  }
  throw new DlmsError("LENGTH_OVER_LIMIT", "peer", { certificates: chain.length, limit: LIMITS.certificateChain });
}

/** The authority whose name and key fit. Throws when one of that name is there, but none has signed or may sign. */
function issuerOf(certificate: Certificate, authorities: readonly Certificate[]): Certificate | undefined {
  const named = authorities.filter(
    (each) =>
      sameOctets(each.subject.octets, certificate.issuer.octets) && !sameOctets(each.octets, certificate.octets),
  );
  if (named.length === 0) return undefined;
  const signed = parsed(certificate.octets);
  const signer = named.find((each) => guarded(certificate.octets, () => signed.verify(each.publicKey.keyObject)));
  if (signer === undefined)
    throw refused("CERTIFICATE_SIGNATURE_WRONG", certificate, { issuer: shownName(certificate.issuer) });
  if (!signer.isAuthority || !signer.keyUsages.includes("keyCertSign"))
    throw refused("CERTIFICATE_USAGE_WRONG", signer, { usage: signer.keyUsages.join(" "), wanted: "keyCertSign" });
  return signer;
}

function requireInTime(certificate: Certificate, atMs: number): void {
  const { notBeforeMs, notAfterMs } = certificate;
  if (atMs < notBeforeMs || atMs > notAfterMs)
    throw refused("CERTIFICATE_OUT_OF_DATE", certificate, {
      notBefore: new Date(notBeforeMs).toISOString(),
      notAfter: new Date(notAfterMs).toISOString(),
    });
}

/** The common name in a DER name, and all of it. */
export function nameIn(name: DerElement): CertificateName {
  const attributes = derChildren(name)
    .flatMap((set) => derChildren(set))
    .map((attribute) => derChildren(attribute));
  const value = attributes.find(([type]) => type !== undefined && toHex(type.contents) === COMMON_NAME)?.[1];
  const commonName = value === undefined ? undefined : new TextDecoder().decode(value.contents);
  return { octets: new Uint8Array(name.octets), commonName };
}

function keyUsagesIn(extensions: DerElement | undefined): readonly KeyUsage[] {
  if (extensions === undefined) return [];
  const usage = derChildren(child(extensions, 0))
    .map((each) => derChildren(each))
    .find(([id]) => id !== undefined && toHex(id.contents) === KEY_USAGE_EXTENSION)
    ?.at(-1);
  if (usage === undefined) return [];
  const bits = readDer(usage.contents);
  if (bits.tag !== DER_TAGS.bitString) throw new DlmsError("CERTIFICATE_INVALID", "peer", { field: "keyUsage" });
  // The first octet counts the unused bits.
  const octet = bits.contents[1] ?? 0;
  const has = (bit: number) => (octet & (0x80 >> bit)) !== 0;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.keys forgets the keys' literal types.
  return (Object.keys(KEY_USAGES) as KeyUsage[]).filter((each) => has(KEY_USAGES[each]));
}

function parsed(octets: Uint8Array): X509Certificate {
  if (octets.length > LIMITS.certificateLength)
    throw new DlmsError("LENGTH_OVER_LIMIT", "peer", { length: octets.length, limit: LIMITS.certificateLength });
  // Text would be read as PEM; DER begins with the tag of a sequence.
  if (octets[0] !== DER_TAGS.sequence) throw new DlmsError("CERTIFICATE_INVALID", "peer", { tag: octets[0] ?? "none" });
  return guarded(octets, () => new X509Certificate(octets));
}

function guarded<Result>(octets: Uint8Array, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    throw new DlmsError("CERTIFICATE_INVALID", "peer", { length: octets.length }, { cause });
  }
}

function child(element: DerElement, index: number): DerElement {
  return at(derChildren(element), index);
}

function at(elements: readonly DerElement[], index: number): DerElement {
  const element = elements[index];
  if (element === undefined) throw new DlmsError("CERTIFICATE_INVALID", "peer", { field: index });
  return element;
}

/** A name for an error: whoever made the certificate may have put anything into it. */
export function shownName({ commonName = "without common name" }: Pick<CertificateName, "commonName">): string {
  return commonName.slice(0, LIMITS.shownName).replace(/\p{C}/gu, "?");
}

function refused(
  code:
    | "CERTIFICATE_TITLE_MISMATCH"
    | "CERTIFICATE_USAGE_WRONG"
    | "CERTIFICATE_OUT_OF_DATE"
    | "CERTIFICATE_SIGNATURE_WRONG"
    | "CERTIFICATE_ISSUER_UNKNOWN",
  certificate: Certificate,
  at: Readonly<Record<string, string>>,
): DlmsError {
  return new DlmsError(code, "peer", { subject: shownName(certificate.subject), ...at });
}
