/** Requests that the tests of the server machine share. */
import { type Apdu, encodeApdu } from "../../../../protocol/apdu/apdu.ts";
import { type Aarq, AUTHENTICATION_REQUIREMENT } from "../../../../protocol/ber/association.ts";
import { conformanceFromNumber } from "../../../../protocol/ber/conformance.ts";

/** LN, no ciphering, no security (public example, conformance 007E1F, PDU size 1200). */
export const AARQ_OPEN = "601DA109060760857405080101BE10040E01000000065F1F040000 7E1F04B0";

export const AARQ_LLS =
  "6036A1090607608574050801018A0207808B0760857405080201AC0A80083132333435363738BE10040E01000000065F1F0400007E1F04B0";

export const GET_CLOCK = "C001C100080000010000FF0200";

export function aarq(overrides: Partial<Aarq>, conformance = 0x007e1f, clientMaxReceivePduSize = 1200): Apdu {
  const initiate = encodeApdu({
    apdu: "initiate-request",
    body: {
      responseAllowed: true,
      proposedDlmsVersion: 6,
      proposedConformance: conformanceFromNumber(conformance),
      clientMaxReceivePduSize,
    },
  });
  return { apdu: "aarq", body: { applicationContextName: "logical-name", userInformation: initiate, ...overrides } };
}

export function withMechanism(mechanismName: Aarq["mechanismName"], value: Uint8Array): Partial<Aarq> {
  return {
    senderAcseRequirements: AUTHENTICATION_REQUIREMENT,
    ...(mechanismName && { mechanismName }),
    callingAuthenticationValue: { type: "charstring", value },
  };
}

export function diagnosticOf(answer: Apdu | undefined): string {
  if (answer?.apdu !== "aare") throw new Error(`no AARE but ${answer?.apdu}`);
  return `${answer.body.result} ${answer.body.resultSourceDiagnostic.diagnostic}`;
}
