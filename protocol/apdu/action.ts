/** ACTION service (IEC 62056-5-3). */
import {
  type Codec,
  choice,
  type Decoded,
  data,
  listOf,
  optional,
  optionFlag,
  sequence,
  u8,
  u32,
} from "../axdr/codec.ts";
import { dataTypeOf } from "../axdr/tags.ts";
import { type DataResult, dataBlock, dataResult, methodDescriptor } from "./descriptors.ts";
import { actionResult } from "./result-codes.ts";

export const actionRequest = choice({
  normal: [1, sequence({ invokeIdAndPriority: u8, method: methodDescriptor, parameters: optional(data) })],
  "next-pblock": [2, sequence({ invokeIdAndPriority: u8, blockNumber: u32 })],
  "with-list": [3, sequence({ invokeIdAndPriority: u8, methods: listOf(methodDescriptor), parameters: listOf(data) })],
  "with-first-pblock": [4, sequence({ invokeIdAndPriority: u8, method: methodDescriptor, block: dataBlock })],
  "with-list-and-first-pblock": [
    5,
    sequence({ invokeIdAndPriority: u8, methods: listOf(methodDescriptor), block: dataBlock }),
  ],
  "with-pblock": [6, sequence({ invokeIdAndPriority: u8, block: dataBlock })],
});
export type ActionRequest = Decoded<typeof actionRequest>;

const optionalResult = optional(dataResult);

/** OPTIONAL DataResult. Some meters end after the action-result, some send Data without the choice octet before it. */
const returnParameters: Codec<DataResult | undefined> = {
  decode(reader) {
    if (reader.remaining === 0 && reader.tolerates("action-response-without-option")) return undefined;
    if (!optionFlag(reader)) return undefined;
    const tag = reader.peek() ?? 0;
    if (tag > 1 && dataTypeOf(tag) !== undefined && reader.tolerates("action-response-without-choice")) {
      return { type: "data", data: data.decode(reader) };
    }
    return dataResult.decode(reader);
  },
  encode: (value, writer) => optionalResult.encode(value, writer),
};

/** Action-Response-With-Optional-Data. */
export const actionOutcome = sequence({ result: actionResult, returnParameters });
export type ActionOutcome = Decoded<typeof actionOutcome>;

export const actionResponse = choice({
  normal: [1, sequence({ invokeIdAndPriority: u8, outcome: actionOutcome })],
  "with-pblock": [2, sequence({ invokeIdAndPriority: u8, block: dataBlock })],
  "with-list": [3, sequence({ invokeIdAndPriority: u8, outcomes: listOf(actionOutcome) })],
  "next-pblock": [4, sequence({ invokeIdAndPriority: u8, blockNumber: u32 })],
});
