/** An APDU in the corpus' JSON form: the names of its fields are the corpus', the values are what was decoded. */
import type { AccessResult, AccessSpecification } from "../../protocol/apdu/access.ts";
import type { ActionOutcome } from "../../protocol/apdu/action.ts";
import { type Apdu, type ApduOf, decodeApdu } from "../../protocol/apdu/apdu.ts";
import type { KeyInfo } from "../../protocol/apdu/ciphered.ts";
import { SERVICE_ERROR_CODES } from "../../protocol/apdu/confirmed-service-error.ts";
import type {
  AttributeDescriptor,
  DataBlock,
  DataBlockResult,
  DataResult,
  MethodDescriptor,
  SelectiveAccess,
} from "../../protocol/apdu/descriptors.ts";
import { invokeIdAndPriority, longInvokeIdAndPriority } from "../../protocol/apdu/invoke-id.ts";
import type { VariableAccessSpecification } from "../../protocol/apdu/short-name.ts";
import {
  RELEASE_REQUEST_REASONS,
  RELEASE_RESPONSE_REASONS,
  SERVICE_PROVIDER_DIAGNOSTICS,
  SERVICE_USER_DIAGNOSTICS,
} from "../../protocol/ber/association.ts";
import { type Conformance, conformanceToNumber } from "../../protocol/ber/conformance.ts";
import type { BitString } from "../../protocol/ber/element.ts";
import { toHex } from "../../protocol/bytes/hex.ts";
import { decodeDateTime } from "../../protocol/cosem/date-time.ts";
import type { Facts } from "./case.ts";
import { normaliseData } from "./normalise-data.ts";

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

export function normaliseDateTime(octets: Uint8Array): Facts {
  const { dayOfWeek, deviationMinutes, ...fields } = decodeDateTime(octets);
  const open = { ...fields, dow: dayOfWeek, deviation: deviationMinutes };
  const named = Object.entries(open).map(([name, value]) => [name, value ?? null]);
  return { hex: toHex(octets), ...Object.fromEntries(named) };
}

function dotted(logicalName: Uint8Array): string {
  return logicalName.join(".");
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

function invoke(octet: number): Facts {
  const fields = invokeIdAndPriority(octet);
  return {
    raw: octet,
    invokeId: fields.invokeId,
    serviceClass: fields.confirmed ? "confirmed" : "unconfirmed",
    priority: fields.highPriority ? "high" : "normal",
  };
}

function longHead(from: {
  readonly longInvokeIdAndPriority: number;
  readonly dateTime?: Uint8Array | undefined;
}): Facts {
  const fields = longInvokeIdAndPriority(from.longInvokeIdAndPriority);
  return {
    longInvokeIdAndPriority: {
      raw: from.longInvokeIdAndPriority.toString(16).padStart(8, "0"),
      invokeId: fields.longInvokeId,
      selfDescriptive: fields.selfDescriptive,
      processingOption: fields.breakOnError ? "break-on-error" : "continue-on-error",
      serviceClass: fields.confirmed ? "confirmed" : "unconfirmed",
      priority: fields.highPriority ? "high" : "normal",
    },
    dateTime: from.dateTime === undefined ? null : normaliseDateTime(from.dateTime),
  };
}

function attribute(descriptor: AttributeDescriptor, access?: SelectiveAccess): Facts {
  return {
    classId: descriptor.classId,
    obis: dotted(descriptor.logicalName),
    attribute: descriptor.attributeId,
    ...(access === undefined ? {} : { selector: access.selector, parameters: normaliseData(access.parameters) }),
  };
}

function method(descriptor: MethodDescriptor): Facts {
  return { classId: descriptor.classId, obis: dotted(descriptor.logicalName), method: descriptor.methodId };
}

function result(from: DataResult): Facts {
  return from.type === "data" ? { data: normaliseData(from.data) } : { error: from.dataAccessResult };
}

function block(from: DataBlock): Facts {
  return { lastBlock: from.lastBlock, blockNumber: from.blockNumber, rawData: toHex(from.rawData) };
}

function blockResult(from: DataBlockResult): Facts {
  const content =
    from.result.type === "raw-data" ? { rawData: toHex(from.result.rawData) } : { error: from.result.dataAccessResult };
  return { lastBlock: from.lastBlock, blockNumber: from.blockNumber, ...content };
}

function head(from: { readonly type: string; readonly invokeIdAndPriority: number }): Facts {
  return { choice: from.type, invoke: invoke(from.invokeIdAndPriority) };
}

function getRequest({ body }: ApduOf<"get-request">): Facts {
  switch (body.type) {
    case "normal":
      return { ...head(body), attr: attribute(body.attribute, body.access) };
    case "next":
      return { ...head(body), blockNumber: body.blockNumber };
    case "with-list":
      return { ...head(body), list: body.attributes.map((each) => attribute(each.attribute, each.access)) };
  }
}

function getResponse({ body }: ApduOf<"get-response">): Facts {
  switch (body.type) {
    case "normal":
      return { ...head(body), result: result(body.result) };
    case "with-datablock":
      return { ...head(body), ...blockResult(body.block) };
    case "with-list":
      return { ...head(body), list: body.results.map(result) };
  }
}

function setRequest({ body }: ApduOf<"set-request">): Facts {
  switch (body.type) {
    case "normal":
      return { ...head(body), attr: attribute(body.attribute, body.access), value: normaliseData(body.value) };
    case "with-first-datablock":
      return { ...head(body), attr: attribute(body.attribute, body.access), ...block(body.block) };
    case "with-datablock":
      return { ...head(body), ...block(body.block) };
    case "with-list":
      return {
        ...head(body),
        list: body.attributes.map((each) => attribute(each.attribute, each.access)),
        values: body.values.map(normaliseData),
      };
    case "with-list-and-first-datablock":
      return {
        ...head(body),
        list: body.attributes.map((each) => attribute(each.attribute, each.access)),
        ...block(body.block),
      };
  }
}

function setResponse({ body }: ApduOf<"set-response">): Facts {
  const { invokeIdAndPriority: _, type: __, ...fields } = body;
  return { ...head(body), ...fields };
}

function actionRequest({ body }: ApduOf<"action-request">): Facts {
  switch (body.type) {
    case "normal":
      return {
        ...head(body),
        method: method(body.method),
        ...(body.parameters === undefined ? {} : { parameters: normaliseData(body.parameters) }),
      };
    case "next-pblock":
      return { ...head(body), blockNumber: body.blockNumber };
    case "with-list":
      return { ...head(body), list: body.methods.map(method), parameters: body.parameters.map(normaliseData) };
    case "with-first-pblock":
      return { ...head(body), method: method(body.method), ...block(body.block) };
    case "with-list-and-first-pblock":
      return { ...head(body), list: body.methods.map(method), ...block(body.block) };
    case "with-pblock":
      return { ...head(body), ...block(body.block) };
  }
}

function outcome(from: ActionOutcome): Facts {
  const { returnParameters } = from;
  return { result: from.result, ...(returnParameters ? { returnParameters: result(returnParameters) } : {}) };
}

function actionResponse({ body }: ApduOf<"action-response">): Facts {
  switch (body.type) {
    case "normal":
      return { ...head(body), response: outcome(body.outcome) };
    case "with-pblock":
      return { ...head(body), ...block(body.block) };
    case "with-list":
      return { ...head(body), list: body.outcomes.map(outcome) };
    case "next-pblock":
      return { ...head(body), blockNumber: body.blockNumber };
  }
}

function specification(from: AccessSpecification): Facts {
  switch (from.type) {
    case "get":
    case "set":
      return { k: from.type, ...attribute(from.attribute) };
    case "action":
      return { k: from.type, ...method(from.method) };
    case "get-with-selection":
    case "set-with-selection":
      return { k: from.type, ...attribute(from.attribute, from.access) };
  }
}

function access(apdu: ApduOf<"access-request" | "access-response">): Facts {
  const { body } = apdu;
  const common = { ...longHead(body), data: body.data.map(normaliseData) };
  if (apdu.apdu === "access-request") return { ...common, specs: apdu.body.specifications.map(specification) };
  const specs = apdu.body.specifications;
  return {
    ...common,
    ...(specs === undefined ? {} : { specs: specs.map(specification) }),
    results: apdu.body.results.map((each: AccessResult) => ({ k: each.type, result: each.result })),
  };
}

function serviceError({ body }: ApduOf<"confirmed-service-error">): Facts {
  const codes: Readonly<Record<string, number>> = SERVICE_ERROR_CODES[body.error.type];
  return {
    service: body.service === "initiate-error" ? "initiateError" : body.service,
    errorChoice: body.error.type,
    error: codes[body.error.code] ?? body.error.code,
  };
}

function generalBlockTransfer({ body }: ApduOf<"general-block-transfer">): Facts {
  const { blockControl, blockNumber, blockNumberAck, blockData } = body;
  return { ...blockControl, blockNumber, blockNumberAck, blockData: toHex(blockData) };
}

function conformance(bits: Conformance): Facts {
  return { conformanceHex: conformanceToNumber(bits).toString(16).padStart(6, "0"), conformance: [...bits] };
}

function initiate(apdu: ApduOf<"initiate-request" | "initiate-response">): Facts {
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

type Acse = ApduOf<"aarq" | "aare" | "rlrq" | "rlre">;

function acse(apdu: Acse): Facts {
  const { userInformation } = apdu.body;
  return {
    ...acseHead(apdu),
    ...(userInformation === undefined
      ? {}
      : { userInformationHex: toHex(userInformation), userInformation: normaliseApdu(decodeApdu(userInformation)) }),
  };
}

function acseHead(apdu: Acse): Facts {
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

function variable(from: VariableAccessSpecification): Facts {
  switch (from.type) {
    case "variable-name":
      return { variableName: shortNameHex(from.variableName) };
    case "parameterized-access":
      return {
        parameterizedAccess: {
          variableName: shortNameHex(from.variableName),
          selector: from.selector,
          parameter: normaliseData(from.parameter),
        },
      };
    case "block-number-access":
      return { blockNumberAccess: from.blockNumber };
    case "read-data-block-access":
      return { readDataBlockAccess: block(from) };
    case "write-data-block-access":
      return { writeDataBlockAccess: { lastBlock: from.lastBlock, blockNumber: from.blockNumber } };
  }
}

function shortNameHex(name: number): string {
  return name.toString(16).padStart(4, "0");
}

type ShortName = ApduOf<
  | "read-request"
  | "read-response"
  | "write-request"
  | "write-response"
  | "unconfirmed-write-request"
  | "information-report-request"
>;

function shortName(apdu: ShortName): Facts {
  switch (apdu.apdu) {
    case "read-request":
      return { list: apdu.body.variables.map(variable) };
    case "write-request":
    case "unconfirmed-write-request":
      return { list: apdu.body.variables.map(variable), values: apdu.body.values.map(normaliseData) };
    case "information-report-request":
      return { vars: apdu.body.variables.map(variable), values: apdu.body.values.map(normaliseData) };
    case "read-response":
      return { list: apdu.body.results.map(readResult) };
    case "write-response":
      return { list: apdu.body.results.map(writeResult) };
  }
}

function readResult(from: ApduOf<"read-response">["body"]["results"][number]): Facts {
  switch (from.type) {
    case "data":
      return { data: normaliseData(from.data) };
    case "data-access-error":
      return { error: from.dataAccessResult };
    case "data-block-result":
      return { dataBlock: block(from) };
    case "block-number":
      return { blockNumber: from.blockNumber };
  }
}

function writeResult(from: ApduOf<"write-response">["body"]["results"][number]): unknown {
  switch (from.type) {
    case "success":
      return "success";
    case "data-access-error":
      return { error: from.dataAccessResult };
    case "block-number":
      return { blockNumber: from.blockNumber };
  }
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
