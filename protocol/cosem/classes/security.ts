/** Security: policies, keys and certificates; protected access to attributes; protection of ports. */
import { interfaceClass } from "../interface-class.ts";
import {
  anyData,
  arrayOf,
  doubleLongUnsigned,
  enumeration,
  logicalName,
  longUnsigned,
  octetString,
  octetStringOf,
  structure,
  unsigned,
} from "../value-type.ts";
import { pushObjectList } from "./shared-types.ts";

const SUITES = { 0: "AES-GCM-128", 1: "ECDH/ECDSA P-256, AES-GCM-128", 2: "ECDH/ECDSA P-384, AES-GCM-256" } as const;

const KEY_IDS = { 0: "unicast encryption", 1: "broadcast encryption", 2: "authentication", 3: "master" } as const;

const keyData = arrayOf(structure({ keyId: enumeration(KEY_IDS), keyWrapped: octetString }));
const agreementData = arrayOf(structure({ keyId: enumeration(KEY_IDS), keyData: octetString }));
const keyPurpose = enumeration({ 0: "digital signature", 1: "key agreement", 2: "TLS" });
const certificateEntity = enumeration({ 0: "server", 1: "client", 2: "certification authority", 3: "other" });
const certificateReference = structure({
  identificationType: enumeration({ 0: "by entity", 1: "by serial number" }),
  identification: anyData,
});

/** Security setup: policy, suite and system titles, with key transfer by key wrap. */
export const securitySetupV0 = interfaceClass({
  classId: 64,
  version: 0,
  name: "Security setup",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    securityPolicy: {
      id: 2,
      type: enumeration({ 0: "none", 1: "authenticated", 2: "encrypted", 3: "authenticated and encrypted" }),
    },
    securitySuite: { id: 3, type: enumeration(SUITES) },
    clientSystemTitle: { id: 4, type: octetStringOf(8), access: "read-write" },
    serverSystemTitle: { id: 5, type: octetStringOf(8), static: true },
  },
  methods: {
    securityActivate: { id: 1, parameter: enumeration() },
    globalKeyTransfer: { id: 2, parameter: keyData },
  },
  methodOffset: 0x30,
});

/** Version 1 has the policy as a mask (4, 8, 16 for requests; 32, 64, 128 for responses), key agreement, certificates. */
export const securitySetupV1 = interfaceClass({
  ...securitySetupV0,
  version: 1,
  attributes: {
    ...securitySetupV0.attributes,
    securityPolicy: { id: 2, type: enumeration() },
    certificates: {
      id: 6,
      type: arrayOf(
        structure({
          certificateEntity,
          certificateType: keyPurpose,
          serialNumber: octetString,
          issuer: octetString,
          subject: octetString,
          subjectAltName: octetString,
        }),
      ),
    },
  },
  methods: {
    securityActivate: { id: 1, parameter: enumeration() },
    keyTransfer: { id: 2, parameter: keyData },
    keyAgreement: { id: 3, parameter: agreementData, result: agreementData },
    generateKeyPair: { id: 4, parameter: keyPurpose },
    generateCertificateRequest: { id: 5, parameter: keyPurpose, result: octetString },
    importCertificate: { id: 6, parameter: octetString },
    exportCertificate: { id: 7, parameter: certificateReference, result: octetString },
    removeCertificate: { id: 8, parameter: certificateReference },
  },
});

/** COSEM data protection: attributes and methods behind protection from end to end. */
export const cosemDataProtection = interfaceClass({
  classId: 30,
  version: 0,
  name: "COSEM data protection",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    protectionBuffer: { id: 2, type: octetString },
    protectionObjectList: { id: 3, type: pushObjectList(1), access: "read-write" },
    protectionParametersGet: { id: 4, type: arrayOf(anyData), access: "read-write" },
    protectionParametersSet: { id: 5, type: arrayOf(anyData), access: "read-write" },
    requiredProtection: { id: 6, type: enumeration(), access: "read-write" },
  },
  methods: {
    getProtectedAttributes: { id: 1, parameter: anyData, result: anyData },
    setProtectedAttributes: { id: 2, parameter: anyData },
    invokeProtectedMethod: { id: 3, parameter: anyData, result: anyData },
  },
});

/** Communication port protection: locks a port after failed attempts. */
export const communicationPortProtection = interfaceClass({
  classId: 124,
  version: 0,
  name: "Communication port protection",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    protectionMode: {
      id: 2,
      type: enumeration({ 0: "locked", 1: "locked on failed attempts", 2: "unlocked" }),
      access: "read-write",
    },
    allowedFailedAttempts: { id: 3, type: longUnsigned, access: "read-write" },
    initialLockoutTime: { id: 4, type: doubleLongUnsigned, access: "read-write" },
    steepnessFactor: { id: 5, type: unsigned, access: "read-write" },
    maxLockoutTime: { id: 6, type: doubleLongUnsigned, access: "read-write" },
    portReference: { id: 7, type: logicalName, access: "read-write" },
    protectionStatus: { id: 8, type: enumeration({ 0: "unlocked", 1: "temporarily locked", 2: "locked" }) },
    failedAttempts: { id: 9, type: doubleLongUnsigned },
    cumulativeFailedAttempts: { id: 10, type: doubleLongUnsigned },
  },
  methods: { reset: 1 },
});
