/** An answer that is longer than the client takes, in blocks of its service: alike for GET, ACTION and READ. */
import type { Apdu } from "../../apdu/apdu.ts";
import type { DataBlock } from "../../apdu/descriptors.ts";
import { BlockJoiner } from "../block-transfer.ts";
import { type ExchangeContext, type ExchangeStep, ignored } from "./service-exchange.ts";

export interface AnswerBlocksUse {
  /** The request for the block after this one. */
  readonly next: (blockNumber: number) => Apdu;
  /** What the joined octets come to. */
  readonly whole: (octets: Uint8Array) => ExchangeStep;
}

export class AnswerBlocks {
  readonly #context: ExchangeContext;
  readonly #use: AnswerBlocksUse;
  readonly #joiner = new BlockJoiner();

  constructor(context: ExchangeContext, use: AnswerBlocksUse) {
    this.#context = context;
    this.#use = use;
  }

  take(block: DataBlock): ExchangeStep {
    const { blockNumber } = block;
    if (this.#joiner.count === 0 && blockNumber === 0) this.#context.note("first-block-zero");
    const step = this.#joiner.add(block);
    if (step === "duplicate") return ignored("block that came already", { blockNumber });
    if (step === "last") return this.#use.whole(this.#joiner.finish());
    return { type: "send", apdu: this.#use.next(blockNumber), joined: this.#joiner.length };
  }

  /** What has come so far of an answer that breaks off. */
  partial(): Uint8Array | undefined {
    return this.#joiner.length > 0 ? this.#joiner.finish() : undefined;
  }
}
