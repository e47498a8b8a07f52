/** SET from the client's side: one attribute or a list, at once or in blocks (IEC 62056-5-3, SET service). */
import { type Apdu, type ApduOf, encodeApdu } from "../../apdu/apdu.ts";
import type { AttributeReference, DataBlock } from "../../apdu/descriptors.ts";
import type { DataAccessResult } from "../../apdu/result-codes.ts";
import { data, listOf } from "../../axdr/codec.ts";
import { type Data, encodeData } from "../../axdr/data.ts";
import { Writer } from "../../bytes/writer.ts";
import { RequestBlocks } from "./request-blocks.ts";
import {
  type ExchangeContext,
  type ExchangeStep,
  ignored,
  listResultsFor,
  type ServiceExchange,
} from "./service-exchange.ts";

type Request = ApduOf<"set-request">;

/** What is to be set: one attribute, or as many attributes as values. */
export type SetOrder =
  | { readonly reference: AttributeReference; readonly value: Data }
  | { readonly attributes: readonly AttributeReference[]; readonly values: readonly Data[] };

const valueList = listOf(data);
const RESULT_BITS = 8;

export class SetExchange implements ServiceExchange {
  readonly responseName = "set-response";
  readonly #order: SetOrder;
  readonly #context: ExchangeContext;
  readonly #blocks: RequestBlocks<Request>;

  constructor(order: SetOrder, context: ExchangeContext) {
    this.#order = order;
    this.#context = context;
    this.#blocks = new RequestBlocks(context, (block, isFirst) =>
      isFirst ? this.#withFirstBlock(block) : this.#withBlock(block),
    );
  }

  first(): Request {
    const whole = this.#whole();
    if (encodeApdu(whole).length <= this.#context.maxPduLength) return whole;
    return this.#blocks.begin(this.#rawData());
  }

  take(answer: Apdu): ExchangeStep {
    if (answer.apdu !== "set-response") return ignored(answer.apdu);
    const { body } = answer;
    switch (body.type) {
      case "normal":
        return this.#done([body.result], "single");
      case "last-datablock":
        return this.#takeLast(body);
      case "with-list":
      case "last-datablock-with-list":
        return this.#done(body.results, "list");
      case "datablock":
        return this.#blocks.next(body.blockNumber);
    }
  }

  partial(): undefined {
    return undefined;
  }

  /** Some servers acknowledge every block by the choice of the last one, the number before the result. */
  #takeLast({
    result,
    blockNumber,
  }: {
    readonly result: DataAccessResult;
    readonly blockNumber: number;
  }): ExchangeStep {
    const number = blockNumber >>> RESULT_BITS;
    const swapped = result === "success" && blockNumber === number << RESULT_BITS && number > 0;
    if (!swapped) return this.#done([result], "single");
    this.#context.note("acknowledgement-as-last");
    return this.#blocks.awaits(number) ? this.#blocks.next(number) : this.#done([result], "single");
  }

  #done(results: readonly DataAccessResult[], form: "single" | "list"): ExchangeStep {
    const listed = "values" in this.#order;
    const wanted = listed ? this.#order.values.length : 1;
    if (listed !== (form === "list") && wanted === 1) this.#context.note("list-of-one");
    this.#blocks.checkResult(results.includes("success"));
    const checked = listResultsFor(results, wanted, { ...this.#context, refuses: () => form === "single" });
    if (listed) return { type: "done", response: { type: "setList", results: checked } };
    const [result = "other-reason"] = checked;
    return { type: "done", response: { type: "set", result } };
  }

  #whole(): Request {
    const { invokeIdAndPriority } = this.#context;
    const order = this.#order;
    if ("values" in order) return { apdu: "set-request", body: { type: "with-list", invokeIdAndPriority, ...order } };
    const { reference, value } = order;
    return { apdu: "set-request", body: { type: "normal", invokeIdAndPriority, ...reference, value } };
  }

  #withFirstBlock(block: DataBlock): Request {
    const { invokeIdAndPriority } = this.#context;
    const order = this.#order;
    if ("values" in order) {
      const { attributes } = order;
      const body = { type: "with-list-and-first-datablock", invokeIdAndPriority, attributes, block } as const;
      return { apdu: "set-request", body };
    }
    const body = { type: "with-first-datablock", invokeIdAndPriority, ...order.reference, block } as const;
    return { apdu: "set-request", body };
  }

  #withBlock(block: DataBlock): Request {
    const { invokeIdAndPriority } = this.#context;
    return { apdu: "set-request", body: { type: "with-datablock", invokeIdAndPriority, block } };
  }

  #rawData(): Uint8Array {
    const writer = new Writer();
    if ("values" in this.#order) valueList.encode(this.#order.values, writer);
    else encodeData(this.#order.value, writer);
    return writer.finish();
  }
}
