import { DlmsError } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";

/** One block on its way out, numbered from 1. The octets are a view. */
export interface OutgoingBlock {
  readonly lastBlock: boolean;
  readonly blockNumber: number;
  readonly rawData: Uint8Array;
}

/** An answer that is sent in blocks. */
export class OutgoingBlocks {
  readonly #raw: Uint8Array;
  #offset = 0;
  #blockNumber = 0;

  constructor(raw: Uint8Array) {
    this.#raw = raw;
  }

  /** Number of the block that was sent last; 0 before the first. */
  get blockNumber(): number {
    return this.#blockNumber;
  }

  /** The next block, of at most `size` octets. */
  next(size: number): OutgoingBlock {
    const rawData = this.#raw.subarray(this.#offset, this.#offset + size);
    this.#offset += rawData.length;
    this.#blockNumber++;
    return { lastBlock: this.#offset >= this.#raw.length, blockNumber: this.#blockNumber, rawData };
  }
}

/** A request that comes in blocks. Octets are copied. */
export class IncomingBlocks {
  readonly #parts: Uint8Array[] = [];
  #length = 0;
  #blockNumber = 0;

  /** False when the block is not the one that must follow. Throws LENGTH_OVER_LIMIT when it grows too long. */
  add(block: { readonly blockNumber: number; readonly rawData: Uint8Array }): boolean {
    if (block.blockNumber !== this.#blockNumber + 1) return false;
    this.#length += block.rawData.length;
    if (this.#length > LIMITS.apduLength) {
      throw new DlmsError("LENGTH_OVER_LIMIT", "peer", { length: this.#length, limit: LIMITS.apduLength });
    }
    this.#parts.push(new Uint8Array(block.rawData));
    this.#blockNumber++;
    return true;
  }

  join(): Uint8Array {
    const joined = new Uint8Array(this.#length);
    let offset = 0;
    for (const part of this.#parts) {
      joined.set(part, offset);
      offset += part.length;
    }
    return joined;
  }
}
