/**
 * Lets a meter with short names be asked as one with logical names: reads its object list once, and puts orders into
 * short names. Names that were remembered from an earlier session are proved before they are used: an object's base name
 * is also that of its logical name.
 */
import type { AttributeDescriptor } from "../../../protocol/apdu/descriptors.ts";
import type { ServiceOrder, ServiceResponse } from "../../../protocol/association/client/client-events.ts";
import { inShortNames } from "../../../protocol/association/client/short-name-orders.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import { logicalNameToOctets } from "../../../protocol/cosem/obis.ts";
import { ASSOCIATION_BASE_NAME, ShortNames } from "../../../protocol/cosem/short-names.ts";
import { attributeOf } from "../read/layout-reader.ts";
import { AccessRefusedError } from "./access-refused.ts";

/** Keeps the short names of one meter from one session to the next. */
export interface ShortNameMemory {
  shortNames?: ShortNames | undefined;
}

type Named = Pick<AttributeDescriptor, "classId" | "logicalName">;

/** What callers with logical names ask for. */
const OBJECT_LIST = attributeOf({ classId: 15, logicalName: "0.0.40.0.0.255", attributeId: 2 });
/** What a meter with short names has instead: attribute 2 of Association SN. */
const SHORT_NAME_LIST = attributeOf({ classId: 12, logicalName: "0.0.40.0.0.255", attributeId: 2 });
const SHORT_NAME_LIST_NAME = ASSOCIATION_BASE_NAME + 8;

export class NameResolver {
  readonly #ask: (order: ServiceOrder) => Promise<ServiceResponse>;
  readonly #memory: ShortNameMemory;
  /** Names that this session has read. */
  #names: Promise<ShortNames> | undefined;
  readonly #proved = new Set<number>();

  /** `ask` takes orders by short name. */
  constructor(ask: (order: ServiceOrder) => Promise<ServiceResponse>, memory: ShortNameMemory = {}) {
    this.#ask = ask;
    this.#memory = memory;
  }

  /** Answers an order by logical name. Rejects with AccessRefusedError when the meter does not tell its names. */
  async ask(order: ServiceOrder): Promise<ServiceResponse> {
    const objects = objectsOf(order);
    const names = await this.#namesFor(objects);
    if (asksForObjectList(order)) return { type: "get", result: { type: "data", data: objectListOf(names) } };
    const { orders, responseOf } = inShortNames(order, names);
    const responses: ServiceResponse[] = [];
    for (const each of orders) responses.push(await this.#ask(each));
    return responseOf(responses);
  }

  async #namesFor(objects: readonly Named[]): Promise<ShortNames> {
    const remembered = this.#memory.shortNames;
    if (this.#names === undefined && remembered !== undefined) {
      if (await this.#prove(objects, remembered)) return remembered;
    }
    this.#names ??= this.#read();
    try {
      return await this.#names;
    } catch (error) {
      this.#names = undefined;
      throw error;
    }
  }

  async #read(): Promise<ShortNames> {
    const data = await this.#readValue(SHORT_NAME_LIST_NAME);
    if (typeof data === "string") throw new AccessRefusedError(SHORT_NAME_LIST, data);
    const names = ShortNames.fromObjectList(data);
    this.#memory.shortNames = names;
    return names;
  }

  /** False when an object is unknown or is another one by now. */
  async #prove(objects: readonly Named[], names: ShortNames): Promise<boolean> {
    for (const object of objects) {
      const baseName = names.baseName(object);
      if (baseName === undefined) return false;
      if (this.#proved.has(baseName)) continue;
      const name = await this.#readValue(baseName);
      if (typeof name === "string" || !isName(name, object.logicalName)) return false;
      this.#proved.add(baseName);
    }
    return true;
  }

  async #readValue(variableName: number) {
    const response = await this.#ask({ type: "read", variables: [{ variableName }] });
    const result = response.type === "read" ? response.results[0] : undefined;
    if (result?.type === "data") return result.data;
    return result?.dataAccessResult ?? "other-reason";
  }
}

function objectsOf(order: ServiceOrder): readonly Named[] {
  switch (order.type) {
    case "get":
    case "set":
      return asksForObjectList(order) ? [] : [order.attribute];
    case "getList":
    case "setList":
      return order.attributes.map(({ attribute }) => attribute);
    case "action":
      return [order.method];
    case "actionList":
      return order.methods;
    default:
      return [];
  }
}

function asksForObjectList(order: ServiceOrder): boolean {
  if (order.type !== "get") return false;
  const { classId, logicalName, attributeId } = order.attribute;
  const wanted = OBJECT_LIST.attribute;
  return classId === wanted.classId && attributeId === wanted.attributeId && sameName(logicalName, wanted.logicalName);
}

/** As an Association LN shows it, without access rights. */
function objectListOf(names: ShortNames): Data {
  const value = names.objects.map(({ classId, version, logicalName }): Data => {
    const name = logicalNameToOctets(logicalName);
    return {
      type: "structure",
      value: [
        { type: "long-unsigned", value: classId },
        { type: "unsigned", value: version },
        { type: "octet-string", value: name },
      ],
    };
  });
  return { type: "array", value };
}

function isName(data: Data, logicalName: Uint8Array): boolean {
  return data.type === "octet-string" && sameName(data.value, logicalName);
}

function sameName(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((octet, index) => octet === other[index]);
}
