/** GET service (IEC 62056-5-3). Raw data of all blocks together is Data, or for a list its DataResults with their count. */
import { choice, type Decoded, listOf, optional, sequence, u8, u32 } from "../axdr/codec.ts";
import {
  attributeDescriptor,
  attributeReference,
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

export const getResponse = choice({
  normal: [1, sequence({ invokeIdAndPriority: u8, result: dataResult })],
  "with-datablock": [2, sequence({ invokeIdAndPriority: u8, block: dataBlockResult })],
  "with-list": [3, sequence({ invokeIdAndPriority: u8, results: listOf(dataResult) })],
});
