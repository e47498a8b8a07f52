/** Carries out Read, Write and UnconfirmedWrite: short names become attributes and methods of the objects. */
import type { ActionOutcome } from "../../apdu/action.ts";
import type { ApduOf } from "../../apdu/apdu.ts";
import type { DataResult } from "../../apdu/descriptors.ts";
import { type DataAccessResult, dataAccessResultFor } from "../../apdu/result-codes.ts";
import {
  readResults,
  type ShortNamedMember,
  type VariableAccessSpecification,
  variableList,
  writeRequest,
} from "../../apdu/short-name.ts";
import type { Codec } from "../../axdr/codec.ts";
import type { Data } from "../../axdr/data.ts";
import { Reader } from "../../bytes/reader.ts";
import { Writer } from "../../bytes/writer.ts";
import { BlockCutter, BlockJoiner } from "../block-transfer.ts";
import type { ShortNameDirectory } from "../short-name-directory.ts";
import { type VariableReference, variableOf } from "../variables.ts";
import { guarded, type ServiceContext, ServiceRefusal } from "./service-context.ts";

type ReadResponse = ApduOf<"read-response">;
type WriteResponse = ApduOf<"write-response">;
type ReadResult = ReadResponse["body"]["results"][number];
type WriteResult = WriteResponse["body"]["results"][number];
type WriteBody = ApduOf<"write-request">["body"];
type BlockOf<T> = Extract<VariableAccessSpecification, { type: T }>;

/** 0C, one result, its choice, last-block, block number and a length of three octets. */
const BLOCK_HEADER = 9;
const MIN_BLOCK = 8;

export class ShortNameService {
  readonly #names: ShortNameDirectory;
  #outgoing: BlockCutter | undefined;
  #incoming: { readonly service: "read" | "write"; readonly blocks: BlockJoiner } | undefined;

  constructor(names: ShortNameDirectory) {
    this.#names = names;
  }

  abort(): void {
    this.#outgoing = undefined;
    this.#incoming = undefined;
  }

  /** Throws a ServiceRefusal for what the association has not agreed on. */
  read(variables: readonly VariableAccessSpecification[], context: ServiceContext): ReadResponse {
    const [first] = variables;
    if (variables.length === 1 && first?.type === "block-number-access") return this.#nextBlock(first, context);
    if (variables.length === 1 && first?.type === "read-data-block-access") return this.#longRead(first, context);
    this.abort();
    return this.#readAll(variables, context);
  }

  /** As `read`. An unconfirmed request has the same body and gets no answer. */
  write({ variables, values }: WriteBody, context: ServiceContext): WriteResponse {
    const [first] = variables;
    if (variables.length === 1 && first?.type === "write-data-block-access") {
      return this.#longWrite(first, values[0], context);
    }
    this.abort();
    return this.#writeAll({ variables, values }, context);
  }

  #readAll(variables: readonly VariableAccessSpecification[], context: ServiceContext): ReadResponse {
    requireLists(variables.length, context);
    const results = variables.map((variable) => this.#readOne(variable, context));
    const response = readResponse(results);
    if (context.fits(response)) return response;
    if (!context.view.conformance.has("block-transfer-with-get-or-read")) return readError("other-reason");
    const writer = new Writer();
    readResults.encode(results, writer);
    this.#outgoing = new BlockCutter(writer.finish());
    return this.#block(this.#outgoing, context);
  }

  #writeAll({ variables, values }: WriteBody, context: ServiceContext): WriteResponse {
    requireLists(variables.length, context);
    return writeResponse(variables.map((variable, index) => this.#writeOne(variable, values[index], context)));
  }

  #readOne(specification: VariableAccessSpecification, context: ServiceContext): ReadResult {
    const variable = variableOf(specification);
    const member = variable && this.#names.member(variable.variableName);
    if (variable === undefined || member === undefined) return failure("object-undefined");
    const result = guarded(
      () => read(member, variable, context),
      () => ({ type: "data-access-result", dataAccessResult: "other-reason" }) as const,
    );
    return result.type === "data" ? result : failure(result.dataAccessResult);
  }

  #writeOne(specification: VariableAccessSpecification, value: Data | undefined, context: ServiceContext): WriteResult {
    const variable = variableOf(specification);
    const member = variable && this.#names.member(variable.variableName);
    if (variable === undefined || member === undefined) return failure("object-undefined");
    if (value === undefined) return failure("other-reason");
    const result = guarded(
      () => write(member, { ...variable, value }, context),
      () => "type-unmatched" as const,
    );
    return result === "success" ? { type: "success" } : failure(result);
  }

  #nextBlock({ blockNumber }: BlockOf<"block-number-access">, context: ServiceContext): ReadResponse {
    const blocks = this.#outgoing;
    if (blocks?.lastNumber === blockNumber) return this.#block(blocks, context);
    this.abort();
    return readError(blocks === undefined ? "no-long-get-in-progress" : "data-block-number-invalid");
  }

  #block(blocks: BlockCutter, context: ServiceContext): ReadResponse {
    const block = blocks.next(Math.max(MIN_BLOCK, context.maxLength - BLOCK_HEADER));
    if (block.lastBlock) this.abort();
    return readResponse([{ type: "data-block-result", ...block }]);
  }

  #longRead(block: BlockOf<"read-data-block-access">, context: ServiceContext): ReadResponse {
    const joined = this.#join("read", block, context);
    if (typeof joined === "string") return readError(joined);
    if (joined === undefined) return readResponse([{ type: "block-number", blockNumber: block.blockNumber }]);
    const variables = decoded(variableList, joined);
    return variables === undefined ? readError("other-reason") : this.#readAll(variables, context);
  }

  #longWrite(
    { lastBlock, blockNumber }: BlockOf<"write-data-block-access">,
    value: Data | undefined,
    context: ServiceContext,
  ): WriteResponse {
    if (value?.type !== "octet-string") return writeResponse([failure("type-unmatched")]);
    const joined = this.#join("write", { lastBlock, blockNumber, rawData: value.value }, context);
    if (typeof joined === "string") return writeResponse([failure(joined)]);
    if (joined === undefined) return writeResponse([{ type: "block-number", blockNumber }]);
    const body = decoded(writeRequest, joined);
    return body === undefined ? writeResponse([failure("type-unmatched")]) : this.#writeAll(body, context);
  }

  /** The whole request once its last block is there; undefined before, or why it can't be. */
  #join(
    service: "read" | "write",
    block: { readonly lastBlock: boolean; readonly blockNumber: number; readonly rawData: Uint8Array },
    { view }: ServiceContext,
  ): Uint8Array | DataAccessResult | undefined {
    const bit = service === "read" ? "block-transfer-with-get-or-read" : "block-transfer-with-set-or-write";
    if (!view.conformance.has(bit)) throw new ServiceRefusal("service-not-supported");
    if (block.blockNumber === 1) {
      this.abort();
      this.#incoming = { service, blocks: new BlockJoiner() };
    }
    const incoming = this.#incoming;
    if (incoming?.service !== service) return NOT_IN_PROGRESS[service];
    const refused = guarded(
      () => (incoming.blocks.addNext(block) ? undefined : ("data-block-number-invalid" as const)),
      () => ABORTED[service],
    );
    if (refused !== undefined || block.lastBlock) this.abort();
    if (refused !== undefined) return refused;
    return block.lastBlock ? incoming.blocks.finish() : undefined;
  }
}

const NOT_IN_PROGRESS = { read: "no-long-get-in-progress", write: "no-long-set-in-progress" } as const;
const ABORTED = { read: "long-get-aborted", write: "long-set-aborted" } as const;

function read(member: ShortNamedMember, { access }: VariableReference, context: ServiceContext): DataResult {
  const { view, objects, nowMs } = context;
  const refused = judgeAccess(access !== undefined, context);
  if (refused !== undefined) return { type: "data-access-result", dataAccessResult: refused };
  if (member.type === "method") return returned(objects.action(member, parameterIn(access?.parameters), view, nowMs));
  return objects.get({ attribute: member, access }, view, nowMs);
}

function write(
  member: ShortNamedMember,
  { access, value }: VariableReference & { readonly value: Data },
  context: ServiceContext,
): DataAccessResult {
  const { view, objects, nowMs } = context;
  const refused = judgeAccess(access !== undefined, context);
  if (refused !== undefined) return refused;
  if (member.type === "attribute") return objects.set({ attribute: member, access }, value, view, nowMs);
  return dataAccessResultFor(objects.action(member, parameterIn(value), view, nowMs).result);
}

function judgeAccess(selects: boolean, { view }: ServiceContext): DataAccessResult | undefined {
  return selects && !view.conformance.has("parameterized-access") ? "scope-of-access-violated" : undefined;
}

/** Null-data stands for a method without parameter. */
function parameterIn(value: Data | undefined): Data | undefined {
  return value?.type === "null-data" ? undefined : value;
}

/** What a method gives back, as the result of reading it. */
function returned({ result, returnParameters }: ActionOutcome): DataResult {
  if (result !== "success") return { type: "data-access-result", dataAccessResult: dataAccessResultFor(result) };
  return returnParameters ?? { type: "data", data: { type: "null-data" } };
}

function requireLists(count: number, { view }: ServiceContext): void {
  if (count > 1 && !view.conformance.has("multiple-references")) throw new ServiceRefusal("service-not-supported");
}

function decoded<T>(codec: Codec<T>, octets: Uint8Array): T | undefined {
  return guarded(
    () => {
      const reader = new Reader(octets);
      const value = codec.decode(reader);
      reader.end();
      return value;
    },
    () => undefined,
  );
}

function failure(dataAccessResult: DataAccessResult): ReadResult & WriteResult {
  return { type: "data-access-error", dataAccessResult };
}

function readError(dataAccessResult: DataAccessResult): ReadResponse {
  return readResponse([failure(dataAccessResult)]);
}

function readResponse(results: readonly ReadResult[]): ReadResponse {
  return { apdu: "read-response", body: { results } };
}

function writeResponse(results: readonly WriteResult[]): WriteResponse {
  return { apdu: "write-response", body: { results } };
}
