/**
 * General blocks on the server's side: what a client sends in them is joined, and answered in them; so is what is longer
 * than the client takes. A client that hears nothing says the same blocks again: it gets the same answer, and nothing is
 * carried out twice.
 */

import { decodeApdu, encodeApdu } from "../../apdu/apdu.ts";
import { APDUS, type ApduName } from "../../apdu/registry.ts";
import type { ConformanceBit } from "../../ber/conformance.ts";
import { sameOctets } from "../../bytes/octets.ts";
import { LIMITS } from "../../limits.ts";
import { GENERAL_BLOCK_OVERHEAD, GeneralBlockDialogue } from "../general-blocks.ts";
import type { AssociationView } from "./object-server.ts";

/** What is sent to a client that set no limit. */
const UNLIMITED_PDU = 0xffff;
/** Services that can cut their answers themselves, where the association has agreed on it. */
const SERVICE_BLOCKS: Readonly<Partial<Record<ApduName, ConformanceBit>>> = {
  "get-request": "block-transfer-with-get-or-read",
  "read-request": "block-transfer-with-get-or-read",
  "set-request": "block-transfer-with-set-or-write",
  "write-request": "block-transfer-with-set-or-write",
  "action-request": "block-transfer-with-action",
};
/** Below, blocks would carry nothing. */
const SHORTEST_BLOCK = 16;
/** Blocks that a client may send without being acknowledged. */
const WINDOW = 6;
const BLOCK_TAG = APDUS["general-block-transfer"][0];

export class ServerBlocks {
  readonly #output: Uint8Array[] = [];
  #maxSendPduSize = UNLIMITED_PDU;
  #agreed = false;
  #dialogue: GeneralBlockDialogue | undefined;
  /** Data of the first block of the present request. */
  #first: Uint8Array | undefined;
  #answered = false;

  /** With the association, or with none. */
  agree(view: Pick<AssociationView, "conformance" | "maxSendPduSize"> | undefined): void {
    this.#agreed = view?.conformance.has("general-block-transfer") === true;
    this.#maxSendPduSize = view === undefined || view.maxSendPduSize === 0 ? UNLIMITED_PDU : view.maxSendPduSize;
    this.#forget();
  }

  /** Whether the present request has come in blocks. */
  get inBlocks(): boolean {
    return this.#dialogue !== undefined;
  }

  /** Octets that the answer to a request may have before its service cuts it; protection not counted. */
  answerLimit(request: ApduName, { conformance }: Pick<AssociationView, "conformance">): number {
    const ownBlocks = SERVICE_BLOCKS[request];
    const general = this.#agreed && (this.inBlocks || ownBlocks === undefined || !conformance.has(ownBlocks));
    return general ? LIMITS.apduLength : this.#maxSendPduSize;
  }

  /** The whole request; undefined while blocks are missing. Throws what is wrong with them. */
  open(octets: Uint8Array): Uint8Array | undefined {
    if (!this.#agreed || octets[0] !== BLOCK_TAG) {
      this.#forget();
      return octets;
    }
    const block = decodeApdu(octets);
    if (block.apdu !== "general-block-transfer") return octets;
    const { blockNumber, blockData } = block.body;
    const first = blockNumber === 1 && blockData.length > 0;
    if (first && this.#answered && !this.#isFirst(blockData)) this.#forget();
    this.#dialogue ??= this.#newDialogue();
    if (first) this.#first ??= Uint8Array.from(blockData);
    try {
      const whole = this.#dialogue.receive(block.body);
      if (whole === undefined) this.#drain();
      return whole;
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  /** An answer, in whichever way the client takes it. */
  answer(octets: Uint8Array): void {
    const tooLong = this.#agreed && octets.length > this.#maxSendPduSize;
    if (this.#dialogue === undefined && !tooLong) {
      this.#output.push(octets);
      return;
    }
    this.#dialogue ??= this.#newDialogue();
    this.#answered = true;
    this.#dialogue.send(octets);
    this.#drain();
  }

  /** What belongs to no request. */
  push(octets: Uint8Array): void {
    this.#output.push(octets);
  }

  takeBytes(): Uint8Array | undefined {
    return this.#output.shift();
  }

  #isFirst(data: Uint8Array): boolean {
    return this.#first !== undefined && sameOctets(this.#first, data);
  }

  #newDialogue(): GeneralBlockDialogue {
    const blockLength = Math.max(SHORTEST_BLOCK, this.#maxSendPduSize - GENERAL_BLOCK_OVERHEAD);
    return new GeneralBlockDialogue({ blockLength, window: WINDOW });
  }

  #drain(): void {
    for (let body = this.#dialogue?.takeBlock(); body !== undefined; body = this.#dialogue?.takeBlock()) {
      this.#output.push(encodeApdu({ apdu: "general-block-transfer", body }));
    }
  }

  #forget(): void {
    this.#dialogue = undefined;
    this.#first = undefined;
    this.#answered = false;
  }
}
