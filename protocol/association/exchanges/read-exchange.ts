/** READ from the client's side: variables by short name, with blocks both ways (IEC 62056-5-3, Read service). */
import { type Apdu, type ApduOf, encodeApdu } from "../../apdu/apdu.ts";
import type { DataBlock, DataResult } from "../../apdu/descriptors.ts";
import { readResults, variableList } from "../../apdu/short-name.ts";
import { Reader } from "../../bytes/reader.ts";
import { Writer } from "../../bytes/writer.ts";
import { DlmsError } from "../../errors.ts";
import { FIELD_QUIRKS } from "../../quirks.ts";
import { specificationOf, type VariableReference } from "../variables.ts";
import { AnswerBlocks } from "./answer-blocks.ts";
import { RequestBlocks } from "./request-blocks.ts";
import {
  type ExchangeContext,
  type ExchangeStep,
  ignored,
  isAccessError,
  listResultsFor,
  type ServiceExchange,
} from "./service-exchange.ts";

type Request = ApduOf<"read-request">;
type ReadResult = ApduOf<"read-response">["body"]["results"][number];

/** Choice octet of a result that is data. */
const DATA_CHOICE = 0;

export class ReadExchange implements ServiceExchange {
  readonly responseName = "read-response";
  readonly #variables: readonly VariableReference[];
  readonly #context: ExchangeContext;
  readonly #answer: AnswerBlocks;
  readonly #blocks: RequestBlocks<Request>;

  constructor(variables: readonly VariableReference[], context: ExchangeContext) {
    this.#variables = variables;
    this.#context = context;
    this.#blocks = new RequestBlocks(context, carrying);
    this.#answer = new AnswerBlocks(context, {
      next: (blockNumber) => ({
        apdu: "read-request",
        body: { variables: [{ type: "block-number-access", blockNumber }] },
      }),
      whole: (octets) => this.#done(this.#decodeJoined(octets)),
    });
  }

  first(): Request {
    const variables = this.#variables.map(specificationOf);
    const whole: Request = { apdu: "read-request", body: { variables } };
    if (encodeApdu(whole).length <= this.#context.maxPduLength) return whole;
    const writer = new Writer();
    variableList.encode(variables, writer);
    return this.#blocks.begin(writer.finish());
  }

  take(answer: Apdu): ExchangeStep {
    if (answer.apdu !== "read-response") return ignored(answer.apdu);
    const { results } = answer.body;
    const [first] = results;
    if (results.length === 1 && first?.type === "data-block-result") return this.#answer.take(first);
    if (results.length === 1 && first?.type === "block-number") return this.#blocks.next(first.blockNumber);
    return this.#done(results);
  }

  partial(): Uint8Array | undefined {
    return this.#answer.partial();
  }

  /** Some servers leave out the count and the first choice, so that a single value stands there alone. */
  #decodeJoined(octets: Uint8Array): readonly ReadResult[] {
    try {
      return decodeResults(octets);
    } catch (error) {
      if (!(error instanceof DlmsError)) throw error;
      const writer = new Writer(octets.length + 8);
      const completed = writer.lengthField(this.#variables.length).u8(DATA_CHOICE).bytes(octets).finish();
      const results = orThrow(() => decodeResults(completed), error);
      this.#context.note("read-results-headless");
      return results;
    }
  }

  #done(read: readonly ReadResult[]): ExchangeStep {
    const results = listResultsFor(read, this.#variables.length, { ...this.#context, refuses: isAccessError });
    return { type: "done", response: { type: "read", results: results.map(dataResultOf) } };
  }
}

function carrying(block: DataBlock): Request {
  return { apdu: "read-request", body: { variables: [{ type: "read-data-block-access", ...block }] } };
}

function decodeResults(octets: Uint8Array): readonly ReadResult[] {
  const reader = new Reader(octets, 0, octets.length, FIELD_QUIRKS);
  const results = readResults.decode(reader);
  reader.end();
  return results;
}

function dataResultOf(result: ReadResult): DataResult {
  switch (result.type) {
    case "data":
      return result;
    case "data-access-error":
      return { type: "data-access-result", dataAccessResult: result.dataAccessResult };
    default:
      throw new DlmsError("SERVICE_UNEXPECTED", "peer", { answer: result.type });
  }
}

function orThrow<T>(attempt: () => T, reason: DlmsError): T {
  try {
    return attempt();
  } catch (error) {
    throw error instanceof DlmsError ? reason : error;
  }
}
