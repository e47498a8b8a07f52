/** Every service of one association by logical names, one after the other, and what the peer answered to each. */
import type { AttributeReference, DataResult } from "../../protocol/apdu/descriptors.ts";
import type { ServiceOrder, ServiceResponse } from "../../protocol/association/client/client-events.ts";
import type { Data } from "../../protocol/axdr/data.ts";
import { DlmsError } from "../../protocol/errors.ts";
import { entryAccess, rangeAccess } from "../../protocol/profile/selective-access.ts";

export interface ServiceObjects {
  readonly clock: AttributeReference;
  readonly clockZone: AttributeReference;
  readonly captureObjects: AttributeReference;
  readonly buffer: AttributeReference;
  /** An octet-string that may be written. */
  readonly text: AttributeReference;
}

/** Service → the type of each value, the result, or the error that ended it. */
export type ServiceReading = Readonly<Record<string, string | number>>;

const LONG = 3000;
const FIRST_ROW = 2;
const LAST_ROW = 11;

export async function tryServices(
  ask: (order: ServiceOrder) => Promise<ServiceResponse>,
  objects: ServiceObjects,
  rows: readonly Data[],
): Promise<ServiceReading> {
  const zone = dataOf(await ask({ type: "get", ...objects.clockZone }));
  const { classId, logicalName } = objects.buffer.attribute;
  const method = { classId, logicalName, methodId: 2 };
  const parameters: Data = { type: "integer", value: 0 };
  const long: Data = { type: "octet-string", value: new Uint8Array(LONG).fill(0x41) };
  const { clock, clockZone, captureObjects, buffer, text } = objects;
  const orders: Readonly<Record<string, ServiceOrder | undefined>> = {
    range: rangeOrder(objects, rows),
    entries: { type: "get", ...buffer, access: entryAccess(2, 5) },
    list: { type: "getList", attributes: [clock, captureObjects] },
    set: zone && { type: "set", ...clockZone, value: zone },
    setList: zone && { type: "setList", attributes: [clockZone, clockZone], values: [zone, zone] },
    setBlocks: { type: "set", ...text, value: long },
    readBack: { type: "get", ...text },
    action: { type: "action", method, parameters },
    actionList: { type: "actionList", methods: [method, method], parameters: [parameters, parameters] },
    accessGets: { type: "access", items: [{ type: "get", ...clock }, { type: "get", ...captureObjects }] },
    access: zone && {
      type: "access",
      items: [
        { type: "get", ...clock },
        { type: "set", ...clockZone, value: zone },
        { type: "action", method, parameters },
      ],
    },
    after: { type: "get", ...clock },
  };
  const reading: Record<string, string | number> = {};
  for (const [name, order] of Object.entries(orders)) {
    if (order !== undefined) reading[name] = await outcomeOf(ask, order);
  }
  return reading;
}

function rangeOrder({ buffer }: ServiceObjects, rows: readonly Data[]): ServiceOrder | undefined {
  const from = stampOf(rows[FIRST_ROW]);
  const to = stampOf(rows[LAST_ROW]);
  if (from === undefined || to === undefined) return undefined;
  const restrictingObject = { classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 };
  return { type: "get", ...buffer, access: rangeAccess({ restrictingObject, from, to }) };
}

function stampOf(row: Data | undefined): Uint8Array | undefined {
  const stamp = row?.type === "structure" ? row.value[0] : undefined;
  return stamp?.type === "octet-string" ? stamp.value : undefined;
}

async function outcomeOf(
  ask: (order: ServiceOrder) => Promise<ServiceResponse>,
  order: ServiceOrder,
): Promise<string | number> {
  try {
    return textOf(await ask(order));
  } catch (error) {
    if (error instanceof DlmsError) return error.code;
    throw error;
  }
}

function textOf(response: ServiceResponse): string | number {
  switch (response.type) {
    case "get":
      return countOf(response.result);
    case "getList":
      return response.results.map(resultText).join(" ");
    case "set":
      return response.result;
    case "setList":
      return response.results.join(" ");
    case "action":
      return response.outcome.result;
    case "actionList":
      return response.outcomes.map(({ result }) => result).join(" ");
    case "access":
      return response.outcomes
        .map((each) => (each.type === "get" ? resultText(each.result) : each.type === "set" ? each.result : each.outcome.result))
        .join(" ");
    default:
      return response.type;
  }
}

/** Elements or octets of a value that has such, else what it is. */
function countOf(result: DataResult): string | number {
  if (result.type !== "data") return result.dataAccessResult;
  const { data } = result;
  return data.type === "array" || data.type === "octet-string" ? data.value.length : data.type;
}

function resultText(result: DataResult): string {
  return result.type === "data" ? result.data.type : result.dataAccessResult;
}

function dataOf(response: ServiceResponse): Data | undefined {
  return response.type === "get" && response.result.type === "data" ? response.result.data : undefined;
}
