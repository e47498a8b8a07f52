/** GET service (IEC 62056-5-3). Raw data of all blocks together is Data, or for a list its DataResults with their count. */
import { type Codec, choice, type Decoded, listOf, optional, sequence, u8, u32 } from "../axdr/codec.ts";
import {
  attributeDescriptor,
  attributeReference,
  type DataResult,
  dataBlockResult,
  dataResult,
  selectiveAccess,
} from "./descriptors.ts";

export const getRequest = choice({
  normal: [1, sequence({ invokeIdAndPriority: u8, attribute: attributeDescriptor, access: optional(selectiveAccess) })],
  next: [2, sequence({ invokeIdAndPriority: u8, blockNumber: u32 })],
  "with-list": [3, sequence({ invokeIdAndPriority: u8, attributes: listOf(attributeReference) })],
});
export type GetRequest = Decoded<typeof getRequest>;

const countedResults = listOf(dataResult);
/** Choice and code of a refusal; a list needs at least one octet more. */
const REFUSAL_LENGTH = 2;
const REFUSED = 1;

/** The results of a list, or the one refusal that Gurux servers send in their place. */
const dataResults: Codec<readonly DataResult[]> = {
  decode(reader) {
    const single = reader.remaining === REFUSAL_LENGTH && reader.peek() === REFUSED;
    return single && reader.tolerates("list-refused-by-one-result")
      ? [dataResult.decode(reader)]
      : countedResults.decode(reader);
  },
  encode: (value, writer) => countedResults.encode(value, writer),
};

export const getResponse = choice({
  normal: [1, sequence({ invokeIdAndPriority: u8, result: dataResult })],
  "with-datablock": [2, sequence({ invokeIdAndPriority: u8, block: dataBlockResult })],
  "with-list": [3, sequence({ invokeIdAndPriority: u8, results: dataResults })],
});

export type GetResponse = Decoded<typeof getResponse>;

/** Whether it is the answer that ends a transfer in blocks and brings nothing more. */
export function isEmptyLastBlock(response: GetResponse): boolean {
  if (response.type !== "with-datablock") return false;
  const { lastBlock, result } = response.block;
  return lastBlock && result.type === "raw-data" && result.rawData.length === 0;
}
