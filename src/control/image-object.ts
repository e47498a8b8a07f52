/** The Image transfer object (class 18) of a meter, on an open association. */
import { type Data, dataToBytes } from "../../protocol/axdr/data.ts";
import { toHex } from "../../protocol/bytes/hex.ts";
import { integerOf } from "../../protocol/cosem/integers.ts";
import { logicalNameToOctets } from "../../protocol/cosem/obis.ts";
import { attributeOf } from "../collect/read/layout-reader.ts";
import { negotiated } from "../push/setups/setup-execution.ts";
import type { OrderConnection } from "./order-execution.ts";

/** What is to be transferred; meters take no other identifier than that of the image itself. */
export interface Image {
  readonly identifier: Uint8Array;
  readonly octets: Uint8Array;
}

export const TRANSFER_STATUS = {
  notInitiated: 0,
  initiated: 1,
  verificationInitiated: 2,
  verified: 3,
  verificationFailed: 4,
  activationInitiated: 5,
  activated: 6,
  activationFailed: 7,
} as const;

const IMAGE_TRANSFER = 18;
const LOGICAL_NAME = "0.0.44.0.0.255";
const ATTRIBUTES = { blockSize: 2, firstMissing: 4, enabled: 5, status: 6, toActivate: 7 } as const;
const METHODS = { initiate: 1, transferBlock: 2, verify: 3, activate: 4 } as const;
const FIRMWARE = { classId: 1, logicalName: "1.0.0.2.0.255", attributeId: 2 };
const NOTHING: Data = { type: "integer", value: 0 };

export class ImageObject {
  readonly #connection: OrderConnection;

  constructor(connection: OrderConnection) {
    this.#connection = connection;
  }

  /** The number that an attribute holds; undefined where the meter does not show one. */
  async number(attribute: "blockSize" | "firstMissing" | "status"): Promise<number | undefined> {
    const data = await this.#get(attribute);
    return data && integerOf(data);
  }

  /** Meters that do not show whether they take images are asked all the same. */
  async isEnabled(): Promise<boolean> {
    const data = await this.#get("enabled");
    return data?.type !== "boolean" || data.value;
  }

  /** Whether the image that the meter would activate is another one; some show none, or an error. */
  async holdsAnother({ identifier, octets }: Image): Promise<boolean> {
    const data = await this.#get("toActivate");
    const held = data?.type === "array" ? data.value : [];
    const isThis = (each: Data) => {
      const [size, name] = each.type === "structure" ? each.value : [];
      const isNamed = name?.type === "octet-string" && toHex(name.value) === toHex(identifier);
      return isNamed && size !== undefined && integerOf(size) === octets.length;
    };
    return held.length > 0 && !held.some(isThis);
  }

  /** As hexadecimal octets of the value, for comparison; undefined where the meter does not show it. */
  async firmware(): Promise<string | undefined> {
    const result = await this.#connection.get(attributeOf(FIRMWARE));
    return result.type === "data" ? toHex(dataToBytes(result.data)) : undefined;
  }

  /** The meter's answer, `success` among others. */
  initiate({ identifier, octets }: Image): Promise<string> {
    const size: Data = { type: "double-long-unsigned", value: octets.length };
    return this.#invoke("initiate", { type: "structure", value: [{ type: "octet-string", value: identifier }, size] });
  }

  transferBlock(number: number, octets: Uint8Array): Promise<string> {
    const value: Data[] = [
      { type: "double-long-unsigned", value: number },
      { type: "octet-string", value: octets },
    ];
    return this.#invoke("transferBlock", { type: "structure", value });
  }

  verify(): Promise<string> {
    return this.#invoke("verify", NOTHING);
  }

  activate(): Promise<string> {
    return this.#invoke("activate", NOTHING);
  }

  async #get(attribute: keyof typeof ATTRIBUTES): Promise<Data | undefined> {
    const place = { classId: IMAGE_TRANSFER, logicalName: LOGICAL_NAME, attributeId: ATTRIBUTES[attribute] };
    const result = await this.#connection.get(attributeOf(place));
    return result.type === "data" ? result.data : undefined;
  }

  async #invoke(method: keyof typeof METHODS, parameters: Data): Promise<string> {
    const name = {
      classId: IMAGE_TRANSFER,
      logicalName: logicalNameToOctets(LOGICAL_NAME),
      methodId: METHODS[method],
    };
    const refused = { result: "the association has not agreed on methods" };
    return (await negotiated(() => this.#connection.action(name, parameters), refused)).result;
  }
}
