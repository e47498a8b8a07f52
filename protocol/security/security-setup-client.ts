/**
 * What a client does with a meter's Security setup: orders to send as ACTION, and what their answers must hold. Nothing
 * of a key is in an order but what is wrapped or public.
 */

import type { MethodDescriptor } from "../apdu/descriptors.ts";
import type { Data } from "../axdr/data.ts";
import { sameOctets } from "../bytes/octets.ts";
import { DlmsError } from "../errors.ts";
import {
  type Certificate,
  type CertificateDemand,
  checkCertificate,
  readCertificate,
  shownName,
} from "./certificate.ts";
import { type CertificateRequest, readCertificateRequest } from "./certificate-request.ts";
import { curveOfSuite, drawPrivateKey, type EllipticPrivateKey, type EllipticPublicKey } from "./elliptic-key.ts";
import {
  acceptEphemeralKey,
  agreedSetupKey,
  type KdfIdentifier,
  offerEphemeralKey,
  sharedSecret,
} from "./key-agreement.ts";
import { wrapKey } from "./key-wrap.ts";
import type { MasterKey, SecretKey } from "./secret-key.ts";
import {
  type CertificateReference,
  type KeyPurpose,
  octetString,
  octetsOf,
  purposeToData,
  referenceToData,
  SECURITY_SETUP_CLASS,
  SETUP_KEY_IDS,
  SETUP_METHODS,
  type SecuritySetupVersion,
  type SetupKeyRole,
  type SetupMethod,
  travellingKeysFrom,
  travellingKeysToData,
} from "./security-setup.ts";
import type { SecuritySuite } from "./suites.ts";
import { type SystemTitle, sameTitle, titleText } from "./system-title.ts";

/** A method to invoke. */
export interface SetupOrder {
  readonly method: MethodDescriptor;
  readonly parameters: Data;
}

/** A key that a meter can be given: its role says which one it replaces. */
export type SetupKey = SecretKey<SetupKeyRole>;

export interface SecuritySetupOptions {
  /** Six octets; 0.0.43.0.0.255 and following. */
  readonly logicalName: Uint8Array;
  readonly version: SecuritySetupVersion;
}

export class SecuritySetupClient {
  readonly #options: SecuritySetupOptions;

  constructor(options: SecuritySetupOptions) {
    this.#options = options;
  }

  /** Version 0: 0 to 3; version 1: a mask. Meters only let policies become stronger. */
  activate(policy: number): SetupOrder {
    return this.#order("securityActivate", { type: "enum", value: policy });
  }

  /** New keys under the master key. One key in an order is what every meter takes. */
  transferKeys(masterKey: MasterKey, keys: readonly SetupKey[]): SetupOrder {
    const wrapped = keys.map((key) => ({ role: key.role, octets: wrapKey(masterKey, key) }));
    return this.#order("keyTransfer", travellingKeysToData(wrapped));
  }

  agreeOnKeys(settings: KeyAgreementSettings): KeyAgreementOrder {
    const exchange = new KeyAgreementExchange(settings);
    return { ...this.#order("keyAgreement", exchange.offers()), accept: (answer) => exchange.accept(answer) };
  }

  generateKeyPair(purpose: KeyPurpose): SetupOrder {
    return this.#order("generateKeyPair", purposeToData(purpose));
  }

  generateCertificateRequest(purpose: KeyPurpose): SetupOrder {
    return this.#order("generateCertificateRequest", purposeToData(purpose));
  }

  importCertificate(certificate: Certificate): SetupOrder {
    return this.#order("importCertificate", octetString(certificate.octets));
  }

  exportCertificate(reference: CertificateReference): SetupOrder {
    return this.#order("exportCertificate", referenceToData(reference));
  }

  removeCertificate(reference: CertificateReference): SetupOrder {
    return this.#order("removeCertificate", referenceToData(reference));
  }

  #order(name: SetupMethod, parameters: Data): SetupOrder {
    const { logicalName, version } = this.#options;
    const { id, since } = SETUP_METHODS[name];
    if (version < since) throw new DlmsError("DATA_OUT_OF_RANGE", "caller", { method: name, version, since });
    return { method: { classId: SECURITY_SETUP_CLASS, logicalName, methodId: id }, parameters };
  }
}

export interface KeyAgreementSettings {
  readonly suite: SecuritySuite;
  readonly roles: readonly SetupKeyRole[];
  readonly clientSystemTitle: SystemTitle;
  readonly serverSystemTitle: SystemTitle;
  readonly signingKey: EllipticPrivateKey;
  readonly serverSigningKey: EllipticPublicKey;
  readonly randomOctets: (length: number) => Uint8Array;
  readonly kdfIdentifier?: KdfIdentifier;
}

export interface KeyAgreementOrder extends SetupOrder {
  /**
   * The new keys from the meter's answer, in the order of `roles`. Throws RESULT_COUNT_WRONG for other keys than those
   * that were offered, SECURITY_SIGNATURE_MISMATCH.
   */
  readonly accept: (answer: Data | undefined) => SetupKey[];
}

/** C(2e,0s): an ephemeral key of ours for each key, and one of the meter's for each of them. */
class KeyAgreementExchange {
  readonly #settings: KeyAgreementSettings;
  readonly #ephemeral: ReadonlyMap<SetupKeyRole, EllipticPrivateKey>;

  constructor(settings: KeyAgreementSettings) {
    this.#settings = settings;
    const curve = curveOfSuite(settings.suite);
    this.#ephemeral = new Map(settings.roles.map((role) => [role, drawPrivateKey(curve, settings.randomOctets)]));
  }

  offers(): Data {
    const { signingKey } = this.#settings;
    const offers = [...this.#ephemeral].map(([role, { publicKey }]) => ({
      role,
      octets: offerEphemeralKey(signingKey, publicKey, SETUP_KEY_IDS[role]),
    }));
    return travellingKeysToData(offers);
  }

  accept(answer: Data | undefined): SetupKey[] {
    const offers = new Map(travellingKeysFrom(answer).map(({ role, octets }) => [role, octets]));
    if (offers.size !== this.#ephemeral.size) {
      throw new DlmsError("RESULT_COUNT_WRONG", "peer", { results: offers.size, expected: this.#ephemeral.size });
    }
    const { suite, serverSigningKey, clientSystemTitle, serverSystemTitle, kdfIdentifier } = this.#settings;
    return [...this.#ephemeral].map(([role, own]) => {
      const offer = offers.get(role);
      if (offer === undefined) throw new DlmsError("RESULT_COUNT_WRONG", "peer", { missing: role });
      const z = sharedSecret(own, acceptEphemeralKey(serverSigningKey, offer, SETUP_KEY_IDS[role]));
      return agreedSetupKey(role, z, {
        suite,
        clientSystemTitle,
        serverSystemTitle,
        ...(kdfIdentifier && { identifier: kdfIdentifier }),
      });
    });
  }
}

/** The request in a meter's answer, in DER and read. Throws CERTIFICATE_TITLE_MISMATCH unless it names the meter. */
export function certificateRequestIn(
  answer: Data | undefined,
  serverTitle: SystemTitle,
): CertificateRequest & { readonly octets: Uint8Array } {
  const octets = octetsOf(answer);
  const request = readCertificateRequest(octets);
  const expected = titleText(serverTitle);
  if (request.commonName?.toUpperCase() !== expected) {
    throw new DlmsError("CERTIFICATE_TITLE_MISMATCH", "peer", { subject: shownName(request), expected });
  }
  return { ...request, octets };
}

/** The certificate in a meter's answer, checked for its use where a demand is given. Throws as `checkCertificate`. */
export function certificateIn(answer: Data | undefined, demand?: CertificateDemand): Certificate {
  const certificate = readCertificate(octetsOf(answer));
  if (demand !== undefined) checkCertificate(certificate, demand);
  return certificate;
}

/** Whether a certificate's key is the one of a request that the meter made. */
export function answersRequest(certificate: Certificate, request: CertificateRequest, title: SystemTitle): boolean {
  const same = sameOctets(certificate.publicKey.octets(), request.publicKey.octets());
  return same && certificate.systemTitle !== undefined && sameTitle(certificate.systemTitle, title);
}
