/** What several services address and answer with (IEC 62056-5-3, LN referencing). */
import {
  bool,
  type Codec,
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
import { type Data, dataFromBytes, skipData } from "../axdr/data.ts";
import { DATA_TAGS } from "../axdr/tags.ts";
import { Reader } from "../bytes/reader.ts";
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

const DATA_CHOICE = 0;
const anyResult = choice({
  data: [DATA_CHOICE, sequence({ data })],
  "data-access-result": [1, sequence({ dataAccessResult })],
});
export type DataResult = Decoded<typeof anyResult>;

/** Get-Data-Result: the value, or why there is none. An array is made of its octets when it is looked at. */
export const dataResult: Codec<DataResult> = {
  decode(reader) {
    const start = reader.offset;
    if (reader.observer !== undefined || reader.peek() !== DATA_CHOICE) return anyResult.decode(reader);
    reader.skip(1);
    if (reader.peek() === DATA_TAGS.array) return resultIn(reader);
    reader.offset = start;
    return anyResult.decode(reader);
  },
  encode: (value, writer) => anyResult.encode(value, writer),
};

/** The octets of values that are not made yet, for as long as the results are held. */
const ENCODED = new WeakMap<DataResult, Uint8Array>();

/** The octets of a value that is made when it is looked at, checked to be whole; they are not copied. */
export function encodedOctets(result: DataResult): Uint8Array | undefined {
  return ENCODED.get(result);
}

/** A value that fills its octets, which is checked at once, and made when it is looked at: rows of a profile never are. */
export function encodedResult(octets: Uint8Array): DataResult {
  const reader = new Reader(octets);
  const result = resultIn(reader);
  reader.end();
  return result;
}

function resultIn(reader: Reader): DataResult {
  const start = reader.offset;
  skipData(reader);
  const octets = reader.since(start);
  let value: Data | undefined;
  const result: DataResult = {
    type: "data",
    get data() {
      value ??= dataFromBytes(octets);
      return value;
    },
  };
  ENCODED.set(result, octets);
  return result;
}

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
