/** One attribute is written, and read back: meters take values that they do not hold. */
import { type Data, dataToBytes } from "../../protocol/axdr/data.ts";
import { dottedObis, parseObis } from "../../protocol/cosem/obis.ts";
import { dataLike, type PlainValue, readable, saysTheSame } from "../../protocol/cosem/plain-value.ts";
import { DlmsError } from "../../protocol/errors.ts";
import { attributeOf, readValue } from "../collect/read/layout-reader.ts";
import { negotiated } from "../push/setups/setup-execution.ts";
import type { OrderConnection, OrderKind } from "./order-execution.ts";

/** `attribute` is class, logical name and attribute with colons between. */
export function writeOrder(attribute: string, value: PlainValue): OrderKind<Data> {
  const reference = referenceOf(attribute);
  return {
    look: (connection) => readValue(connection, reference),
    give: async (connection: OrderConnection, before) => {
      const wanted = dataLike(value, before);
      if (!isEncodable(wanted)) return `the value does not fit: the meter holds ${before.type}`;
      const result = await negotiated(
        () => connection.set(reference, wanted),
        "the association has not agreed on writing",
      );
      return result === "success"
        ? undefined
        : `${result}; the meter holds ${formOf(before)}, and was given ${formOf(wanted)}`;
    },
    judge: (present) => {
      if (saysTheSame(present, dataLike(value, present))) return { state: "done" };
      return { state: "differs", evidence: `the meter holds ${JSON.stringify(readable(present))}` };
    },
    shown: (data) => readable(data),
    patienceMs: 0,
  };
}

function referenceOf(attribute: string) {
  const [classId = "", ...rest] = attribute.split(":");
  const attributeId = Number(rest.pop());
  return attributeOf({ classId: Number(classId), logicalName: dottedObis(parseObis(rest.join(":"))), attributeId });
}

function isEncodable(data: Data): boolean {
  try {
    dataToBytes(data);
    return true;
  } catch (error) {
    if (error instanceof DlmsError) return false;
    throw error;
  }
}

/** Type, and length where meters are particular about it. */
function formOf(data: Data): string {
  return "value" in data && typeof data.value === "object" ? `${data.type} of ${data.value.length}` : data.type;
}
