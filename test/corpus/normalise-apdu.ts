/** An APDU in the corpus' JSON form: the names of its fields are the corpus', the values are what was decoded. */
import { type Apdu, type ApduOf, decodeApdu } from "../../protocol/apdu/apdu.ts";
import type { KeyInfo } from "../../protocol/apdu/ciphered.ts";
import { toHex } from "../../protocol/bytes/hex.ts";
import type { Facts } from "./case.ts";
import { type Acse, acseHead, initiate } from "./normalise-association.ts";
import { normaliseData } from "./normalise-data.ts";
import {
  access,
  actionRequest,
  actionResponse,
  attribute,
  generalBlockTransfer,
  getRequest,
  getResponse,
  longHead,
  normaliseDateTime,
  serviceError,
  setRequest,
  setResponse,
} from "./normalise-services.ts";
import { shortName } from "./normalise-short-name.ts";

const TAGGED_DATE_TIME = "date-time is encoded as a tagged octet-string (09 0C ..) instead of a bare length (0C ..)";

const LONG_LENGTH = "length octet is 12 too large (counts an absent tag); the meter answered it normally";

export function normaliseApdu(apdu: Apdu): Facts {
  return { apdu: NAMES[apdu.apdu] ?? apdu.apdu, ...body(apdu) };
}

/** The corpus writes this one without "request". */
const NAMES: Readonly<Record<string, string>> = { "information-report-request": "information-report" };

function body(apdu: Apdu): Facts {
  switch (apdu.apdu) {
    case "get-request":
      return getRequest(apdu);
    case "get-response":
      return getResponse(apdu);
    case "set-request":
      return setRequest(apdu);
    case "set-response":
      return setResponse(apdu);
    case "action-request":
      return actionRequest(apdu);
    case "action-response":
      return actionResponse(apdu);
    case "event-notification-request":
      return {
        ...(apdu.body.dateTime === undefined ? {} : { time: normaliseDateTime(apdu.body.dateTime) }),
        attr: attribute(apdu.body.attribute),
        value: normaliseData(apdu.body.value),
      };
    case "data-notification":
      return {
        ...longHead(apdu.body),
        body: normaliseData(apdu.body.body),
        ...(apdu.quirks?.includes("tagged-date-time") ? { quirk: TAGGED_DATE_TIME } : {}),
      };
    case "data-notification-confirm":
      return longHead(apdu.body);
    case "access-request":
    case "access-response":
      return access(apdu);
    case "exception-response":
      return apdu.body;
    case "confirmed-service-error":
      return serviceError(apdu);
    case "general-block-transfer":
      return generalBlockTransfer(apdu);
    case "initiate-request":
    case "initiate-response":
      return initiate(apdu);
    case "aarq":
    case "aare":
    case "rlrq":
    case "rlre":
      return acse(apdu);
    case "read-request":
    case "read-response":
    case "write-request":
    case "write-response":
    case "unconfirmed-write-request":
    case "information-report-request":
      return shortName(apdu);
    case "gateway-request":
    case "gateway-response":
      return {
        networkId: apdu.body.networkId,
        address: toHex(apdu.body.physicalDeviceAddress),
        carriedApdu: toHex(apdu.body.carriedApdu),
      };
    case "general-ciphering":
      return { ...generalHeader(apdu.body), ...keyInfo(apdu.body.keyInfo), ...securityHeader(apdu.body.contents) };
    case "general-signing":
      return {
        ...generalHeader(apdu.body),
        content: toHex(apdu.body.content),
        signature: toHex(apdu.body.signature),
      };
    case "general-glo-ciphering":
    case "general-ded-ciphering":
      return { systemTitle: toHex(apdu.body.systemTitle), ...securityHeader(apdu.body.contents) };
    default:
      return {
        ...securityHeader(apdu.body.contents),
        ...(apdu.quirks?.includes("ciphered-length-counts-tag") ? { quirk: LONG_LENGTH } : {}),
      };
  }
}

/** The outside of ciphered octets: security control and invocation counter. */
function securityHeader(contents: Uint8Array): Facts {
  const control = contents[0] ?? 0;
  return {
    securityControl: {
      hex: toHex(contents.subarray(0, 1)),
      suite: control & 0x0f,
      authenticated: (control & 0x10) !== 0,
      encrypted: (control & 0x20) !== 0,
      broadcast: (control & 0x40) !== 0,
      compressed: (control & 0x80) !== 0,
    },
    invocationCounter: Number.parseInt(toHex(contents.subarray(1, 5)), 16),
  };
}

function acse(apdu: Acse): Facts {
  const { userInformation } = apdu.body;
  return {
    ...acseHead(apdu),
    ...(userInformation === undefined
      ? {}
      : { userInformationHex: toHex(userInformation), userInformation: normaliseApdu(decodeApdu(userInformation)) }),
  };
}

type GeneralHeader = Pick<
  ApduOf<"general-ciphering">["body"],
  "transactionId" | "originatorSystemTitle" | "recipientSystemTitle" | "dateTime" | "otherInformation"
>;

function generalHeader(from: GeneralHeader): Facts {
  return {
    transactionId: toHex(from.transactionId),
    originatorSystemTitle: toHex(from.originatorSystemTitle),
    recipientSystemTitle: toHex(from.recipientSystemTitle),
    dateTime: toHex(from.dateTime),
    otherInformation: toHex(from.otherInformation),
  };
}

function keyInfo(from: KeyInfo | undefined): Facts {
  switch (from?.type) {
    case undefined:
      return {};
    case "identified-key":
      return { keyInfo: { identifiedKey: from.keyId.replace("-encryption-key", "") } };
    case "wrapped-key":
      return {
        keyInfo: {
          wrappedKey: {
            kekId: from.kekId === "master-key" ? 0 : from.kekId,
            keyCipheredData: toHex(from.keyCipheredData),
          },
        },
      };
    case "agreed-key":
      return {
        keyInfo: {
          agreedKey: { parameters: toHex(from.keyParameters), keyCipheredData: toHex(from.keyCipheredData) },
        },
      };
  }
}
