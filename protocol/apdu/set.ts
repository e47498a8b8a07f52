/** SET service (IEC 62056-5-3). Raw data of all blocks together is Data, or for a list its values with their count. */
import { choice, type Decoded, data, listOf, optional, sequence, u8, u32 } from "../axdr/codec.ts";
import { attributeDescriptor, attributeReference, dataBlock, selectiveAccess } from "./descriptors.ts";
import { dataAccessResult } from "./result-codes.ts";

export const setRequest = choice({
  normal: [
    1,
    sequence({
      invokeIdAndPriority: u8,
      attribute: attributeDescriptor,
      access: optional(selectiveAccess),
      value: data,
    }),
  ],
  "with-first-datablock": [
    2,
    sequence({
      invokeIdAndPriority: u8,
      attribute: attributeDescriptor,
      access: optional(selectiveAccess),
      block: dataBlock,
    }),
  ],
  "with-datablock": [3, sequence({ invokeIdAndPriority: u8, block: dataBlock })],
  "with-list": [4, sequence({ invokeIdAndPriority: u8, attributes: listOf(attributeReference), values: listOf(data) })],
  "with-list-and-first-datablock": [
    5,
    sequence({ invokeIdAndPriority: u8, attributes: listOf(attributeReference), block: dataBlock }),
  ],
});
export type SetRequest = Decoded<typeof setRequest>;

export const setResponse = choice({
  normal: [1, sequence({ invokeIdAndPriority: u8, result: dataAccessResult })],
  datablock: [2, sequence({ invokeIdAndPriority: u8, blockNumber: u32 })],
  "last-datablock": [3, sequence({ invokeIdAndPriority: u8, result: dataAccessResult, blockNumber: u32 })],
  "last-datablock-with-list": [
    4,
    sequence({ invokeIdAndPriority: u8, results: listOf(dataAccessResult), blockNumber: u32 }),
  ],
  "with-list": [5, sequence({ invokeIdAndPriority: u8, results: listOf(dataAccessResult) })],
});
