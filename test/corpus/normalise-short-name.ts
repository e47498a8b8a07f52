/** Services with short names in the corpus' JSON form. */
import { type ApduOf } from "../../protocol/apdu/apdu.ts";
import type { VariableAccessSpecification } from "../../protocol/apdu/short-name.ts";
import type { Facts } from "./case.ts";
import { normaliseData } from "./normalise-data.ts";
import { block } from "./normalise-services.ts";

function variable(from: VariableAccessSpecification): Facts {
  switch (from.type) {
    case "variable-name":
      return { variableName: shortNameHex(from.variableName) };
    case "parameterized-access":
      return {
        parameterizedAccess: {
          variableName: shortNameHex(from.variableName),
          selector: from.selector,
          parameter: normaliseData(from.parameter),
        },
      };
    case "block-number-access":
      return { blockNumberAccess: from.blockNumber };
    case "read-data-block-access":
      return { readDataBlockAccess: block(from) };
    case "write-data-block-access":
      return { writeDataBlockAccess: { lastBlock: from.lastBlock, blockNumber: from.blockNumber } };
  }
}

function shortNameHex(name: number): string {
  return name.toString(16).padStart(4, "0");
}

type ShortName = ApduOf<
  | "read-request"
  | "read-response"
  | "write-request"
  | "write-response"
  | "unconfirmed-write-request"
  | "information-report-request"
>;

export function shortName(apdu: ShortName): Facts {
  switch (apdu.apdu) {
    case "read-request":
      return { list: apdu.body.variables.map(variable) };
    case "write-request":
    case "unconfirmed-write-request":
      return { list: apdu.body.variables.map(variable), values: apdu.body.values.map(normaliseData) };
    case "information-report-request":
      return { vars: apdu.body.variables.map(variable), values: apdu.body.values.map(normaliseData) };
    case "read-response":
      return { list: apdu.body.results.map(readResult) };
    case "write-response":
      return { list: apdu.body.results.map(writeResult) };
  }
}

function readResult(from: ApduOf<"read-response">["body"]["results"][number]): Facts {
  switch (from.type) {
    case "data":
      return { data: normaliseData(from.data) };
    case "data-access-error":
      return { error: from.dataAccessResult };
    case "data-block-result":
      return { dataBlock: block(from) };
    case "block-number":
      return { blockNumber: from.blockNumber };
  }
}

function writeResult(from: ApduOf<"write-response">["body"]["results"][number]): unknown {
  switch (from.type) {
    case "success":
      return "success";
    case "data-access-error":
      return { error: from.dataAccessResult };
    case "block-number":
      return { blockNumber: from.blockNumber };
  }
}
