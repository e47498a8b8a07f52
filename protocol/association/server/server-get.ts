import type { ApduOf } from "../../apdu/apdu.ts";
import { type DataResult, dataResult } from "../../apdu/descriptors.ts";
import type { GetRequest } from "../../apdu/get.ts";
import type { DataAccessResult } from "../../apdu/result-codes.ts";
import { listOf } from "../../axdr/codec.ts";
import { encodeData } from "../../axdr/data.ts";
import { Writer } from "../../bytes/writer.ts";
import { BlockCutter } from "../block-transfer.ts";
import { readAttribute } from "./object-access.ts";
import { type ServiceContext, ServiceRefusal } from "./service-context.ts";

type Response = ApduOf<"get-response">;
type Next = Extract<GetRequest, { type: "next" }>;

/** C4 02, invoke-id, last-block, block number, choice and a length of three octets. */
const BLOCK_HEADER = 12;
const MIN_BLOCK = 8;

const dataResults = listOf(dataResult);

/** Answers GET requests, in blocks where an answer is longer than the client takes. */
export class GetService {
  #blocks: BlockCutter | undefined;

  abort(): void {
    this.#blocks = undefined;
  }

  /** Throws a ServiceRefusal for what the association has not agreed on. */
  answer(request: GetRequest, context: ServiceContext): Response {
    const { invokeIdAndPriority } = request;
    if (request.type === "next") return this.#next(request, context);
    this.abort();
    if (request.type === "normal") {
      const result = readAttribute(request, context);
      const response = body({ type: "normal", invokeIdAndPriority, result });
      if (context.fits(response)) return response;
      if (result.type !== "data") return response;
      const writer = new Writer();
      encodeData(result.data, writer);
      return this.#first(invokeIdAndPriority, writer.finish(), context);
    }
    if (!context.view.conformance.has("multiple-references")) throw new ServiceRefusal("service-not-supported");
    const results = request.attributes.map((reference) => readAttribute(reference, context));
    const response = body({ type: "with-list", invokeIdAndPriority, results });
    if (context.fits(response)) return response;
    const writer = new Writer();
    dataResults.encode(results, writer);
    return this.#first(invokeIdAndPriority, writer.finish(), context);
  }

  #first(invokeIdAndPriority: number, raw: Uint8Array, context: ServiceContext): Response {
    if (!context.view.conformance.has("block-transfer-with-get-or-read")) {
      return body({ type: "normal", invokeIdAndPriority, result: failure("other-reason") });
    }
    this.#blocks = new BlockCutter(raw);
    return this.#block(invokeIdAndPriority, this.#blocks, context);
  }

  #next(request: Next, context: ServiceContext): Response {
    const { invokeIdAndPriority, blockNumber } = request;
    const blocks = this.#blocks;
    if (blocks?.lastNumber === blockNumber) return this.#block(invokeIdAndPriority, blocks, context);
    this.abort();
    const dataAccessResult = blocks === undefined ? "no-long-get-in-progress" : "data-block-number-invalid";
    const block = { lastBlock: true, blockNumber, result: { type: "data-access-result", dataAccessResult } } as const;
    return body({ type: "with-datablock", invokeIdAndPriority, block });
  }

  #block(invokeIdAndPriority: number, blocks: BlockCutter, context: ServiceContext): Response {
    const { rawData, ...block } = blocks.next(Math.max(MIN_BLOCK, context.maxLength - BLOCK_HEADER));
    if (block.lastBlock) this.abort();
    const result = { type: "raw-data", rawData } as const;
    return body({ type: "with-datablock", invokeIdAndPriority, block: { ...block, result } });
  }
}

function failure(dataAccessResult: DataAccessResult): DataResult {
  return { type: "data-access-result", dataAccessResult };
}

function body(response: Response["body"]): Response {
  return { apdu: "get-response", body: response };
}
