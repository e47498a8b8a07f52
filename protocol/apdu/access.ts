/** ACCESS service: several gets, sets and actions in one request (IEC 62056-5-3). */
import { choice, type Decoded, data, listOf, optional, sequence, u32 } from "../axdr/codec.ts";
import { dateTime } from "./date-time.ts";
import { attributeDescriptor, methodDescriptor, selectiveAccess } from "./descriptors.ts";
import { actionResult, dataAccessResult } from "./result-codes.ts";

const accessSpecification = choice({
  get: [1, sequence({ attribute: attributeDescriptor })],
  set: [2, sequence({ attribute: attributeDescriptor })],
  action: [3, sequence({ method: methodDescriptor })],
  "get-with-selection": [4, sequence({ attribute: attributeDescriptor, access: selectiveAccess })],
  "set-with-selection": [5, sequence({ attribute: attributeDescriptor, access: selectiveAccess })],
});
export type AccessSpecification = Decoded<typeof accessSpecification>;

export const accessRequest = sequence({
  longInvokeIdAndPriority: u32,
  dateTime,
  specifications: listOf(accessSpecification),
  /** One value per specification; null-data where there is nothing to hand over. */
  data: listOf(data),
});

const accessResult = choice({
  get: [1, sequence({ result: dataAccessResult })],
  set: [2, sequence({ result: dataAccessResult })],
  action: [3, sequence({ result: actionResult })],
});
export type AccessResult = Decoded<typeof accessResult>;

export const accessResponse = sequence({
  longInvokeIdAndPriority: u32,
  dateTime,
  specifications: optional(listOf(accessSpecification)),
  /** One value per specification; null-data where there is nothing to give back. */
  data: listOf(data),
  results: listOf(accessResult),
});
