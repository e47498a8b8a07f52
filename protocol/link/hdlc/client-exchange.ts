/**
 * Information on an open link, from the client's side: what is acknowledged, what has to be sent again, what has come in
 * and what to do with the turn. Knows neither time nor octets.
 */
import { DlmsError } from "../../errors.ts";
import type { HdlcControl } from "./control.ts";
import type { HdlcParameters } from "./parameters.ts";
import { type Received, ReceiveWindow, type Segment, SendWindow } from "./window.ts";

export type NumberedControl = Extract<HdlcControl, { nr: number }>;
export type InformationControl = Extract<HdlcControl, { type: "I" }>;

/** What the turn is good for: send information, ask at once, ask after a pause, or nothing. */
export type Turn = "information" | "poll" | "pause" | "none";

export class ClientExchange {
  readonly #numbersChecked: boolean;
  readonly #sending = new SendWindow();
  readonly #receiving: ReceiveWindow;
  #parameters: HdlcParameters;
  #infoReserve = 0;
  /** Frames of the last burst. */
  #burst = 0;
  #gap = false;
  #busy = false;
  #answerDue = false;
  #progress = false;

  constructor(parameters: HdlcParameters, settings: { maxApduLength: number; numbersChecked: boolean }) {
    this.#parameters = parameters;
    this.#numbersChecked = settings.numbersChecked;
    this.#receiving = new ReceiveWindow(settings.maxApduLength);
  }

  /** V(R), which every frame of ours acknowledges. */
  get nr(): number {
    return this.#receiving.expected;
  }

  /** Whether everything has been acknowledged, so that the next APDU may follow. */
  get clear(): boolean {
    return this.#sending.pending === 0;
  }

  /** Whether one side still has something half done. */
  get unfinished(): boolean {
    return this.#sending.pending > 0 || this.#receiving.partial || this.#gap;
  }

  /** Whether the last acknowledgements or frames brought anything new since this was asked. */
  takeProgress(): boolean {
    const progress = this.#progress;
    this.#progress = false;
    return progress;
  }

  /** Both sides begin at number 0. */
  start(parameters: HdlcParameters, infoReserve: number): void {
    this.#parameters = parameters;
    this.#infoReserve = infoReserve;
    this.#sending.reset();
    this.#receiving.reset();
    this.#burst = 0;
    this.#gap = false;
    this.#busy = false;
    this.#answerDue = false;
    this.#progress = false;
  }

  /** Queues an APDU with its LLC; an answer is expected until one comes. */
  load(information: Uint8Array): void {
    // A server may say that it takes less than is kept free.
    this.#sending.load(information, Math.max(1, this.#parameters.maxInfoTransmit - this.#infoReserve));
    this.#answerDue = true;
  }

  /** No answer will come any more. */
  forgetAnswer(): void {
    this.#answerDue = false;
  }

  turn(): Turn {
    if (this.#busy) return this.unfinished || this.#answerDue ? "pause" : "none";
    if (this.#sending.pending > 0) return "information";
    if (this.#receiving.partial || this.#gap) return "poll";
    return this.#answerDue ? "pause" : "none";
  }

  /** What the window lets out, beginning with what the server has not acknowledged. */
  takeBurst(): Segment[] {
    this.#sending.rewind();
    const burst = this.#sending.take(this.#parameters.windowTransmit);
    this.#burst = burst.length;
    return burst;
  }

  pollSent(): void {
    this.#burst = 0;
    this.#gap = false;
  }

  /** Takes N(R). Throws LINK_SEQUENCE when the server acknowledges what was never sent. */
  acknowledge(control: NumberedControl): void {
    const result = this.#numbersChecked ? this.#sending.acknowledge(control.nr) : this.#sending.acknowledgeAll();
    if (result === "invalid") throw new DlmsError("LINK_SEQUENCE", "peer", { frame: control.type, nr: control.nr });
    if (result === "advanced") this.#progress = true;
    if (control.type !== "I") this.#busy = control.type === "RNR";
  }

  /** Takes an I frame. Throws LENGTH_OVER_LIMIT when the APDU gets too long. */
  accept(control: InformationControl, information: Uint8Array, more: boolean): Received {
    if (!this.#numbersChecked) this.#receiving.follow(control.ns);
    const received = this.#receiving.accept({ ns: control.ns, information, more }, this.#parameters.windowReceive);
    if (received.type === "gap") this.#gap = true;
    if (received.type === "part" || received.type === "whole") {
      // Empty segments without end would be no progress.
      this.#progress ||= information.length > 0;
      this.#gap = false;
      this.#busy = false;
    }
    if (received.type === "whole") this.#answerDue = false;
    return received;
  }

  /**
   * Whether the frame hands the turn back. P/F of meters can't be relied on: a supervisory frame, and the one frame of a
   * window of 1, always do. RR that does not acknowledge the single frame that asked for it is late, from an earlier poll.
   */
  endsTurn(control: NumberedControl): boolean {
    if (control.type === "I") return control.pollFinal || this.#parameters.windowReceive === 1;
    const late = control.type === "RR" && this.#burst === 1 && this.#sending.outstanding > 0;
    return !late;
  }
}
