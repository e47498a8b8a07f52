/** What several services address and answer with (IEC 62056-5-3, LN referencing). */
import {
  bool,
  choice,
  type Decoded,
  data,
  fixedOctets,
  i8,
  octets,
  optional,
  sequence,
  u8,
  u16,
  u32,
} from "../axdr/codec.ts";
import { dataAccessResult } from "./result-codes.ts";

/** The six octets A..F of a logical name. */
const logicalName = fixedOctets(6);

export const attributeDescriptor = sequence({ classId: u16, logicalName, attributeId: i8 });
export type AttributeDescriptor = Decoded<typeof attributeDescriptor>;

export const methodDescriptor = sequence({ classId: u16, logicalName, methodId: i8 });
export type MethodDescriptor = Decoded<typeof methodDescriptor>;

/** Which part of an attribute is meant: the selector's meaning is the interface class's. */
export const selectiveAccess = sequence({ selector: u8, parameters: data });
export type SelectiveAccess = Decoded<typeof selectiveAccess>;

/** An attribute, whole or by selective access. */
export const attributeReference = sequence({ attribute: attributeDescriptor, access: optional(selectiveAccess) });
export type AttributeReference = Decoded<typeof attributeReference>;

/** Get-Data-Result: the value, or why there is none. */
export const dataResult = choice({
  data: [0, sequence({ data })],
  "data-access-result": [1, sequence({ dataAccessResult })],
});
export type DataResult = Decoded<typeof dataResult>;

/** A part of a long value on its way from the client (DataBlock-SA). Decoded `rawData` is a view. */
export const dataBlock = sequence({ lastBlock: bool, blockNumber: u32, rawData: octets });
export type DataBlock = Decoded<typeof dataBlock>;

/** A part of a long answer, or why there is none (DataBlock-G). Decoded `rawData` is a view. */
export const dataBlockResult = sequence({
  lastBlock: bool,
  blockNumber: u32,
  result: choice({
    "raw-data": [0, sequence({ rawData: octets })],
    "data-access-result": [1, sequence({ dataAccessResult })],
  }),
});
export type DataBlockResult = Decoded<typeof dataBlockResult>;
