/** Services with logical names, and blocks, in the corpus' JSON form. */
import type { AccessResult, AccessSpecification } from "../../protocol/apdu/access.ts";
import type { ActionOutcome } from "../../protocol/apdu/action.ts";
import { type ApduOf } from "../../protocol/apdu/apdu.ts";
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
import { toHex } from "../../protocol/bytes/hex.ts";
import { decodeDateTime } from "../../protocol/cosem/date-time.ts";
import type { Facts } from "./case.ts";
import { normaliseData } from "./normalise-data.ts";

export function normaliseDateTime(octets: Uint8Array): Facts {
  const { dayOfWeek, deviationMinutes, ...fields } = decodeDateTime(octets);
  const open = { ...fields, dow: dayOfWeek, deviation: deviationMinutes };
  const named = Object.entries(open).map(([name, value]) => [name, value ?? null]);
  return { hex: toHex(octets), ...Object.fromEntries(named) };
}

function dotted(logicalName: Uint8Array): string {
  return logicalName.join(".");
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

export function longHead(from: {
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

export function attribute(descriptor: AttributeDescriptor, access?: SelectiveAccess): Facts {
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

export function block(from: DataBlock): Facts {
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

export function getRequest({ body }: ApduOf<"get-request">): Facts {
  switch (body.type) {
    case "normal":
      return { ...head(body), attr: attribute(body.attribute, body.access) };
    case "next":
      return { ...head(body), blockNumber: body.blockNumber };
    case "with-list":
      return { ...head(body), list: body.attributes.map((each) => attribute(each.attribute, each.access)) };
  }
}

export function getResponse({ body }: ApduOf<"get-response">): Facts {
  switch (body.type) {
    case "normal":
      return { ...head(body), result: result(body.result) };
    case "with-datablock":
      return { ...head(body), ...blockResult(body.block) };
    case "with-list":
      return { ...head(body), list: body.results.map(result) };
  }
}

export function setRequest({ body }: ApduOf<"set-request">): Facts {
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

export function setResponse({ body }: ApduOf<"set-response">): Facts {
  const { invokeIdAndPriority: _, type: __, ...fields } = body;
  return { ...head(body), ...fields };
}

export function actionRequest({ body }: ApduOf<"action-request">): Facts {
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

export function actionResponse({ body }: ApduOf<"action-response">): Facts {
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

export function access(apdu: ApduOf<"access-request" | "access-response">): Facts {
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

export function serviceError({ body }: ApduOf<"confirmed-service-error">): Facts {
  const codes: Readonly<Record<string, number>> = SERVICE_ERROR_CODES[body.error.type];
  return {
    service: body.service === "initiate-error" ? "initiateError" : body.service,
    errorChoice: body.error.type,
    error: codes[body.error.code] ?? body.error.code,
  };
}

export function generalBlockTransfer({ body }: ApduOf<"general-block-transfer">): Facts {
  const { blockControl, blockNumber, blockNumberAck, blockData } = body;
  return { ...blockControl, blockNumber, blockNumberAck, blockData: toHex(blockData) };
}
