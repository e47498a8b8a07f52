/**
 * What has come to any connection is handed out together, and then what all of them write goes out together: code that
 * runs many times in a row costs half of what it costs between system calls. A round is one turn of the event loop.
 */
/** A connection that takes part. */
export interface RoundMember {
  /** Takes octets of the peer. Must not throw. */
  deliver(octets: Uint8Array): void;
  /** Gives what it has to write to the system. Must not throw. */
  send(): void;
}

/** Octets of one round that wait; with more, what has come is handed out at once. */
const MOST_HELD = 1024 * 1024;

/** What has come to one connection at a time. */
interface Arrival {
  readonly receiver: RoundMember;
  readonly octets: Uint8Array;
}

export class Rounds {
  #arrivals: Arrival[] = [];
  /** The octets' memory, which every round uses again. */
  readonly #memory = new Uint8Array(MOST_HELD);
  #held = 0;
  #senders: RoundMember[] = [];
  #sendingPlanned = false;

  /** Octets that have come, no more than a round holds; they are copied. */
  arrived(receiver: RoundMember, octets: Uint8Array): void {
    if (this.#held + octets.length > MOST_HELD) this.#handOut();
    if (this.#arrivals.length === 0) {
      setImmediate(this.#handOut);
      // What the receivers say is written in the same turn: whatever they wait for between is done before.
      this.#planSending();
    }
    const start = this.#held;
    this.#held += octets.length;
    this.#memory.set(octets, start);
    this.#arrivals.push({ receiver, octets: this.#memory.subarray(start, this.#held) });
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
    const arrivals = this.#arrivals;
    this.#arrivals = [];
    this.#held = 0;
    for (const { receiver, octets } of arrivals) receiver.deliver(octets);
  };

  readonly #sendAll = (): void => {
    const senders = this.#senders;
    this.#senders = [];
    this.#sendingPlanned = false;
    for (const sender of senders) sender.send();
  };
}
