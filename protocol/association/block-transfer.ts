/** Cutting long values into numbered blocks and joining them, for the services that have block transfer of their own. */
import type { DataBlock } from "../apdu/descriptors.ts";
import { joinOctets } from "../bytes/octets.ts";
import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";

/** Joins blocks in the order of their numbers. The first may be 0 or 1, as meters have both; then each is one more. */
export class BlockJoiner {
  #parts: Uint8Array[] = [];
  #length = 0;
  #count = 0;
  #lastNumber = 0;

  /** Number of the latest block. */
  get lastNumber(): number {
    return this.#lastNumber;
  }

  /** Blocks joined. */
  get count(): number {
    return this.#count;
  }

  /** Octets joined. */
  get length(): number {
    return this.#length;
  }

  /**
   * Takes one block; its `rawData` is kept as it is and must not change before `finish`. `duplicate` means that it is the
   * latest one again. Throws BLOCK_NUMBER_INVALID and LENGTH_OVER_LIMIT, after which the transfer can't go on.
   */
  add(block: DataBlock): "next" | "last" | "duplicate" {
    const { blockNumber, lastBlock, rawData } = block;
    if (this.#count > 0 && blockNumber === this.#lastNumber) return "duplicate";
    const expected = this.#count > 0 ? this.#lastNumber + 1 : Math.min(blockNumber, 1);
    if (blockNumber !== expected) throw new DlmsError("BLOCK_NUMBER_INVALID", "peer", { blockNumber, expected });
    const length = this.#length + rawData.length;
    if (length > LIMITS.apduLength) {
      throw new DlmsError("LENGTH_OVER_LIMIT", "peer", { length, limit: LIMITS.apduLength });
    }
    if (this.#count >= LIMITS.blockCount) {
      throw new DlmsError("LENGTH_OVER_LIMIT", "peer", { blocks: this.#count + 1, limit: LIMITS.blockCount });
    }
    this.#count++;
    this.#lastNumber = blockNumber;
    this.#parts.push(rawData);
    this.#length = length;
    return lastBlock ? "last" : "next";
  }

  /** As `add`, where the first must be 1 and none may come twice: false for any other block, which is not taken. */
  addNext(block: DataBlock): boolean {
    if (block.blockNumber !== this.#count + 1) return false;
    this.add(block);
    return true;
  }

  /** What has been joined; the caller owns it, and the joiner is at its end. */
  finish(): Uint8Array {
    const octets = joinOctets(this.#parts);
    this.#parts = [];
    this.#length = 0;
    return octets;
  }
}

/** Cuts octets into blocks numbered from 1. */
export class BlockCutter {
  readonly #octets: Uint8Array;
  #offset = 0;
  #number = 0;

  constructor(octets: Uint8Array) {
    this.#octets = octets;
  }

  /** Number of the latest block. */
  get lastNumber(): number {
    return this.#number;
  }

  get done(): boolean {
    return this.#number > 0 && this.#offset >= this.#octets.length;
  }

  /** The next block with at most `length` octets, a view; at least one, so that it always comes to an end. */
  next(length: number): DataBlock {
    const start = this.#offset;
    this.#offset = Math.min(this.#octets.length, start + Math.max(1, length));
    this.#number++;
    return {
      lastBlock: this.#offset >= this.#octets.length,
      blockNumber: this.#number,
      rawData: this.#octets.subarray(start, this.#offset),
    };
  }
}
