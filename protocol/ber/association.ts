/**
 * ACSE APDUs that open and close an association (IEC 62056-5-3; ITU-T X.227). User-information stays octets, because it
 * may be ciphered. Elements that are not in the tables are kept as `unknownElements` and written back. All decoded
 * octets are views.
 */
import { choice, type Decoded, enumerated, octets, sequence } from "../axdr/codec.ts";
import { type BitString, bitString, contentOctets, elements, integer, sized, tagged } from "./element.ts";
import { applicationContextName, mechanismName } from "./names.ts";

const INTEGER = 0x02;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;

const octetString = tagged(OCTET_STRING, contentOctets);
const invocationId = tagged(INTEGER, integer);
const contextName = tagged(OBJECT_IDENTIFIER, applicationContextName);

/** sender- and responder-acse-requirements that select the authentication functional unit. */
export const AUTHENTICATION_REQUIREMENT: BitString = { unusedBits: 7, octets: Uint8Array.of(0x80) };

/** Whether acse-requirements select the authentication functional unit. */
export function requiresAuthentication(requirements: BitString | undefined): boolean {
  return ((requirements?.octets[0] ?? 0) & 0x80) !== 0;
}

/** Password or challenge. Meters use the charstring form. */
const authenticationValue = choice({
  charstring: [0x80, sequence({ value: octets })],
  bitstring: [0x81, sequence({ value: sized(bitString) })],
});
export type AuthenticationValue = Decoded<typeof authenticationValue>;

export const aarq = elements(
  { applicationContextName: [0xa1, contextName] },
  {
    protocolVersion: [0x80, bitString],
    calledApTitle: [0xa2, octetString],
    calledAeQualifier: [0xa3, octetString],
    calledApInvocationId: [0xa4, invocationId],
    calledAeInvocationId: [0xa5, invocationId],
    /** The client's system title. */
    callingApTitle: [0xa6, octetString],
    callingAeQualifier: [0xa7, octetString],
    callingApInvocationId: [0xa8, invocationId],
    /** The client user's identification. */
    callingAeInvocationId: [0xa9, invocationId],
    senderAcseRequirements: [0x8a, bitString],
    mechanismName: [0x8b, mechanismName],
    callingAuthenticationValue: [0xac, authenticationValue],
    implementationInformation: [0x9d, contentOctets],
    /** An xDLMS InitiateRequest, plain or ciphered. */
    userInformation: [0xbe, octetString],
  },
);
export type Aarq = Decoded<typeof aarq>;

const ASSOCIATION_RESULTS = { accepted: 0, "rejected-permanent": 1, "rejected-transient": 2 } as const;

export const SERVICE_USER_DIAGNOSTICS = {
  null: 0,
  "no-reason-given": 1,
  "application-context-name-not-supported": 2,
  "calling-ap-title-not-recognized": 3,
  "calling-ap-invocation-identifier-not-recognized": 4,
  "calling-ae-qualifier-not-recognized": 5,
  "calling-ae-invocation-identifier-not-recognized": 6,
  "called-ap-title-not-recognized": 7,
  "called-ap-invocation-identifier-not-recognized": 8,
  "called-ae-qualifier-not-recognized": 9,
  "called-ae-invocation-identifier-not-recognized": 10,
  "authentication-mechanism-name-not-recognised": 11,
  "authentication-mechanism-name-required": 12,
  "authentication-failure": 13,
  /** With result "accepted": the association waits for the HLS exchange. */
  "authentication-required": 14,
} as const;

export const SERVICE_PROVIDER_DIAGNOSTICS = { null: 0, "no-reason-given": 1, "no-common-acse-version": 2 } as const;

const resultSourceDiagnostic = choice({
  "acse-service-user": [0xa1, sequence({ diagnostic: sized(tagged(INTEGER, enumerated(SERVICE_USER_DIAGNOSTICS))) })],
  "acse-service-provider": [
    0xa2,
    sequence({ diagnostic: sized(tagged(INTEGER, enumerated(SERVICE_PROVIDER_DIAGNOSTICS))) }),
  ],
});

export const aare = elements(
  {
    applicationContextName: [0xa1, contextName],
    result: [0xa2, tagged(INTEGER, enumerated(ASSOCIATION_RESULTS))],
    resultSourceDiagnostic: [0xa3, resultSourceDiagnostic],
  },
  {
    protocolVersion: [0x80, bitString],
    /** The server's system title. */
    respondingApTitle: [0xa4, octetString],
    respondingAeQualifier: [0xa5, octetString],
    respondingApInvocationId: [0xa6, invocationId],
    respondingAeInvocationId: [0xa7, invocationId],
    responderAcseRequirements: [0x88, bitString],
    mechanismName: [0x89, mechanismName],
    respondingAuthenticationValue: [0xaa, authenticationValue],
    implementationInformation: [0x9d, contentOctets],
    /** An InitiateResponse or ConfirmedServiceError, plain or ciphered; absent in some rejections. */
    userInformation: [0xbe, octetString],
  },
);
export type Aare = Decoded<typeof aare>;

export const RELEASE_REQUEST_REASONS = { normal: 0, urgent: 1, "user-defined": 30 } as const;
export const RELEASE_RESPONSE_REASONS = { normal: 0, "not-finished": 1, "user-defined": 30 } as const;

export const rlrq = elements(
  {},
  { reason: [0x80, enumerated(RELEASE_REQUEST_REASONS)], userInformation: [0xbe, octetString] },
);
export type Rlrq = Decoded<typeof rlrq>;

export const rlre = elements(
  {},
  { reason: [0x80, enumerated(RELEASE_RESPONSE_REASONS)], userInformation: [0xbe, octetString] },
);
