/** A certification authority for tests: certificates for any key, as an authority issues them for a meter's request. */
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { type Certificate, readCertificate } from "../../../protocol/security/certificate.ts";
import { contextTag, DER_TAGS, der, derBitString, derInteger } from "../../../protocol/security/der.ts";
import type { EllipticPrivateKey, EllipticPublicKey } from "../../../protocol/security/elliptic-key.ts";
import { signOctets } from "../../../protocol/security/signature.ts";

/** Unused bits, then the bits of the key usage. */
const USAGES = {
  digitalSignature: Uint8Array.of(7, 0x80),
  keyAgreement: Uint8Array.of(3, 0x08),
  authority: Uint8Array.of(1, 0x06),
} as const;
const BOOLEAN = 0x01;
const OCTET_STRING = 0x04;
const GENERALIZED_TIME = 0x18;
const TRUE = der(BOOLEAN, Uint8Array.of(0xff));
const ECDSA = { "P-256": "2a8648ce3d040302", "P-384": "2a8648ce3d040303" } as const;

export interface CertificateOrder {
  readonly commonName: string;
  readonly publicKey: EllipticPublicKey;
  readonly usage: keyof typeof USAGES;
  readonly serialNumber: number;
  readonly notAfter?: string;
}

export class Authority {
  readonly certificate: Certificate;
  readonly #key: EllipticPrivateKey;
  readonly #name: string;

  constructor(name: string, key: EllipticPrivateKey) {
    this.#key = key;
    this.#name = name;
    this.certificate = this.issue({ commonName: name, publicKey: key.publicKey, usage: "authority", serialNumber: 1 });
  }

  issue({ commonName, publicKey, usage, serialNumber, notAfter = "21261231235959Z" }: CertificateOrder): Certificate {
    const algorithm = der(DER_TAGS.sequence, oid(ECDSA[this.#key.curve]));
    const isAuthority = usage === "authority";
    const body = der(
      DER_TAGS.sequence,
      der(contextTag(0), derInteger(Uint8Array.of(2))),
      derInteger(Uint8Array.of(serialNumber)),
      algorithm,
      name(this.#name),
      der(DER_TAGS.sequence, time("20200101000000Z"), time(notAfter)),
      name(commonName),
      publicKey.toDer(),
      der(
        contextTag(3),
        der(
          DER_TAGS.sequence,
          extension("551d0f", der(DER_TAGS.bitString, USAGES[usage])),
          extension("551d13", der(DER_TAGS.sequence, ...(isAuthority ? [TRUE] : []))),
        ),
      ),
    );
    const raw = signOctets(this.#key, body);
    const half = raw.length / 2;
    const signature = der(DER_TAGS.sequence, derInteger(raw.subarray(0, half)), derInteger(raw.subarray(half)));
    return readCertificate(der(DER_TAGS.sequence, body, algorithm, derBitString(signature)));
  }
}

function oid(hex: string): Uint8Array {
  return der(DER_TAGS.objectIdentifier, fromHex(hex));
}

function time(text: string): Uint8Array {
  return der(GENERALIZED_TIME, new TextEncoder().encode(text));
}

function name(commonName: string): Uint8Array {
  const value = der(DER_TAGS.utf8String, new TextEncoder().encode(commonName));
  return der(DER_TAGS.sequence, der(DER_TAGS.set, der(DER_TAGS.sequence, oid("550403"), value)));
}

function extension(id: string, value: Uint8Array): Uint8Array {
  return der(DER_TAGS.sequence, oid(id), TRUE, der(OCTET_STRING, value));
}
