/**
 * Security setup (class 64): what its methods take and give back, for both sides. Version 0 has the first two methods;
 * in version 1 there are key agreement and certificates besides (Blue Book, Security setup).
 */
import type { Data } from "../axdr/data.ts";
import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";

export const SECURITY_SETUP_CLASS = 64;

export type SecuritySetupVersion = 0 | 1;

export const SETUP_METHODS = {
  securityActivate: { id: 1, since: 0 },
  keyTransfer: { id: 2, since: 0 },
  keyAgreement: { id: 3, since: 1 },
  generateKeyPair: { id: 4, since: 1 },
  generateCertificateRequest: { id: 5, since: 1 },
  importCertificate: { id: 6, since: 1 },
  exportCertificate: { id: 7, since: 1 },
  removeCertificate: { id: 8, since: 1 },
} as const;

export type SetupMethod = keyof typeof SETUP_METHODS;

export const SETUP_KEY_IDS = { blockCipherKey: 0, broadcastKey: 1, authenticationKey: 2, masterKey: 3 } as const;
/** The roles of keys that can be transferred or agreed on. */
export type SetupKeyRole = keyof typeof SETUP_KEY_IDS;

const ENTITIES = { server: 0, client: 1, authority: 2, other: 3 } as const;
export type CertificateEntity = keyof typeof ENTITIES;

const PURPOSES = { "digital-signature": 0, "key-agreement": 1, tls: 2, other: 3 } as const;
export type KeyPurpose = keyof typeof PURPOSES;

const REFERENCES = { entity: 0, serial: 1 } as const;

/** The bits of a policy; in version 0 it is a number of two bits, alike for requests and responses. */
const POLICY_BITS = {
  authenticatedRequest: 0x04,
  encryptedRequest: 0x08,
  signedRequest: 0x10,
  authenticatedResponse: 0x20,
  encryptedResponse: 0x40,
  signedResponse: 0x80,
} as const;
const POLICY_MASK = 0xfc;
const WHOLE_POLICY_V0 = 3;

/** What a policy requires in one direction. */
export interface RequiredProtection {
  readonly authenticated: boolean;
  readonly encrypted: boolean;
  readonly signed: boolean;
}

/** Throws DATA_OUT_OF_RANGE, the peer at fault, for a policy that the version does not know. */
export function policyDemands(
  version: SecuritySetupVersion,
  policy: number,
): { readonly requests: RequiredProtection; readonly responses: RequiredProtection } {
  const known = version === 0 ? policy >= 0 && policy <= WHOLE_POLICY_V0 : (policy & POLICY_MASK) === policy;
  if (!known || !Number.isInteger(policy)) throw new DlmsError("DATA_OUT_OF_RANGE", "peer", { policy });
  if (version === 0) {
    const both = { authenticated: (policy & 1) > 0, encrypted: (policy & 2) > 0, signed: false };
    return { requests: both, responses: both };
  }
  const has = (bit: keyof typeof POLICY_BITS) => (policy & POLICY_BITS[bit]) > 0;
  return {
    requests: {
      authenticated: has("authenticatedRequest"),
      encrypted: has("encryptedRequest"),
      signed: has("signedRequest"),
    },
    responses: {
      authenticated: has("authenticatedResponse"),
      encrypted: has("encryptedResponse"),
      signed: has("signedResponse"),
    },
  };
}

/** How a certificate is named where one is exported or removed. */
export type CertificateReference =
  | {
      readonly type: "entity";
      readonly entity: CertificateEntity;
      readonly purpose: KeyPurpose;
      readonly systemTitle: Uint8Array;
    }
  /** `issuer` is the whole name in DER. */
  | { readonly type: "serial"; readonly serialNumber: Uint8Array; readonly issuer: Uint8Array };

/** One element of the attribute that lists a meter's certificates. */
export interface CertificateEntry {
  readonly entity: CertificateEntity;
  readonly purpose: KeyPurpose;
  readonly serialNumber: Uint8Array;
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly subjectAltName: Uint8Array;
}

/** A key that travels: wrapped, or as an ephemeral public key with its signature. */
export interface TravellingKey {
  readonly role: SetupKeyRole;
  readonly octets: Uint8Array;
}

export function octetString(value: Uint8Array): Data {
  return { type: "octet-string", value };
}

export function travellingKeysToData(keys: readonly TravellingKey[]): Data {
  const element = ({ role, octets }: TravellingKey): Data => ({
    type: "structure",
    value: [{ type: "enum", value: SETUP_KEY_IDS[role] }, octetString(octets)],
  });
  return { type: "array", value: keys.map(element) };
}

/** Throws DATA_TYPE_MISMATCH, DATA_OUT_OF_RANGE for an unknown key, LENGTH_OVER_LIMIT. */
export function travellingKeysFrom(data: Data | undefined): TravellingKey[] {
  if (data?.type !== "array") throw mismatch("keys", data);
  const limit = Object.keys(SETUP_KEY_IDS).length;
  if (data.value.length > limit) throw new DlmsError("LENGTH_OVER_LIMIT", "peer", { keys: data.value.length, limit });
  return data.value.map((element) => {
    const [id, octets] = fieldsOf(element, 2);
    return { role: nameOf(SETUP_KEY_IDS, id, "keyId"), octets: octetsOf(octets) };
  });
}

export function purposeToData(purpose: KeyPurpose): Data {
  return { type: "enum", value: PURPOSES[purpose] };
}

export function purposeFrom(data: Data | undefined): KeyPurpose {
  return nameOf(PURPOSES, data, "purpose");
}

export function referenceToData(reference: CertificateReference): Data {
  const identification: Data[] =
    reference.type === "entity"
      ? [
          { type: "enum", value: ENTITIES[reference.entity] },
          purposeToData(reference.purpose),
          octetString(reference.systemTitle),
        ]
      : [octetString(reference.serialNumber), octetString(reference.issuer)];
  const type: Data = { type: "enum", value: REFERENCES[reference.type] };
  return { type: "structure", value: [type, { type: "structure", value: identification }] };
}

export function referenceFrom(data: Data | undefined): CertificateReference {
  const [type, identification] = fieldsOf(data, 2);
  if (nameOf(REFERENCES, type, "identification") === "serial") {
    const [serialNumber, issuer] = fieldsOf(identification, 2);
    return { type: "serial", serialNumber: octetsOf(serialNumber), issuer: octetsOf(issuer) };
  }
  const [entity, purpose, title] = fieldsOf(identification, 3);
  return {
    type: "entity",
    entity: nameOf(ENTITIES, entity, "entity"),
    purpose: purposeFrom(purpose),
    systemTitle: octetsOf(title),
  };
}

export function certificateListToData(entries: readonly CertificateEntry[]): Data {
  const element = (entry: CertificateEntry): Data => ({
    type: "structure",
    value: [
      { type: "enum", value: ENTITIES[entry.entity] },
      purposeToData(entry.purpose),
      octetString(entry.serialNumber),
      octetString(entry.issuer),
      octetString(entry.subject),
      octetString(entry.subjectAltName),
    ],
  });
  return { type: "array", value: entries.map(element) };
}

/** The attribute `certificates`. Throws DATA_TYPE_MISMATCH, DATA_OUT_OF_RANGE, LENGTH_OVER_LIMIT. */
export function certificateListFrom(data: Data | undefined): CertificateEntry[] {
  if (data?.type !== "array") throw mismatch("certificates", data);
  const limit = LIMITS.listCount;
  if (data.value.length > limit)
    throw new DlmsError("LENGTH_OVER_LIMIT", "peer", { certificates: data.value.length, limit });
  return data.value.map((each) => {
    const [entity, purpose, serialNumber, issuer, subject, subjectAltName] = fieldsOf(each, 6);
    return {
      entity: nameOf(ENTITIES, entity, "entity"),
      purpose: purposeFrom(purpose),
      serialNumber: octetsOf(serialNumber),
      issuer: octetsOf(issuer),
      subject: octetsOf(subject),
      subjectAltName: octetsOf(subjectAltName),
    };
  });
}

/** The octets of an octet-string. Throws DATA_TYPE_MISMATCH. */
export function octetsOf(data: Data | undefined): Uint8Array {
  if (data?.type !== "octet-string") throw mismatch("octet-string", data);
  return data.value;
}

function fieldsOf(data: Data | undefined, count: number): readonly Data[] {
  if (data?.type !== "structure" || data.value.length !== count) throw mismatch(`structure of ${count}`, data);
  return data.value;
}

function nameOf<Name extends string>(
  table: Readonly<Record<Name, number>>,
  data: Data | undefined,
  field: string,
): Name {
  if (data?.type !== "enum" && data?.type !== "unsigned") throw mismatch(field, data);
  for (const name in table) if (table[name] === data.value) return name;
  throw new DlmsError("DATA_OUT_OF_RANGE", "peer", { [field]: data.value });
}

function mismatch(wanted: string, data: Data | undefined): DlmsError {
  return new DlmsError("DATA_TYPE_MISMATCH", "peer", { wanted, type: data?.type ?? "none" });
}
