/** What opens and closes an association, in the corpus' JSON form. */
import { type ApduOf } from "../../protocol/apdu/apdu.ts";
import {
  RELEASE_REQUEST_REASONS,
  RELEASE_RESPONSE_REASONS,
  SERVICE_PROVIDER_DIAGNOSTICS,
  SERVICE_USER_DIAGNOSTICS,
} from "../../protocol/ber/association.ts";
import { type Conformance, conformanceToNumber } from "../../protocol/ber/conformance.ts";
import type { BitString } from "../../protocol/ber/element.ts";
import { toHex } from "../../protocol/bytes/hex.ts";
import type { Facts } from "./case.ts";

const APPLICATION_CONTEXTS: Readonly<Record<string, string>> = {
  "logical-name": "LN",
  "short-name": "SN",
  "logical-name-with-ciphering": "LN-ciphered",
  "short-name-with-ciphering": "SN-ciphered",
};

const MECHANISMS: Readonly<Record<string, string>> = {
  none: "none",
  lls: "LLS",
  hls: "HLS-2",
  "hls-md5": "HLS-MD5",
  "hls-sha1": "HLS-SHA1",
  "hls-gmac": "HLS-GMAC",
  "hls-sha256": "HLS-SHA256",
  "hls-ecdsa": "HLS-ECDSA",
};

function conformance(bits: Conformance): Facts {
  return { conformanceHex: conformanceToNumber(bits).toString(16).padStart(6, "0"), conformance: [...bits] };
}

export function initiate(apdu: ApduOf<"initiate-request" | "initiate-response">): Facts {
  if (apdu.apdu === "initiate-request") {
    const { dedicatedKey, proposedConformance, ...fields } = apdu.body;
    return {
      ...(dedicatedKey === undefined ? {} : { dedicatedKey: toHex(dedicatedKey) }),
      ...fields,
      ...conformance(proposedConformance),
    };
  }
  const { negotiatedConformance, vaaName, ...fields } = apdu.body;
  return { ...fields, ...conformance(negotiatedConformance), vaaName: vaaName.toString(16).padStart(4, "0") };
}

function bitString(bits: BitString): string {
  return toHex(Uint8Array.of(bits.unusedBits, ...bits.octets));
}

/** The unknown part of a name, or the corpus' word for a known one. */
function named(words: Readonly<Record<string, string>>, name: string): string {
  return words[name] ?? name.replace("unknown-", "");
}

export type Acse = ApduOf<"aarq" | "aare" | "rlrq" | "rlre">;

export function acseHead(apdu: Acse): Facts {
  switch (apdu.apdu) {
    case "aarq": {
      const { body } = apdu;
      return {
        ...authentication(
          body.applicationContextName,
          body.mechanismName,
          body.senderAcseRequirements,
          body.callingAuthenticationValue,
        ),
        ...title("callingApTitle", body.callingApTitle),
      };
    }
    case "aare": {
      const { body } = apdu;
      return {
        ...authentication(
          body.applicationContextName,
          body.mechanismName,
          body.responderAcseRequirements,
          body.respondingAuthenticationValue,
        ),
        ...title("respondingApTitle", body.respondingApTitle),
        result: body.result,
        diagnostic: diagnostic(apdu),
      };
    }
    case "rlrq":
      return reason(RELEASE_REQUEST_REASONS, apdu.body.reason);
    case "rlre":
      return reason(RELEASE_RESPONSE_REASONS, apdu.body.reason);
  }
}

function reason(codes: Readonly<Record<string, number>>, name: string | undefined): Facts {
  return name === undefined ? {} : { reason: codes[name] ?? name };
}

function title(name: string, value: Uint8Array | undefined): Facts {
  return value === undefined ? {} : { [name]: toHex(value) };
}

function authentication(
  context: string,
  mechanism: string | undefined,
  requirements: BitString | undefined,
  value: NonNullable<ApduOf<"aarq">["body"]["callingAuthenticationValue"]> | undefined,
): Facts {
  const octets = value?.type === "bitstring" ? value.value.octets : value?.value;
  return {
    applicationContext: named(APPLICATION_CONTEXTS, context),
    ...(mechanism === undefined ? {} : { mechanism: named(MECHANISMS, mechanism) }),
    ...(requirements === undefined ? {} : { acseRequirements: bitString(requirements) }),
    ...(octets === undefined ? {} : { authenticationValue: { choice: value?.type, hex: toHex(octets) } }),
  };
}

function diagnostic({ body }: ApduOf<"aare">): Facts {
  const { type: source, diagnostic: name } = body.resultSourceDiagnostic;
  const codes: Readonly<Record<string, number>> =
    source === "acse-service-user" ? SERVICE_USER_DIAGNOSTICS : SERVICE_PROVIDER_DIAGNOSTICS;
  return { source, value: codes[name], name };
}
