import { type ActionOutcome, type ActionRequest, actionOutcome } from "../../apdu/action.ts";
import type { ApduOf } from "../../apdu/apdu.ts";
import type { DataBlock, MethodDescriptor } from "../../apdu/descriptors.ts";
import type { ActionResult } from "../../apdu/result-codes.ts";
import { data, listOf } from "../../axdr/codec.ts";
import type { Data } from "../../axdr/data.ts";
import { Reader } from "../../bytes/reader.ts";
import { Writer } from "../../bytes/writer.ts";
import { BlockCutter, BlockJoiner } from "../block-transfer.ts";
import { invokeMethod } from "./object-access.ts";
import { guarded, type ServiceContext, ServiceRefusal } from "./service-context.ts";

type Response = ApduOf<"action-response">;

interface LongAction {
  readonly methods: readonly MethodDescriptor[];
  readonly list: boolean;
  readonly blocks: BlockJoiner;
}

/** C7 02, invoke-id, last-block, block number and a length of three octets. */
const BLOCK_HEADER = 11;
const MIN_BLOCK = 8;

const outcomes = listOf(actionOutcome);
const parameterList = listOf(data);

/** Carries out ACTION requests; long parameters come in blocks, long return values go out in blocks. */
export class ActionService {
  #incoming: LongAction | undefined;
  #outgoing: BlockCutter | undefined;

  abort(): void {
    this.#incoming = undefined;
    this.#outgoing = undefined;
  }

  answer(request: ActionRequest, context: ServiceContext): Response {
    const { invokeIdAndPriority } = request;
    if (request.type === "next-pblock") return this.#next(request.blockNumber, invokeIdAndPriority, context);
    if (request.type === "with-pblock") return this.#block(request.block, invokeIdAndPriority, context);
    this.abort();
    const { conformance } = context.view;
    const list = request.type === "with-list" || request.type === "with-list-and-first-pblock";
    if (list && !conformance.has("multiple-references")) throw new ServiceRefusal("service-not-supported");
    switch (request.type) {
      case "normal":
        return this.#respond([invokeMethod(request.method, request.parameters, context)], invokeIdAndPriority, context);
      case "with-list":
        return this.#respondList(invokeList(request, context), invokeIdAndPriority, context);
      case "with-first-pblock":
      case "with-list-and-first-pblock": {
        if (!conformance.has("block-transfer-with-action")) throw new ServiceRefusal("service-not-supported");
        const methods = request.type === "with-first-pblock" ? [request.method] : request.methods;
        this.#incoming = { methods, list, blocks: new BlockJoiner() };
        return this.#block(request.block, invokeIdAndPriority, context);
      }
    }
  }

  #respond(results: readonly ActionOutcome[], invokeIdAndPriority: number, context: ServiceContext): Response {
    const outcome = results[0] ?? failed("other-reason");
    const response = body({ type: "normal", invokeIdAndPriority, outcome });
    if (context.fits(response)) return response;
    const writer = new Writer();
    actionOutcome.encode(outcome, writer);
    return this.#first(writer.finish(), invokeIdAndPriority, context);
  }

  #respondList(results: readonly ActionOutcome[], invokeIdAndPriority: number, context: ServiceContext): Response {
    const response = body({ type: "with-list", invokeIdAndPriority, outcomes: results });
    if (context.fits(response)) return response;
    const writer = new Writer();
    outcomes.encode(results, writer);
    return this.#first(writer.finish(), invokeIdAndPriority, context);
  }

  #first(raw: Uint8Array, invokeIdAndPriority: number, context: ServiceContext): Response {
    if (!context.view.conformance.has("block-transfer-with-action")) {
      return body({ type: "normal", invokeIdAndPriority, outcome: failed("other-reason") });
    }
    this.#outgoing = new BlockCutter(raw);
    return this.#nextBlock(this.#outgoing, invokeIdAndPriority, context);
  }

  #next(blockNumber: number, invokeIdAndPriority: number, context: ServiceContext): Response {
    const blocks = this.#outgoing;
    if (blocks?.lastNumber === blockNumber) return this.#nextBlock(blocks, invokeIdAndPriority, context);
    this.abort();
    const result = blocks === undefined ? "no-long-action-in-progress" : "long-action-aborted";
    return body({ type: "normal", invokeIdAndPriority, outcome: failed(result) });
  }

  #nextBlock(blocks: BlockCutter, invokeIdAndPriority: number, context: ServiceContext): Response {
    const block = blocks.next(Math.max(MIN_BLOCK, context.maxLength - BLOCK_HEADER));
    if (block.lastBlock) this.abort();
    return body({ type: "with-pblock", invokeIdAndPriority, block });
  }

  #block(block: DataBlock, invokeIdAndPriority: number, context: ServiceContext): Response {
    const long = this.#incoming;
    const refuse = (result: ActionResult) => {
      this.abort();
      return body({ type: "normal", invokeIdAndPriority, outcome: failed(result) });
    };
    if (long === undefined) return refuse("no-long-action-in-progress");
    const added = guarded(
      () => long.blocks.addNext(block),
      () => false,
    );
    if (!added) return refuse("long-action-aborted");
    if (!block.lastBlock) {
      return body({ type: "next-pblock", invokeIdAndPriority, blockNumber: block.blockNumber });
    }
    this.abort();
    const results = invokeJoined(long, context);
    return long.list
      ? this.#respondList(results, invokeIdAndPriority, context)
      : this.#respond(results, invokeIdAndPriority, context);
  }
}

function invokeJoined({ methods, list, blocks }: LongAction, context: ServiceContext): ActionOutcome[] {
  return guarded(
    () => {
      const reader = new Reader(blocks.finish());
      const parameters = list ? parameterList.decode(reader) : [data.decode(reader)];
      reader.end();
      return invokeList({ methods, parameters }, context);
    },
    () => methods.map(() => failed("type-unmatched")),
  );
}

/** In a list, null-data stands for a method without parameter. */
function invokeList(
  request: { readonly methods: readonly MethodDescriptor[]; readonly parameters: readonly Data[] },
  context: ServiceContext,
): ActionOutcome[] {
  return request.methods.map((method, index) => {
    const parameter = request.parameters[index];
    if (parameter === undefined) return failed("other-reason");
    return invokeMethod(method, parameter.type === "null-data" ? undefined : parameter, context);
  });
}

function failed(result: ActionResult): ActionOutcome {
  return { result };
}

function body(response: Response["body"]): Response {
  return { apdu: "action-response", body: response };
}
