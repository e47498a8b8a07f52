/** A request that is longer than the server takes, in blocks of its service: alike for SET, ACTION, READ and WRITE. */
import { type Apdu, encodeApdu } from "../../apdu/apdu.ts";
import type { DataBlock } from "../../apdu/descriptors.ts";
import { DlmsError } from "../../errors.ts";
import { BlockCutter } from "../block-transfer.ts";
import { type ExchangeContext, type ExchangeStep, ignored, unexpected } from "./service-exchange.ts";

const NO_BLOCK: DataBlock = { lastBlock: false, blockNumber: 0, rawData: new Uint8Array(0) };
/** Octets that a length field takes beyond the first, in a block shorter than 64 kB. */
const LENGTH_FIELD_EXTRA = 2;

export class RequestBlocks<Request extends Apdu> {
  readonly #context: ExchangeContext;
  readonly #carrying: (block: DataBlock, isFirst: boolean) => Request;
  #cutter: BlockCutter | undefined;

  /** `carrying` makes the request that holds a block; the first one may say more than the others. */
  constructor(context: ExchangeContext, carrying: (block: DataBlock, isFirst: boolean) => Request) {
    this.#context = context;
    this.#carrying = carrying;
  }

  /** The request with the first block of what has to be said. */
  begin(rawData: Uint8Array): Request {
    this.#cutter = new BlockCutter(rawData);
    return this.#block(this.#cutter, true);
  }

  /** The server has taken the block of this number. Throws BLOCK_NUMBER_INVALID for one that was never sent. */
  next(acknowledged: number): ExchangeStep {
    const cutter = this.#cutter;
    if (cutter === undefined || cutter.done) {
      throw unexpected("acknowledgement of a block", { blockNumber: acknowledged });
    }
    const sent = cutter.lastNumber;
    if (acknowledged < sent) return ignored("acknowledgement that came already", { blockNumber: acknowledged });
    if (acknowledged === sent + 1) this.#context.note("acknowledgement-names-next");
    else if (acknowledged !== sent) {
      throw new DlmsError("BLOCK_NUMBER_INVALID", "peer", { blockNumber: acknowledged, expected: sent });
    }
    return { type: "send", apdu: this.#block(cutter, false), joined: 0 };
  }

  /** Throws SERVICE_UNEXPECTED when the server says that all went well before it has all blocks. */
  checkResult(succeeded: boolean): void {
    if (!succeeded || this.#cutter === undefined || this.#cutter.done) return;
    throw unexpected("success before the last block", { blockNumber: this.#cutter.lastNumber });
  }

  /** Whether a block that is not the last has this number, and was sent last. */
  awaits(acknowledged: number): boolean {
    return this.#cutter !== undefined && !this.#cutter.done && this.#cutter.lastNumber === acknowledged;
  }

  #block(cutter: BlockCutter, isFirst: boolean): Request {
    const envelope = encodeApdu(this.#carrying(NO_BLOCK, isFirst)).length;
    return this.#carrying(cutter.next(this.#context.maxPduLength - envelope - LENGTH_FIELD_EXTRA), isFirst);
  }
}
