/**
 * General block transfer (IEC 62056-5-3): any APDU in numbered blocks, in windows, both ways; either side may use it.
 * One object carries one turn of a dialogue: an APDU of ours, the peer's answer, or both. Protection is put on before an
 * APDU is cut and taken off after it is joined.
 */
import type { GeneralBlockTransfer } from "../apdu/general-block-transfer.ts";
import { Writer } from "../bytes/writer.ts";
import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";

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

export class GeneralBlockDialogue {
  readonly #options: GeneralBlockOptions;
  readonly #output: GeneralBlockTransfer[] = [];
  #outgoing: Uint8Array = NO_OCTETS;
  /** Blocks of ours: how many there are, how many the peer has confirmed, how many have been sent. */
  #blockCount = 0;
  #confirmed = 0;
  #sent = 0;
  /** Until the peer says how many it takes. */
  #peerWindow = 1;
  readonly #incoming = new Writer();
  /** The peer's highest block that has come without a gap. */
  #received = 0;
  #hasData = false;
  #complete = false;
  /** Blocks of ours without data. */
  #emptyCount = 0;
  #progress = 0;
  #progressAtTurn = 0;
  #repetitions = 0;

  constructor(options: GeneralBlockOptions) {
    this.#options = options;
  }

  /** Whether blocks have passed, so that this is a dialogue in blocks. */
  get active(): boolean {
    return this.#sent > 0 || this.#received > 0;
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
    const blockCount = Math.ceil(apdu.length / this.#options.blockLength);
    if (blockCount > LAST_BLOCK_NUMBER) {
      throw new DlmsError("PDU_TOO_LONG", "caller", { length: apdu.length, blocks: blockCount });
    }
    this.#outgoing = apdu;
    this.#blockCount = blockCount;
    this.#queueWindow();
  }

  /**
   * Takes a block of the peer; returns the whole APDU when its last block is there. Blocks that came already or leave a
   * gap are dropped: the acknowledgement says from where to go on. Throws LENGTH_OVER_LIMIT, BLOCK_NUMBER_INVALID when
   * the transfer can't go on.
   */
  receive(block: GeneralBlockTransfer): Uint8Array | undefined {
    const { blockControl, blockNumberAck } = block;
    if (blockControl.window > 0) this.#peerWindow = blockControl.window;
    if (blockNumberAck > this.#confirmed && blockNumberAck <= this.#sent) {
      this.#confirmed = Math.min(blockNumberAck, this.#blockCount);
      this.#progress++;
    }
    this.#join(block);
    if (this.#complete) return this.#incoming.finish();
    if (!blockControl.streaming) this.#takeTurn();
    return undefined;
  }

  takeBlock(): GeneralBlockTransfer | undefined {
    return this.#output.shift();
  }

  /** Nothing came: says the same again. False when that has been done often enough. */
  repeat(): boolean {
    if (!this.active || this.#repetitions >= LIMITS.generalBlockRepetitions) return false;
    this.#repetitions++;
    if (this.#confirmed < this.#blockCount && this.#received === 0) this.#queueWindow();
    else this.#queueAcknowledgement();
    return true;
  }

  #join(block: GeneralBlockTransfer): void {
    const { blockNumber, blockData } = block;
    const { lastBlock } = block.blockControl;
    const follows = blockNumber === this.#received + 1;
    // A peer that only acknowledges may or may not count such blocks; its first block with data says which.
    const first = !this.#hasData && blockData.length > 0 && (follows || blockNumber === 1);
    if (!follows && !first) return;
    if (blockData.length === 0 && !(lastBlock && this.#hasData)) {
      this.#received = blockNumber;
      return;
    }
    const length = this.#incoming.length + blockData.length;
    if (length > LIMITS.apduLength) {
      throw new DlmsError("LENGTH_OVER_LIMIT", "peer", { length, limit: LIMITS.apduLength });
    }
    this.#incoming.bytes(blockData);
    this.#hasData = true;
    this.#received = blockNumber;
    this.#progress++;
    this.#complete = lastBlock;
  }

  #takeTurn(): void {
    if (this.#progress === this.#progressAtTurn) {
      this.#repetitions++;
      if (this.#repetitions > LIMITS.generalBlockRepetitions) {
        throw new DlmsError("BLOCK_NUMBER_INVALID", "peer", { expected: this.#received + 1, sent: this.#confirmed });
      }
    } else this.#repetitions = 0;
    this.#progressAtTurn = this.#progress;
    if (this.#confirmed < this.#blockCount && !this.#hasData) this.#queueWindow();
    else this.#queueAcknowledgement(true);
  }

  #queueWindow(): void {
    const { blockLength, window } = this.#options;
    const end = Math.min(this.#blockCount, this.#confirmed + this.#peerWindow);
    for (let number = this.#confirmed + 1; number <= end; number++) {
      const start = (number - 1) * blockLength;
      this.#output.push({
        blockControl: { lastBlock: number === this.#blockCount, streaming: number < end, window },
        blockNumber: number,
        blockNumberAck: this.#received,
        blockData: this.#outgoing.subarray(start, start + blockLength),
      });
    }
    this.#sent = Math.max(this.#sent, end);
  }

  /** `next` counts a new block of ours; a repetition has the number of the one before. */
  #queueAcknowledgement(next = false): void {
    if (next || this.#emptyCount === 0) this.#emptyCount++;
    this.#output.push({
      blockControl: { lastBlock: true, streaming: false, window: this.#options.window },
      blockNumber: Math.min(this.#blockCount + this.#emptyCount, LAST_BLOCK_NUMBER),
      blockNumberAck: this.#received,
      blockData: NO_OCTETS,
    });
  }
}

/** Joins blocks that are sent without being acknowledged, as pushes are. A gap drops what was there. */
export class UnconfirmedBlocks {
  #incoming = new Writer();
  #received = 0;

  /** The whole APDU when its last block is there. */
  receive(block: GeneralBlockTransfer): Uint8Array | undefined {
    if (block.blockNumber === 1) this.#reset();
    const length = this.#incoming.length + block.blockData.length;
    if (block.blockNumber !== this.#received + 1 || length > LIMITS.apduLength) {
      this.#reset();
      return undefined;
    }
    this.#received = block.blockNumber;
    this.#incoming.bytes(block.blockData);
    if (!block.blockControl.lastBlock) return undefined;
    const whole = this.#incoming.finish();
    this.#reset();
    return whole;
  }

  #reset(): void {
    this.#incoming = new Writer();
    this.#received = 0;
  }
}
