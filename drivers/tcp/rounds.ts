/**
 * What has come to any connection is handed out together, and then what all of them write goes out together: code that
 * runs many times in a row costs half of what it costs between system calls. A round is one turn of the event loop.
 */
import { newOctets } from "../../protocol/bytes/octets.ts";

/** A connection that takes part. */
export interface RoundMember {
  /** Takes octets of the peer. Must not throw. */
  deliver(octets: Uint8Array): void;
  /** Gives what it has to write to the system. Must not throw. */
  send(): void;
}

/** Octets of one round that are copied; with more, what has come is handed out at once. */
const MOST_HELD = 1024 * 1024;

export class Rounds {
  #receivers: RoundMember[] = [];
  #pieces: Uint8Array[] = [];
  #held = 0;
  #senders: RoundMember[] = [];
  #sendingPlanned = false;

  /** Octets that have come; they are copied. */
  arrived(receiver: RoundMember, octets: Uint8Array): void {
    if (this.#receivers.length === 0) {
      setImmediate(this.#handOut);
      // What the receivers say is written in the same turn: whatever they wait for between is done before.
      this.#planSending();
    }
    const piece = newOctets(octets.length);
    piece.set(octets);
    this.#receivers.push(receiver);
    this.#pieces.push(piece);
    this.#held += octets.length;
    if (this.#held > MOST_HELD) this.#handOut();
  }

  /** Somebody has something to write. */
  wantsToSend(sender: RoundMember): void {
    this.#senders.push(sender);
    this.#planSending();
  }

  #planSending(): void {
    if (this.#sendingPlanned) return;
    this.#sendingPlanned = true;
    setImmediate(this.#sendAll);
  }

  readonly #handOut = (): void => {
    const [receivers, pieces] = [this.#receivers, this.#pieces];
    this.#receivers = [];
    this.#pieces = [];
    this.#held = 0;
    for (const [index, receiver] of receivers.entries()) {
      const piece = pieces[index];
      if (piece !== undefined) receiver.deliver(piece);
    }
  };

  readonly #sendAll = (): void => {
    const senders = this.#senders;
    this.#senders = [];
    this.#sendingPlanned = false;
    for (const sender of senders) sender.send();
  };
}
