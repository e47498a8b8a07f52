import type { AttributeReference, DataResult } from "../../../protocol/apdu/descriptors.ts";

/** What a reader needs of an association: attributes, each with its value or the meter's reason. */
export interface AttributeSource {
  get(reference: AttributeReference): Promise<DataResult>;
  /** Several at once where the meter can; results in the order of the references. */
  getList(references: readonly AttributeReference[]): Promise<readonly DataResult[]>;
}
