/**
 * What the methods of a meter's Security setup do: keys that are transferred or agreed on, key pairs, certificates. Keeps
 * certificates and key pairs; keys that take effect are handed to the owner. What a client sends wrong is an action-result.
 */

import type { ActionOutcome } from "../apdu/action.ts";
import type { Data } from "../axdr/data.ts";
import { sameOctets } from "../bytes/octets.ts";
import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { type Certificate, checkCertificate, readCertificate } from "./certificate.ts";
import { makeCertificateRequest } from "./certificate-request.ts";
import { curveOfSuite, drawPrivateKey, type EllipticPrivateKey, type EllipticPublicKey } from "./elliptic-key.ts";
import {
  acceptEphemeralKey,
  agreedSetupKey,
  type KdfIdentifier,
  offerEphemeralKey,
  sharedSecret,
} from "./key-agreement.ts";
import { unwrapKey } from "./key-wrap.ts";
import type { MasterKey } from "./secret-key.ts";
import {
  type CertificateEntity,
  type CertificateEntry,
  type CertificateReference,
  certificateListToData,
  type KeyPurpose,
  octetString,
  octetsOf,
  purposeFrom,
  referenceFrom,
  SETUP_KEY_IDS,
  SETUP_METHODS,
  type SecuritySetupVersion,
  type SetupMethod,
  type TravellingKey,
  travellingKeysFrom,
  travellingKeysToData,
} from "./security-setup.ts";
import type { SetupKey } from "./security-setup-client.ts";
import type { SecuritySuite } from "./suites.ts";
import { type SystemTitle, sameTitle } from "./system-title.ts";

export interface SecuritySetupServerOptions {
  readonly version: SecuritySetupVersion;
  readonly suite: SecuritySuite;
  readonly systemTitle: SystemTitle;
  readonly masterKey: () => MasterKey;
  readonly randomOctets: (length: number) => Uint8Array;
  /** Puts new keys in force; those of open associations stay. */
  readonly useKeys: (keys: readonly SetupKey[]) => void;
  /** Takes a stronger policy; false refuses it. */
  readonly activate?: (policy: number) => boolean;
  /** Own key pairs from the factory, by purpose. */
  readonly keyPairs?: Readonly<Partial<Record<KeyPurpose, EllipticPrivateKey>>>;
  readonly certificates?: readonly Certificate[];
  readonly kdfIdentifier?: KdfIdentifier;
}

/** Who invokes a method, and when. */
export interface SetupCall {
  readonly clientSystemTitle: SystemTitle | undefined;
  readonly nowMs: number;
}

const USAGES = { "digital-signature": "digitalSignature", "key-agreement": "keyAgreement" } as const;
const NO_OCTETS = new Uint8Array(0);

export class SecuritySetupServer {
  readonly #options: SecuritySetupServerOptions;
  readonly #keyPairs = new Map<KeyPurpose, EllipticPrivateKey>();
  /** Made, but without a certificate yet. */
  readonly #newKeyPairs = new Map<KeyPurpose, EllipticPrivateKey>();
  #certificates: Certificate[];

  constructor(options: SecuritySetupServerOptions) {
    this.#options = options;
    this.#certificates = [...(options.certificates ?? [])];
    for (const purpose of ["digital-signature", "key-agreement", "tls"] as const) {
      const key = options.keyPairs?.[purpose];
      if (key !== undefined) this.#keyPairs.set(purpose, key);
    }
  }

  /** The attribute `certificates`. */
  get certificates(): Data {
    return certificateListToData(this.#certificates.map((each) => this.#entryOf(each)));
  }

  /** The key pair in force for a purpose. */
  keyPair(purpose: KeyPurpose): EllipticPrivateKey | undefined {
    return this.#keyPairs.get(purpose);
  }

  invoke(methodId: number, parameters: Data | undefined, call: SetupCall): ActionOutcome {
    const method = methodOf(methodId, this.#options.version);
    if (method === undefined) return { result: "object-undefined" };
    try {
      const data = this.#carryOut(method, parameters, call);
      return { result: "success", ...(data && { returnParameters: { type: "data", data } }) };
    } catch (error) {
      if (!(error instanceof DlmsError)) throw error;
      return { result: error.code === "DATA_TYPE_MISMATCH" ? "type-unmatched" : "other-reason" };
    }
  }

  #carryOut(method: SetupMethod, parameters: Data | undefined, call: SetupCall): Data | undefined {
    switch (method) {
      case "securityActivate":
        this.#activate(parameters);
        return undefined;
      case "keyTransfer":
        this.#options.useKeys(travellingKeysFrom(parameters).map((key) => this.#unwrapped(key)));
        return undefined;
      case "keyAgreement":
        return this.#agree(travellingKeysFrom(parameters), call);
      case "generateKeyPair": {
        const { suite, randomOctets } = this.#options;
        this.#newKeyPairs.set(purposeFrom(parameters), drawPrivateKey(curveOfSuite(suite), randomOctets));
        return undefined;
      }
      case "generateCertificateRequest":
        return this.#request(purposeFrom(parameters));
      case "importCertificate":
        this.#import(readCertificate(octetsOf(parameters)), call.nowMs);
        return undefined;
      case "exportCertificate":
        return octetString(this.#named(referenceFrom(parameters)).octets);
      case "removeCertificate": {
        const removed = this.#named(referenceFrom(parameters));
        this.#certificates = this.#certificates.filter((each) => each !== removed);
        return undefined;
      }
    }
  }

  #activate(parameters: Data | undefined): void {
    if (parameters?.type !== "enum") throw new DlmsError("DATA_TYPE_MISMATCH", "peer", { wanted: "policy" });
    if (this.#options.activate?.(parameters.value) !== true) {
      throw new DlmsError("DATA_OUT_OF_RANGE", "peer", { policy: parameters.value });
    }
  }

  #unwrapped({ role, octets }: TravellingKey): SetupKey {
    return unwrapKey(this.#options.masterKey(), role, octets);
  }

  #agree(offers: readonly TravellingKey[], { clientSystemTitle, nowMs }: SetupCall): Data {
    const { suite, systemTitle, randomOctets, useKeys, kdfIdentifier } = this.#options;
    const signingKey = this.#keyPairs.get("digital-signature");
    if (clientSystemTitle === undefined || signingKey === undefined) {
      throw new DlmsError("SECURITY_KEY_MISSING", "caller", { key: "digital-signature" });
    }
    const clientKey = this.#clientSigningKey(clientSystemTitle, nowMs);
    const keys: SetupKey[] = [];
    const answers = offers.map(({ role, octets }) => {
      const theirs = acceptEphemeralKey(clientKey, octets, SETUP_KEY_IDS[role]);
      const own = drawPrivateKey(curveOfSuite(suite), randomOctets);
      const titles = { clientSystemTitle, serverSystemTitle: systemTitle };
      const identifier = kdfIdentifier && { identifier: kdfIdentifier };
      keys.push(agreedSetupKey(role, sharedSecret(own, theirs), { suite, ...titles, ...identifier }));
      return { role, octets: offerEphemeralKey(signingKey, own.publicKey, SETUP_KEY_IDS[role]) };
    });
    useKeys(keys);
    return travellingKeysToData(answers);
  }

  #clientSigningKey(title: SystemTitle, nowMs: number): EllipticPublicKey {
    const found = this.#find("client", "digital-signature", title);
    if (found === undefined) throw new DlmsError("CERTIFICATE_ISSUER_UNKNOWN", "peer");
    this.#check(found, nowMs);
    return found.publicKey;
  }

  #request(purpose: KeyPurpose): Data {
    const key = this.#newKeyPairs.get(purpose) ?? this.#keyPairs.get(purpose);
    if (key === undefined) throw new DlmsError("SECURITY_KEY_MISSING", "caller", { key: purpose });
    return octetString(makeCertificateRequest(key, this.#options.systemTitle));
  }

  /** A certificate of our own puts its key pair in force. The first authority is believed, later ones are checked. */
  #import(certificate: Certificate, nowMs: number): void {
    if (this.#certificates.length >= LIMITS.storedCertificates) {
      throw new DlmsError("LENGTH_OVER_LIMIT", "peer", { limit: LIMITS.storedCertificates });
    }
    this.#check(certificate, nowMs);
    const entry = this.#entryOf(certificate);
    if (entry.entity === "server") this.#adoptKeyPair(certificate, entry.purpose);
    const same = ({ octets }: Certificate) => sameOctets(octets, certificate.octets);
    this.#certificates = [...this.#certificates.filter((each) => !same(each)), certificate];
  }

  #adoptKeyPair(certificate: Certificate, purpose: KeyPurpose): void {
    const isOf = (key: EllipticPrivateKey | undefined): key is EllipticPrivateKey =>
      key !== undefined && sameOctets(key.publicKey.octets(), certificate.publicKey.octets());
    const made = this.#newKeyPairs.get(purpose);
    if (isOf(made)) {
      this.#keyPairs.set(purpose, made);
      this.#newKeyPairs.delete(purpose);
    } else if (!isOf(this.#keyPairs.get(purpose))) {
      throw new DlmsError("CERTIFICATE_USAGE_WRONG", "peer", { purpose });
    }
  }

  #check(certificate: Certificate, atMs: number): void {
    const trusted = this.#certificates.filter((each) => each.isAuthority);
    const usage =
      USAGES[this.#entryOf(certificate).purpose === "key-agreement" ? "key-agreement" : "digital-signature"];
    if (!certificate.isAuthority && trusted.length > 0) checkCertificate(certificate, { usage, atMs, trusted });
  }

  #named(reference: CertificateReference): Certificate {
    const found =
      reference.type === "entity"
        ? this.#find(reference.entity, reference.purpose, reference.systemTitle)
        : this.#certificates.find(
            ({ serialNumber, issuer }) =>
              sameOctets(serialNumber, reference.serialNumber) && sameOctets(issuer.octets, reference.issuer),
          );
    if (found === undefined) throw new DlmsError("CERTIFICATE_ISSUER_UNKNOWN", "peer", { by: reference.type });
    return found;
  }

  #find(entity: CertificateEntity, purpose: KeyPurpose, title: Uint8Array): Certificate | undefined {
    return this.#certificates.findLast((each) => {
      const entry = this.#entryOf(each);
      const named = each.systemTitle;
      const isMeant = entity === "authority" || (named !== undefined && sameOctets(named, title));
      return isMeant && entry.entity === entity && (entity === "authority" || entry.purpose === purpose);
    });
  }

  #entryOf(certificate: Certificate): CertificateEntry {
    const { serialNumber, issuer, subject, systemTitle, isAuthority, keyUsages } = certificate;
    const own = systemTitle !== undefined && sameTitle(systemTitle, this.#options.systemTitle);
    const other = systemTitle === undefined ? "other" : "client";
    return {
      entity: isAuthority ? "authority" : own ? "server" : other,
      purpose: keyUsages.includes("keyAgreement") ? "key-agreement" : "digital-signature",
      serialNumber,
      issuer: issuer.octets,
      subject: subject.octets,
      subjectAltName: NO_OCTETS,
    };
  }
}

function methodOf(methodId: number, version: SecuritySetupVersion): SetupMethod | undefined {
  for (const name in SETUP_METHODS) {
    if (!isMethod(name)) continue;
    const { id, since } = SETUP_METHODS[name];
    if (id === methodId && since <= version) return name;
  }
  return undefined;
}

function isMethod(name: string): name is SetupMethod {
  return Object.hasOwn(SETUP_METHODS, name);
}
