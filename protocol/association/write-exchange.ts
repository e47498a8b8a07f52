/** WRITE from the client's side: variables by short name, at once or in blocks (IEC 62056-5-3, Write service). */
import { type Apdu, type ApduOf, encodeApdu } from "../apdu/apdu.ts";
import type { DataBlock } from "../apdu/descriptors.ts";
import type { DataAccessResult } from "../apdu/result-codes.ts";
import { writeRequest } from "../apdu/short-name.ts";
import type { Data } from "../axdr/data.ts";
import { Writer } from "../bytes/writer.ts";
import { DlmsError } from "../errors.ts";
import { BlockCutter } from "./block-transfer.ts";
import {
  type ExchangeContext,
  type ExchangeStep,
  ignored,
  isAcknowledged,
  resultsFor,
  roomForRawData,
  type ServiceExchange,
} from "./service-exchange.ts";
import { specificationOf, type VariableReference } from "./variables.ts";

type Request = ApduOf<"write-request">;
type WriteResult = ApduOf<"write-response">["body"]["results"][number];

const NO_BLOCK: DataBlock = { lastBlock: false, blockNumber: 0, rawData: new Uint8Array(0) };

export class WriteExchange implements ServiceExchange {
  readonly responseName = "write-response";
  readonly #variables: readonly VariableReference[];
  readonly #values: readonly Data[];
  readonly #context: ExchangeContext;
  #cutter: BlockCutter | undefined;

  /** As many values as variables. */
  constructor(variables: readonly VariableReference[], values: readonly Data[], context: ExchangeContext) {
    this.#variables = variables;
    this.#values = values;
    this.#context = context;
  }

  first(): Request {
    const body = { variables: this.#variables.map(specificationOf), values: this.#values };
    const whole: Request = { apdu: "write-request", body };
    if (encodeApdu(whole).length <= this.#context.maxPduLength) return whole;
    const writer = new Writer();
    writeRequest.encode(body, writer);
    this.#cutter = new BlockCutter(writer.finish());
    return this.#block(this.#cutter);
  }

  take(answer: Apdu): ExchangeStep {
    if (answer.apdu !== "write-response") return ignored(answer.apdu);
    const { results } = answer.body;
    const [first] = results;
    if (results.length === 1 && first?.type === "block-number") return this.#next(first.blockNumber);
    return this.#done(results);
  }

  partial(): undefined {
    return undefined;
  }

  #block(cutter: BlockCutter): Request {
    const room = roomForRawData(carrying(NO_BLOCK), this.#context.maxPduLength);
    return carrying(cutter.next(room));
  }

  #next(acknowledged: number): ExchangeStep {
    const cutter = this.#cutter;
    if (!isAcknowledged(cutter, acknowledged, this.#context) || cutter === undefined) {
      return ignored("acknowledgement that came already", { blockNumber: acknowledged });
    }
    return { type: "send", apdu: this.#block(cutter), joined: 0 };
  }

  #done(written: readonly WriteResult[]): ExchangeStep {
    const wanted = this.#values.length;
    const [first] = written;
    const refusedWhole = written.length === 1 && wanted > 1 && first?.type === "data-access-error";
    if (refusedWhole) this.#context.note("list-refused-whole");
    const results = refusedWhole ? Array.from({ length: wanted }, () => first) : resultsFor(written, wanted);
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
