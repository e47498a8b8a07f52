/**
 * General block transfer (IEC 62056-5-3): any APDU in numbered blocks, in windows, both ways; either side may use it.
 * One object carries one turn of a dialogue: an APDU of ours, the peer's answer, or both. Protection is put on before an
 * APDU is cut and taken off after it is joined.
 */
import type { GeneralBlockTransfer } from "../apdu/general-block-transfer.ts";
import { Writer } from "../bytes/writer.ts";
import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { Queue } from "../queue.ts";

/** Octets that the envelope of a block takes at most: tag, control, two numbers, length field. */
export const GENERAL_BLOCK_OVERHEAD = 9;
const NO_OCTETS = new Uint8Array(0);
const LAST_BLOCK_NUMBER = 0xffff;

export interface GeneralBlockOptions {
  /** Octets of block data that the peer takes in one block. */
  readonly blockLength: number;
  /** How many blocks we take without acknowledging, 1 to 63. */
  readonly window: number;
}

/**
 * Both sides number every block that they say, those without data too. Numbers of ours that the peer has confirmed, and
 * of the peer's that we have, are cumulative.
 */
export class GeneralBlockDialogue {
  readonly #options: GeneralBlockOptions;
  readonly #output = new Queue<GeneralBlockTransfer>();
  #outgoing: Uint8Array = NO_OCTETS;
  /** Numbers of our first and last block with data, and the highest that the peer has confirmed. */
  #first = 1;
  #last = 0;
  #confirmed = 0;
  /** The highest number that we have used, and the one of our latest block without data. */
  #used = 0;
  #empty = 0;
  /** Until the peer says how many it takes. */
  #peerWindow = 1;
  readonly #incoming = new Writer();
  /** The peer's highest block that has come without a gap. */
  #received = 0;
  #hasData = false;
  #delivered = false;
  #progress = 0;
  #progressAtTurn = 0;
  #repetitions = 0;
  /** The peer's highest block when it was our turn. */
  #acknowledged = 0;

  constructor(options: GeneralBlockOptions) {
    this.#options = options;
  }

  /** Whether blocks have passed, so that this is a dialogue in blocks. */
  get active(): boolean {
    return this.#used > 0 || this.#received > 0;
  }

  /** Octets of the answer joined so far. */
  get joined(): number {
    return this.#incoming.length;
  }

  /** Grows with every block that is new or confirms something new. */
  get progress(): number {
    return this.#progress;
  }

  /** Cuts an APDU; the first window comes out of `takeBlock`. Throws PDU_TOO_LONG for more blocks than can be counted. */
  send(apdu: Uint8Array): void {
    const blocks = Math.ceil(apdu.length / this.#options.blockLength);
    if (this.#confirmed + blocks > LAST_BLOCK_NUMBER) {
      throw new DlmsError("PDU_TOO_LONG", "caller", { length: apdu.length, blocks });
    }
    this.#outgoing = apdu;
    // A block without data that the peer has not seen is never sent again: its number is free, and must not be a gap.
    this.#first = this.#confirmed + 1;
    this.#last = this.#confirmed + blocks;
    this.#queueWindow();
  }

  /**
   * Takes a block of the peer; returns the whole APDU, once, when its last block is there. Blocks that came already or
   * leave a gap are dropped: the acknowledgement says from where to go on. Throws LENGTH_OVER_LIMIT, and
   * BLOCK_NUMBER_INVALID when the peer goes on without making progress.
   */
  receive(block: GeneralBlockTransfer): Uint8Array | undefined {
    const { blockControl, blockNumberAck } = block;
    if (blockControl.window > 0) this.#peerWindow = blockControl.window;
    if (blockNumberAck <= this.#used && blockNumberAck > this.#confirmed) {
      if (this.#unconfirmed) this.#progress++;
      this.#confirmed = blockNumberAck;
    }
    if (this.#delivered) this.#follow(block.blockNumber);
    else if (this.#join(block)) {
      this.#delivered = true;
      return this.#incoming.finish();
    }
    // Whoever has filled our window must wait, even where the bit says that more is coming (Gurux servers).
    const full = this.#hasData && this.#received - this.#acknowledged >= this.#options.window;
    if (!blockControl.streaming || full) this.#takeTurn();
    return undefined;
  }

  takeBlock(): GeneralBlockTransfer | undefined {
    return this.#output.take();
  }

  /** Nothing came: says the same again. False when that has been done often enough. */
  repeat(): boolean {
    if (!this.active || this.#repetitions >= LIMITS.generalBlockRepetitions) return false;
    this.#repetitions++;
    if (this.#unconfirmed && !this.#hasData) this.#queueWindow();
    else this.#queueEmpty(false);
    return true;
  }

  get #unconfirmed(): boolean {
    return this.#confirmed < this.#last;
  }

  /** True when the last block with data has come. */
  #join({ blockNumber, blockData, blockControl }: GeneralBlockTransfer): boolean {
    const isEmpty = blockData.length === 0 && !(blockControl.lastBlock && this.#hasData);
    if (isEmpty) {
      this.#follow(blockNumber);
      return false;
    }
    const follows = blockNumber === this.#received + 1;
    // A peer that does not count its blocks without data begins with 1 all the same.
    const begins = !this.#hasData && blockNumber === 1;
    if (!follows && !begins) return false;
    this.#received = blockNumber;
    const length = this.#incoming.length + blockData.length;
    if (length > LIMITS.apduLength) {
      throw new DlmsError("LENGTH_OVER_LIMIT", "peer", { length, limit: LIMITS.apduLength });
    }
    this.#incoming.bytes(blockData);
    this.#hasData = true;
    this.#progress++;
    return blockControl.lastBlock;
  }

  /** A block without data; one that got lost before it is not missed. */
  #follow(blockNumber: number): void {
    if (!this.#hasData || this.#delivered) this.#received = Math.max(this.#received, blockNumber);
  }

  #takeTurn(): void {
    this.#acknowledged = this.#received;
    const progressed = this.#progress > this.#progressAtTurn;
    this.#progressAtTurn = this.#progress;
    this.#repetitions = progressed ? 0 : this.#repetitions + 1;
    if (this.#repetitions > LIMITS.generalBlockRepetitions) {
      throw new DlmsError("BLOCK_NUMBER_INVALID", "peer", { expected: this.#received + 1, confirmed: this.#confirmed });
    }
    if (this.#unconfirmed && (this.#delivered || !this.#hasData)) this.#queueWindow();
    else if (!this.#delivered) this.#queueEmpty(progressed);
  }

  #queueWindow(): void {
    const { blockLength, window } = this.#options;
    const end = Math.min(this.#last, this.#confirmed + this.#peerWindow);
    for (let number = this.#confirmed + 1; number <= end; number++) {
      const start = (number - this.#first) * blockLength;
      this.#output.push({
        blockControl: { lastBlock: number === this.#last, streaming: number < end, window },
        blockNumber: number,
        blockNumberAck: this.#received,
        blockData: this.#outgoing.subarray(start, start + blockLength),
      });
    }
    this.#used = Math.max(this.#used, end);
  }

  /** What acknowledges nothing new has the number of the one before: a number that got lost would be waited for. */
  #queueEmpty(isNew: boolean): void {
    if (isNew || this.#empty === 0) this.#empty = Math.min(this.#used + 1, LAST_BLOCK_NUMBER);
    this.#used = Math.max(this.#used, this.#empty);
    this.#output.push({
      blockControl: { lastBlock: true, streaming: false, window: this.#options.window },
      blockNumber: this.#empty,
      blockNumberAck: this.#received,
      blockData: NO_OCTETS,
    });
  }
}

/**
 * Joins blocks that are sent without being acknowledged, as pushes are. A gap drops what was there, a block that comes
 * twice counts once.
 */
export class UnconfirmedBlocks {
  #incoming = new Writer();
  #received = 0;
  #dropped: Uint8Array | undefined;

  /** Octets joined so far. */
  get joined(): number {
    return this.#incoming.length;
  }

  /** The whole APDU when its last block is there. */
  receive(block: GeneralBlockTransfer): Uint8Array | undefined {
    const { blockNumber, blockData, blockControl } = block;
    if (blockNumber > 1 && blockNumber === this.#received) return undefined;
    if (blockNumber === 1) this.drop();
    const follows = blockNumber === this.#received + 1;
    this.#received = blockNumber;
    this.#incoming.bytes(blockData);
    if (!follows || this.#incoming.length > LIMITS.apduLength) {
      this.drop();
      return undefined;
    }
    if (!blockControl.lastBlock) return undefined;
    const whole = this.#incoming.finish();
    this.#reset();
    return whole;
  }

  /** Gives up what is not whole. */
  drop(): void {
    if (this.#incoming.length > 0) this.#dropped = this.#incoming.finish();
    this.#reset();
  }

  /** Data of the blocks that were given up last, once. */
  takeDropped(): Uint8Array | undefined {
    const dropped = this.#dropped;
    this.#dropped = undefined;
    return dropped;
  }

  #reset(): void {
    this.#incoming = new Writer();
    this.#received = 0;
  }
}
