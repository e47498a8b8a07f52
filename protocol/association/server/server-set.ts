import type { ApduOf } from "../../apdu/apdu.ts";
import type { AttributeReference, DataBlock } from "../../apdu/descriptors.ts";
import type { DataAccessResult } from "../../apdu/result-codes.ts";
import type { SetRequest } from "../../apdu/set.ts";
import { data, listOf } from "../../axdr/codec.ts";
import type { Data } from "../../axdr/data.ts";
import { Reader } from "../../bytes/reader.ts";
import { BlockJoiner } from "../block-transfer.ts";
import { writeAttribute } from "./object-access.ts";
import { guarded, type ServiceContext, ServiceRefusal } from "./service-context.ts";

type Response = ApduOf<"set-response">;

interface LongSet {
  readonly references: readonly AttributeReference[];
  readonly list: boolean;
  readonly blocks: BlockJoiner;
}

const values = listOf(data);

/** Carries out SET requests, and joins those that come in blocks. */
export class SetService {
  #long: LongSet | undefined;

  abort(): void {
    this.#long = undefined;
  }

  answer(request: SetRequest, context: ServiceContext): Response {
    const { invokeIdAndPriority } = request;
    if (request.type === "with-datablock") return this.#block(request.block, invokeIdAndPriority, context);
    this.abort();
    const { conformance } = context.view;
    const list = request.type === "with-list" || request.type === "with-list-and-first-datablock";
    if (list && !conformance.has("multiple-references")) throw new ServiceRefusal("service-not-supported");
    switch (request.type) {
      case "normal":
        return body({ type: "normal", invokeIdAndPriority, result: writeAttribute(request, request.value, context) });
      case "with-list":
        return body({ type: "with-list", invokeIdAndPriority, results: writeList(request, context) });
      case "with-first-datablock":
      case "with-list-and-first-datablock": {
        if (!conformance.has("block-transfer-with-set-or-write")) throw new ServiceRefusal("service-not-supported");
        const references = request.type === "with-first-datablock" ? [request] : request.attributes;
        this.#long = { references, list, blocks: new BlockJoiner() };
        return this.#block(request.block, invokeIdAndPriority, context);
      }
    }
  }

  #block(block: DataBlock, invokeIdAndPriority: number, context: ServiceContext): Response {
    const { blockNumber } = block;
    const long = this.#long;
    const last = (result: DataAccessResult) =>
      body({ type: "last-datablock", invokeIdAndPriority, result, blockNumber });
    if (long === undefined) return last("no-long-set-in-progress");
    const added = guarded(
      () => (long.blocks.addNext(block) ? undefined : ("data-block-number-invalid" as const)),
      () => "long-set-aborted" as const,
    );
    if (added !== undefined || block.lastBlock) this.abort();
    if (added !== undefined) return last(added);
    if (!block.lastBlock) return body({ type: "datablock", invokeIdAndPriority, blockNumber });
    const results = writeJoined(long, context);
    if (!long.list) return last(results[0] ?? "other-reason");
    return body({ type: "last-datablock-with-list", invokeIdAndPriority, results, blockNumber });
  }
}

function writeJoined({ references, list, blocks }: LongSet, context: ServiceContext): DataAccessResult[] {
  return guarded(
    () => {
      const reader = new Reader(blocks.finish());
      const written = list ? values.decode(reader) : [data.decode(reader)];
      reader.end();
      return writeList({ attributes: references, values: written }, context);
    },
    () => references.map(() => "type-unmatched" as const),
  );
}

function writeList(
  request: { readonly attributes: readonly AttributeReference[]; readonly values: readonly Data[] },
  context: ServiceContext,
): DataAccessResult[] {
  return request.attributes.map((reference, index) => {
    const value = request.values[index];
    return value === undefined ? "other-reason" : writeAttribute(reference, value, context);
  });
}

function body(response: Response["body"]): Response {
  return { apdu: "set-response", body: response };
}
