import type { AttributeReference } from "../../../protocol/apdu/descriptors.ts";
import type { DataAccessResult } from "../../../protocol/apdu/result-codes.ts";
import { logicalNameFromOctets } from "../../../protocol/cosem/obis.ts";

/** The meter answered that it does not give an attribute: an answer about one object, not a failure of the session. */
export class AccessRefusedError extends Error {
  override readonly name = "AccessRefusedError";
  /** `class:logical name:attribute` */
  readonly attribute: string;
  readonly result: DataAccessResult;

  constructor(reference: AttributeReference, result: DataAccessResult) {
    const { classId, logicalName, attributeId } = reference.attribute;
    const attribute = `${classId}:${logicalNameFromOctets(logicalName)}:${attributeId}`;
    super(`the meter refuses ${attribute}: ${result}`);
    this.attribute = attribute;
    this.result = result;
  }
}
