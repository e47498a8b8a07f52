/**
 * Services with short name referencing: Read, Write, UnconfirmedWrite, InformationReport (IEC 62056-5-3). Block numbers
 * have sixteen bits here; raw data of all blocks together is what the APDU would have held after its tag.
 */
import { bool, choice, type Decoded, data, listOf, octets, optional, sequence, u8, u16 } from "../axdr/codec.ts";
import type { AttributeDescriptor, MethodDescriptor } from "./descriptors.ts";
import { dataAccessResult } from "./result-codes.ts";

const variableAccessSpecification = choice({
  "variable-name": [2, sequence({ variableName: u16 })],
  "parameterized-access": [4, sequence({ variableName: u16, selector: u8, parameter: data })],
  "block-number-access": [5, sequence({ blockNumber: u16 })],
  "read-data-block-access": [6, sequence({ lastBlock: bool, blockNumber: u16, rawData: octets })],
  "write-data-block-access": [7, sequence({ lastBlock: bool, blockNumber: u16 })],
});
export type VariableAccessSpecification = Decoded<typeof variableAccessSpecification>;

/** What the blocks of a long ReadRequest carry. */
export const variableList = listOf(variableAccessSpecification);

export const readRequest = sequence({ variables: variableList });

/** What the blocks of a long ReadResponse carry. */
export const readResults = listOf(
  choice({
    data: [0, sequence({ data })],
    "data-access-error": [1, sequence({ dataAccessResult })],
    "data-block-result": [2, sequence({ lastBlock: bool, blockNumber: u16, rawData: octets })],
    "block-number": [3, sequence({ blockNumber: u16 })],
  }),
);

export const readResponse = sequence({ results: readResults });

/** Also the unconfirmed one, which is not answered. */
export const writeRequest = sequence({ variables: variableList, values: listOf(data) });

export const writeResponse = sequence({
  results: listOf(
    choice({
      success: [0, sequence({})],
      "data-access-error": [1, sequence({ dataAccessResult })],
      "block-number": [2, sequence({ blockNumber: u16 })],
    }),
  ),
});

export const informationReportRequest = sequence({
  /** GeneralizedTime: ASCII digits, not a COSEM date-time. */
  currentTime: optional(octets),
  variables: variableList,
  values: listOf(data),
});

/** What a short name means. */
export type ShortNamedMember =
  | ({ readonly type: "attribute" } & AttributeDescriptor)
  | ({ readonly type: "method" } & MethodDescriptor);

export interface ShortNamedMethod {
  readonly variableName: number;
  /** Whether it gives something back: then it is invoked by reading it. */
  readonly returns: boolean;
}
