/** WRITE from the client's side: variables by short name, at once or in blocks (IEC 62056-5-3, Write service). */
import { type Apdu, type ApduOf, encodeApdu } from "../../apdu/apdu.ts";
import type { DataBlock } from "../../apdu/descriptors.ts";
import type { DataAccessResult } from "../../apdu/result-codes.ts";
import { writeRequest } from "../../apdu/short-name.ts";
import type { Data } from "../../axdr/data.ts";
import { Writer } from "../../bytes/writer.ts";
import { DlmsError } from "../../errors.ts";
import { specificationOf, type VariableReference } from "../variables.ts";
import { RequestBlocks } from "./request-blocks.ts";
import {
  type ExchangeContext,
  type ExchangeStep,
  ignored,
  isAccessError,
  listResultsFor,
  type ServiceExchange,
} from "./service-exchange.ts";

type Request = ApduOf<"write-request">;
type WriteResult = ApduOf<"write-response">["body"]["results"][number];

export class WriteExchange implements ServiceExchange {
  readonly responseName = "write-response";
  readonly #variables: readonly VariableReference[];
  readonly #values: readonly Data[];
  readonly #context: ExchangeContext;
  readonly #blocks: RequestBlocks<Request>;

  /** As many values as variables. */
  constructor(variables: readonly VariableReference[], values: readonly Data[], context: ExchangeContext) {
    this.#variables = variables;
    this.#values = values;
    this.#context = context;
    this.#blocks = new RequestBlocks(context, carrying);
  }

  first(): Request {
    const body = { variables: this.#variables.map(specificationOf), values: this.#values };
    const whole: Request = { apdu: "write-request", body };
    if (encodeApdu(whole).length <= this.#context.maxPduLength) return whole;
    const writer = new Writer();
    writeRequest.encode(body, writer);
    return this.#blocks.begin(writer.finish());
  }

  take(answer: Apdu): ExchangeStep {
    if (answer.apdu !== "write-response") return ignored(answer.apdu);
    const { results } = answer.body;
    const [first] = results;
    if (results.length === 1 && first?.type === "block-number") return this.#blocks.next(first.blockNumber);
    return this.#done(results);
  }

  partial(): undefined {
    return undefined;
  }

  #done(written: readonly WriteResult[]): ExchangeStep {
    this.#blocks.checkResult(written.some(({ type }) => type === "success"));
    const results = listResultsFor(written, this.#values.length, { ...this.#context, refuses: isAccessError });
    return { type: "done", response: { type: "write", results: results.map(resultOf) } };
  }
}

/** The raw data travel as an octet-string in the place of the value. */
function carrying({ rawData, lastBlock, blockNumber }: DataBlock): Request {
  const variables = [{ type: "write-data-block-access", lastBlock, blockNumber }] as const;
  return { apdu: "write-request", body: { variables, values: [{ type: "octet-string", value: rawData }] } };
}

function resultOf(result: WriteResult): DataAccessResult {
  switch (result.type) {
    case "success":
      return "success";
    case "data-access-error":
      return result.dataAccessResult;
    default:
      throw new DlmsError("SERVICE_UNEXPECTED", "peer", { answer: result.type });
  }
}
