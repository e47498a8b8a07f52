/** GET from the client's side: one attribute or a list, answered at once or in blocks (IEC 62056-5-3, GET service). */
import type { Apdu, ApduOf } from "../../apdu/apdu.ts";
import {
  type AttributeReference,
  type DataBlockResult,
  type DataResult,
  dataResult,
  encodedResult,
} from "../../apdu/descriptors.ts";
import { listOf } from "../../axdr/codec.ts";
import { Reader } from "../../bytes/reader.ts";
import { FIELD_QUIRKS } from "../../quirks.ts";
import type { ServiceResponse } from "../client/client-events.ts";
import { AnswerBlocks } from "./answer-blocks.ts";
import {
  type ExchangeContext,
  type ExchangeStep,
  ignored,
  listResultsFor,
  resultsFor,
  type ServiceExchange,
  unexpected,
} from "./service-exchange.ts";

const resultList = listOf(dataResult);

export class GetExchange implements ServiceExchange {
  readonly responseName = "get-response";
  readonly #attributes: AttributeReference | readonly AttributeReference[];
  readonly #context: ExchangeContext;
  readonly #answer: AnswerBlocks;

  /** One attribute asks for itself, an array for a list, also of one. */
  constructor(attributes: AttributeReference | readonly AttributeReference[], context: ExchangeContext) {
    this.#attributes = attributes;
    this.#context = context;
    const { invokeIdAndPriority } = context;
    this.#answer = new AnswerBlocks(context, {
      next: (blockNumber) => ({ apdu: "get-request", body: { type: "next", invokeIdAndPriority, blockNumber } }),
      whole: (octets) => this.#decodeJoined(octets),
    });
  }

  first(): ApduOf<"get-request"> {
    const { invokeIdAndPriority } = this.#context;
    const attributes = this.#attributes;
    if (isList(attributes)) {
      return { apdu: "get-request", body: { type: "with-list", invokeIdAndPriority, attributes } };
    }
    const { attribute, access } = attributes;
    return { apdu: "get-request", body: { type: "normal", invokeIdAndPriority, attribute, access } };
  }

  take(answer: Apdu): ExchangeStep {
    if (answer.apdu !== "get-response") return ignored(answer.apdu);
    switch (answer.body.type) {
      case "normal":
        return this.#done([answer.body.result], "single");
      case "with-list":
        return this.#done(answer.body.results, "list");
      case "with-datablock":
        return this.#takeBlock(answer.body.block);
    }
  }

  partial(): Uint8Array | undefined {
    return this.#answer.partial();
  }

  #takeBlock(block: DataBlockResult): ExchangeStep {
    const { result, blockNumber, lastBlock } = block;
    if (result.type === "data-access-result") return this.#done([result], "single");
    return this.#answer.take({ lastBlock, blockNumber, rawData: result.rawData });
  }

  #decodeJoined(octets: Uint8Array): ExchangeStep {
    if (!isList(this.#attributes)) return this.#done([encodedResult(octets)], "single");
    const reader = new Reader(octets, 0, octets.length, FIELD_QUIRKS);
    const results = resultList.decode(reader);
    reader.end();
    return this.#done(results, "list");
  }

  /** `form` is that of the answer. */
  #done(results: readonly DataResult[], form: "single" | "list"): ExchangeStep {
    const attributes = this.#attributes;
    const response: ServiceResponse = isList(attributes)
      ? { type: "getList", results: this.#spread(results, form, attributes.length) }
      : { type: "get", result: this.#only(results, form) };
    return { type: "done", response };
  }

  #only(results: readonly DataResult[], form: "single" | "list"): DataResult {
    const [result] = resultsFor(results, 1);
    if (result === undefined) throw unexpected("empty list");
    if (form === "list") this.#context.note("list-of-one");
    return result;
  }

  /** Some meters refuse a list with a single result. */
  #spread(results: readonly DataResult[], form: "single" | "list", wanted: number): readonly DataResult[] {
    if (form === "single" && wanted === 1) this.#context.note("list-of-one");
    return listResultsFor(results, wanted, { ...this.#context, refuses: ({ type }) => type === "data-access-result" });
  }
}

function isList(
  attributes: AttributeReference | readonly AttributeReference[],
): attributes is readonly AttributeReference[] {
  return Array.isArray(attributes);
}
