/** One connection on which a meter, or a concentrator for many, pushes. */
import type { ByteChannel } from "../../../drivers/channel.ts";
import { Pump } from "../../../drivers/pump.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import type { LinkCommand, LinkEvent } from "../../../protocol/link/link.ts";
import type { PushIntake } from "./push-intake.ts";
import { PushLine } from "./push-line.ts";
import { type PushOutcome, PushReader, type PushUnit, type RejectedPush } from "./push-reader.ts";
import type { PushOrigin } from "./push-record.ts";

/** A channel that can let its peer wait. */
export interface PushChannel extends ByteChannel {
  pause(): void;
  resume(): void;
  /** Sends nothing more; what the peer still says is heard until it closes, or for a short while. */
  finish(): void;
}

export interface ConnectionLimits {
  /** Octets without one push that could be read, after which the connection is closed. */
  readonly fruitlessOctets: number;
  /** Pushes that may wait for the store before the peer has to wait. */
  readonly waiting: number;
}

export interface PushConnectionOptions {
  readonly intake: PushIntake;
  readonly origin: PushOrigin;
  readonly limits: ConnectionLimits;
  readonly onClosed: () => void;
  /** Hears of a fault of our own; the connection is closed. */
  readonly onFault: (error: unknown) => void;
}

export class PushConnection {
  readonly #channel: PushChannel;
  readonly #options: PushConnectionOptions;
  readonly #line = new PushLine();
  readonly #reader: PushReader;
  readonly #pump: Pump<LinkCommand, LinkEvent>;
  /** How many octets had come when the last push could be read. */
  #fruitfulAt = 0;
  #receivedAtLook = -1;
  #waiting = 0;
  #paused = false;

  constructor(channel: PushChannel, options: PushConnectionOptions) {
    this.#channel = channel;
    this.#options = options;
    this.#reader = new PushReader(options.intake.openersAt(options.origin.host));
    this.#pump = new Pump<LinkCommand, LinkEvent>(
      this.#line,
      channel,
      {
        event: (event) => this.#take(event),
        closed: () => this.#end(),
        fault: this.#stumble,
      },
      { ended: { type: "channelEnded" } },
    );
  }

  start(): void {
    this.#pump.start();
  }

  /** Ends the connection; what has been sent already is heard. */
  finish(): void {
    this.#channel.finish();
  }

  /** Whether nothing has come since it was asked last. A peer that has to wait for us is not idle. */
  idleSinceLook(): boolean {
    const idle = this.#line.received === this.#receivedAtLook && this.#waiting === 0;
    this.#receivedAtLook = this.#line.received;
    return idle;
  }

  #take(event: LinkEvent): void {
    switch (event.type) {
      case "apdu":
        for (const outcome of this.#reader.receive(event)) this.#keep(outcome, event);
        break;
      case "discarded":
        this.#keep(rejected(event.error, event.octets));
        break;
      case "failed":
        this.#keep(rejected(event.error, new Uint8Array(0)));
        this.#close();
        break;
      case "opened":
      case "progress":
      case "closed":
        break;
    }
    this.#limit();
  }

  #keep(outcome: PushOutcome, unit?: PushUnit): void {
    if (outcome.type === "notification") this.#fruitfulAt = this.#line.received;
    this.#waiting += 1;
    const { intake, origin } = this.#options;
    const goOn = (confirmation: Uint8Array | undefined) => {
      this.#waiting -= 1;
      if (confirmation !== undefined && unit !== undefined) this.#confirm(confirmation, unit);
      if (!this.#paused || this.#isFull) return;
      this.#paused = false;
      this.#channel.resume();
    };
    void intake.keep(outcome, origin).then(goOn).catch(this.#stumble);
    if (this.#paused || !this.#isFull) return;
    this.#paused = true;
    this.#channel.pause();
  }

  get #isFull(): boolean {
    return this.#waiting >= (this.#options.intake.crowded ? 1 : this.#options.limits.waiting);
  }

  /** Serial ports that are listened on are customer ports: nobody hears an answer there. */
  #confirm(apdu: Uint8Array, unit: PushUnit): void {
    if (this.#pump.closed || this.#options.origin.transport === "serial") return;
    const octets = this.#line.answer(apdu, unit);
    if (octets !== undefined) this.#channel.write(octets);
  }

  #limit(): void {
    const octets = this.#line.received - this.#fruitfulAt;
    const limit = this.#options.limits.fruitlessOctets;
    if (octets <= limit) return;
    this.#fruitfulAt = this.#line.received;
    this.#keep(rejected(new DlmsError("LENGTH_OVER_LIMIT", "peer", { octets, limit }), new Uint8Array(0)));
    this.#close();
  }

  readonly #stumble = (error: unknown): void => {
    this.#options.onFault(error);
    this.#close();
  };

  #close(): void {
    this.#pump.close();
  }

  #end(): void {
    for (const outcome of this.#reader.end()) this.#keep(outcome);
    this.#options.onClosed();
  }
}

function rejected(error: DlmsError, octets: Uint8Array): RejectedPush {
  return { type: "rejected", error, systemTitle: undefined, claimed: undefined, octets };
}
