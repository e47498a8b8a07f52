/** What a service order needs of an association, and the exchange that carries it out. */
import type { Apdu } from "../../apdu/apdu.ts";
import type { AttributeReference } from "../../apdu/descriptors.ts";
import type { Conformance, ConformanceBit } from "../../ber/conformance.ts";
import { DlmsError } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import { AccessExchange } from "../exchanges/access-exchange.ts";
import { ActionExchange } from "../exchanges/action-exchange.ts";
import { GetExchange } from "../exchanges/get-exchange.ts";
import { ReadExchange } from "../exchanges/read-exchange.ts";
import type { ExchangeContext, ServiceExchange } from "../exchanges/service-exchange.ts";
import { SetExchange } from "../exchanges/set-exchange.ts";
import { WriteExchange } from "../exchanges/write-exchange.ts";
import type { VariableReference } from "../variables.ts";
import type { ServiceOrder, UnconfirmedOrder } from "./client-events.ts";

/** The services that an order uses, and the block transfer that carries a request which is too long. */
const SERVICES = {
  get: { services: ["get"], blocks: "block-transfer-with-get-or-read" },
  getList: { services: ["get", "multiple-references"], blocks: "block-transfer-with-get-or-read" },
  set: { services: ["set"], blocks: "block-transfer-with-set-or-write" },
  setList: { services: ["set", "multiple-references"], blocks: "block-transfer-with-set-or-write" },
  action: { services: ["action"], blocks: "block-transfer-with-action" },
  actionList: { services: ["action", "multiple-references"], blocks: "block-transfer-with-action" },
  access: { services: ["access"], blocks: undefined },
  read: { services: ["read"], blocks: "block-transfer-with-get-or-read" },
  write: { services: ["write"], blocks: "block-transfer-with-set-or-write" },
} as const satisfies Record<
  ServiceOrder["type"],
  { readonly services: readonly ConformanceBit[]; readonly blocks: ConformanceBit | undefined }
>;

const WHOLE_OBJECT = 0;

/** Throws SERVICE_NOT_NEGOTIATED when the association does not offer what the order needs, and for malformed lists. */
export function requireAgreed(order: ServiceOrder, agreed: Conformance, kind?: "unconfirmed"): void {
  for (const bit of servicesOf(order)) {
    const service = kind === "unconfirmed" && bit === "write" ? "unconfirmed-write" : bit;
    if (!agreed.has(service)) throw new DlmsError("SERVICE_NOT_NEGOTIATED", "caller", { service });
  }
  const [count, other] = listLengths(order);
  if (count === 0 || count > LIMITS.listCount || other !== count) {
    throw new DlmsError("DATA_OUT_OF_RANGE", "caller", { count, other, limit: LIMITS.listCount });
  }
}

/** The conformance bit of the blocks that a long request of this service goes in; undefined where it has none. */
export function transferBit(order: ServiceOrder): ConformanceBit | undefined {
  return SERVICES[order.type].blocks;
}

export function exchangeFor(order: ServiceOrder, context: ExchangeContext): ServiceExchange {
  switch (order.type) {
    case "get":
      return new GetExchange(referenceOf(order), context);
    case "getList":
      return new GetExchange(order.attributes, context);
    case "set":
      return new SetExchange({ reference: referenceOf(order), value: order.value }, context);
    case "setList":
      return new SetExchange({ attributes: order.attributes, values: order.values }, context);
    case "action": {
      const { method, parameters } = order;
      return new ActionExchange({ method, ...(parameters !== undefined && { parameters }) }, context);
    }
    case "actionList":
      return new ActionExchange({ methods: order.methods, parameters: order.parameters }, context);
    case "access":
      return new AccessExchange(order, context);
    case "read":
      return new ReadExchange(order.variables, context);
    case "write":
      return new WriteExchange(order.variables, order.values, context);
  }
}

/** The request of an order that wants no answer. `invokeIdAndPriority` says so. */
export function unconfirmedRequest(order: UnconfirmedOrder, invokeIdAndPriority: number): Apdu {
  const maxPduLength = Number.POSITIVE_INFINITY;
  const request = exchangeFor(order, { invokeIdAndPriority, maxPduLength, note: () => undefined }).first();
  return request.apdu === "write-request" ? { ...request, apdu: "unconfirmed-write-request" } : request;
}

function servicesOf(order: ServiceOrder): readonly ConformanceBit[] {
  const services: readonly ConformanceBit[] = SERVICES[order.type].services;
  if (order.type === "read" || order.type === "write") return [...services, ...variableBits(order.variables)];
  const references = referencesOf(order);
  const selective = references.some((reference) => reference.access !== undefined);
  const whole = references.some((reference) => reference.attribute.attributeId === WHOLE_OBJECT);
  return selective || whole
    ? [...services, ...(selective ? SELECTIVE : []), ...(whole ? wholeBit(order) : [])]
    : services;
}

function variableBits(variables: readonly VariableReference[]): readonly ConformanceBit[] {
  const bits: ConformanceBit[] = variables.length > 1 ? ["multiple-references"] : [];
  if (variables.some(({ access }) => access !== undefined)) bits.push("parameterized-access");
  return bits;
}

const SELECTIVE: readonly ConformanceBit[] = ["selective-access"];

function wholeBit(order: ServiceOrder): readonly ConformanceBit[] {
  const writes = order.type.startsWith("set");
  return [writes ? "attribute0-supported-with-set" : "attribute0-supported-with-get"];
}

function referencesOf(order: ServiceOrder): readonly AttributeReference[] {
  if (order.type === "get" || order.type === "set") return [order];
  if (order.type === "access") return order.items.filter((item) => item.type !== "action");
  return order.type === "getList" || order.type === "setList" ? order.attributes : [];
}

function referenceOf({ attribute, access }: AttributeReference): AttributeReference {
  return { attribute, access };
}

const SINGLE = [1, 1] as const;

/** How many references and how many values; the same number where the service has no values. */
function listLengths(order: ServiceOrder): readonly [number, number] {
  switch (order.type) {
    case "getList":
      return [order.attributes.length, order.attributes.length];
    case "setList":
      return [order.attributes.length, order.values.length];
    case "actionList":
      return [order.methods.length, order.parameters.length];
    case "access":
      return [order.items.length, order.items.length];
    case "read":
      return [order.variables.length, order.variables.length];
    case "write":
      return [order.variables.length, order.values.length];
    default:
      return SINGLE;
  }
}
