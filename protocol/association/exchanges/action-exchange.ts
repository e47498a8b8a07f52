/** ACTION from the client's side, with blocks both ways (IEC 62056-5-3, ACTION service). */
import { type ActionOutcome, actionOutcome } from "../../apdu/action.ts";
import { type Apdu, type ApduOf, encodeApdu } from "../../apdu/apdu.ts";
import type { DataBlock, MethodDescriptor } from "../../apdu/descriptors.ts";
import { data, listOf } from "../../axdr/codec.ts";
import { type Data, decodeData, encodeData } from "../../axdr/data.ts";
import { Reader } from "../../bytes/reader.ts";
import { Writer } from "../../bytes/writer.ts";
import { DlmsError } from "../../errors.ts";
import { FIELD_QUIRKS } from "../../quirks.ts";
import { AnswerBlocks } from "./answer-blocks.ts";
import { RequestBlocks } from "./request-blocks.ts";
import {
  type ExchangeContext,
  type ExchangeStep,
  ignored,
  listResultsFor,
  resultsFor,
  type ServiceExchange,
  unexpected,
} from "./service-exchange.ts";

type Request = ApduOf<"action-request">;

/** What is to be done: one method, or as many methods as parameters. */
export type ActionOrder =
  | { readonly method: MethodDescriptor; readonly parameters?: Data }
  | { readonly methods: readonly MethodDescriptor[]; readonly parameters: readonly Data[] };

const parameterList = listOf(data);
const outcomeList = listOf(actionOutcome);

export class ActionExchange implements ServiceExchange {
  readonly responseName = "action-response";
  readonly #order: ActionOrder;
  readonly #context: ExchangeContext;
  readonly #answer: AnswerBlocks;
  readonly #blocks: RequestBlocks<Request>;

  constructor(order: ActionOrder, context: ExchangeContext) {
    this.#order = order;
    this.#context = context;
    this.#blocks = new RequestBlocks(context, (block, isFirst) =>
      isFirst ? this.#withFirstBlock(block) : this.#withBlock(block),
    );
    const { invokeIdAndPriority } = context;
    this.#answer = new AnswerBlocks(context, {
      next: (blockNumber) => ({
        apdu: "action-request",
        body: { type: "next-pblock", invokeIdAndPriority, blockNumber },
      }),
      whole: (octets) => this.#done(this.#decodeJoined(octets)),
    });
  }

  first(): Request {
    const whole = this.#whole();
    const rawData = this.#rawData();
    if (rawData === undefined || encodeApdu(whole).length <= this.#context.maxPduLength) return whole;
    return this.#blocks.begin(rawData);
  }

  take(answer: Apdu): ExchangeStep {
    if (answer.apdu !== "action-response") return ignored(answer.apdu);
    const { body } = answer;
    switch (body.type) {
      case "normal":
        return this.#done([body.outcome]);
      case "with-list":
        return this.#done(body.outcomes);
      case "with-pblock":
        return this.#answer.take(body.block);
      case "next-pblock":
        return this.#blocks.next(body.blockNumber);
    }
  }

  partial(): Uint8Array | undefined {
    return this.#answer.partial();
  }

  /** For a single method some servers put the whole outcome into the blocks, some the return parameters alone. */
  #decodeJoined(octets: Uint8Array): readonly ActionOutcome[] {
    if ("methods" in this.#order) return whole(octets, (reader) => outcomeList.decode(reader));
    const asOutcome = () => [whole(octets, (reader) => actionOutcome.decode(reader))];
    const asData = () => [whole(octets, successWith)];
    return octets[0] === 0 ? firstThatFits(asOutcome, asData) : firstThatFits(asData, asOutcome);
  }

  #done(outcomes: readonly ActionOutcome[]): ExchangeStep {
    this.#blocks.checkResult(outcomes.some(({ result }) => result === "success"));
    if ("methods" in this.#order) {
      const checked = listResultsFor(outcomes, this.#order.methods.length, { ...this.#context, refuses: isRefusal });
      return { type: "done", response: { type: "actionList", outcomes: checked } };
    }
    const [outcome] = resultsFor(outcomes, 1);
    if (outcome === undefined) throw unexpected("empty list");
    return { type: "done", response: { type: "action", outcome } };
  }

  #whole(): Request {
    const { invokeIdAndPriority } = this.#context;
    const order = this.#order;
    if ("methods" in order) {
      return { apdu: "action-request", body: { type: "with-list", invokeIdAndPriority, ...order } };
    }
    return { apdu: "action-request", body: { type: "normal", invokeIdAndPriority, ...order } };
  }

  #withFirstBlock(block: DataBlock): Request {
    const { invokeIdAndPriority } = this.#context;
    const order = this.#order;
    if ("methods" in order) {
      const { methods } = order;
      return {
        apdu: "action-request",
        body: { type: "with-list-and-first-pblock", invokeIdAndPriority, methods, block },
      };
    }
    const { method } = order;
    return { apdu: "action-request", body: { type: "with-first-pblock", invokeIdAndPriority, method, block } };
  }

  #withBlock(block: DataBlock): Request {
    const { invokeIdAndPriority } = this.#context;
    return { apdu: "action-request", body: { type: "with-pblock", invokeIdAndPriority, block } };
  }

  #rawData(): Uint8Array | undefined {
    const writer = new Writer();
    if ("methods" in this.#order) parameterList.encode(this.#order.parameters, writer);
    else if (this.#order.parameters !== undefined) encodeData(this.#order.parameters, writer);
    else return undefined;
    return writer.finish();
  }
}

function isRefusal({ result }: ActionOutcome): boolean {
  return result !== "success";
}

function whole<T>(octets: Uint8Array, decode: (reader: Reader) => T): T {
  const reader = new Reader(octets, 0, octets.length, FIELD_QUIRKS);
  const value = decode(reader);
  reader.end();
  return value;
}

function successWith(reader: Reader): ActionOutcome {
  return { result: "success", returnParameters: { type: "data", data: decodeData(reader) } };
}

function firstThatFits<T>(first: () => T, second: () => T): T {
  try {
    return first();
  } catch (error) {
    if (!(error instanceof DlmsError)) throw error;
  }
  return second();
}
