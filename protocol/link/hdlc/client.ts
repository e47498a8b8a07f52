/**
 * The client's side of an HDLC link: the primary station in normal response mode (IEC 62056-46, 6.4.4). The server talks
 * only after a frame with P = 1, so there is always one side that has the turn; retransmission is go-back-N from the
 * server's N(R). Sequence numbers decide what is new: an APDU is handed on once and sent once, however often frames are
 * repeated on the way.
 */
import { DlmsError } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import { earlier } from "../../machine.ts";
import type { Link, LinkCommand, LinkEvent } from "../link.ts";
import { type HdlcAddress, hdlcAddress, mayAnswer, showHdlcAddress } from "./address.ts";
import { ClientExchange, type InformationControl, type NumberedControl } from "./client-exchange.ts";
import { type CompleteSettings, completeSettings, type HdlcClientSettings } from "./client-settings.ts";
import { type HdlcClientState, type HdlcClientStep, isOpen, isServersTurn, nextClientState } from "./client-states.ts";
import type { HdlcControl, UnnumberedType } from "./control.ts";
import type { FrameUnit } from "./frame-parser.ts";
import { frmrError } from "./frmr.ts";
import { LLC_COMMAND, stripLlc, withLlc } from "./llc.ts";
import { decodeParameters, encodeParameters, type HdlcParameters, negotiate } from "./parameters.ts";
import { ResponseTimer } from "./response-timer.ts";
import { HdlcStation, NO_INFORMATION } from "./station.ts";
import { unnumberedFrames } from "./unnumbered.ts";

type SendOrder = Extract<LinkCommand, { type: "send" }>;

export class HdlcClient implements Link {
  readonly #settings: CompleteSettings;
  readonly #address: HdlcAddress;
  readonly #station: HdlcStation;
  readonly #exchange: ClientExchange;
  readonly #timer = new ResponseTimer();
  #queue: Uint8Array[] = [];
  #state: HdlcClientState = "disconnected";
  #parameters: HdlcParameters;
  /** Silences and turns without progress in a row. */
  #attempts = 0;
  /** Until when a busy server, or one that owes an answer, is asked again. */
  #patienceMs: number | undefined;

  constructor(settings: HdlcClientSettings) {
    this.#settings = completeSettings(settings);
    const { parameters, maxApduLength, sequenceNumbers } = this.#settings;
    this.#address = hdlcAddress(settings.clientSap, undefined, 1);
    this.#parameters = parameters;
    this.#station = new HdlcStation(settings, (unit, nowMs) => this.#take(unit, nowMs));
    const numbersChecked = sequenceNumbers === "checked";
    this.#exchange = new ClientExchange(parameters, { maxApduLength, numbersChecked });
  }

  get state(): HdlcClientState {
    return this.#state;
  }

  /** What holds on the open link; before that, what is proposed. */
  get parameters(): HdlcParameters {
    return this.#parameters;
  }

  command(command: LinkCommand, nowMs: number): void {
    switch (command.type) {
      case "open":
        this.#open(nowMs);
        return;
      case "send":
        this.#order(command, nowMs);
        return;
      case "close":
        if (this.#state === "disconnected" || this.#state === "failed" || this.#state === "disconnecting") return;
        this.#attempts = 0;
        this.#queue = [];
        this.#ask("DISC", "discSent", nowMs);
        return;
      case "channelEnded":
        this.#station.flush(nowMs);
        if (this.#state !== "disconnected" && this.#state !== "failed") this.#end("peer");
        return;
    }
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    this.#station.receive(bytes, nowMs);
  }

  timeout(nowMs: number): void {
    this.#station.timeout(nowMs);
    if (this.#timer.expires(nowMs, this.#station.frameDeadlineMs)) this.#expire(nowMs);
  }

  takeBytes(): Uint8Array | undefined {
    return this.#station.takeBytes();
  }

  takeEvent(): LinkEvent | undefined {
    return this.#station.takeEvent();
  }

  deadlineMs(): number | undefined {
    return earlier(this.#timer.deadlineMs, this.#station.deadlineMs());
  }

  #step(step: HdlcClientStep): void {
    this.#state = nextClientState(this.#state, step);
  }

  #order(order: SendOrder, nowMs: number): void {
    const { server } = this.#settings;
    const upper = order.destinationSap ?? server.upper;
    if (order.unnumbered) {
      const destination = upper === server.upper ? server : hdlcAddress(upper, server.lower, server.size);
      const information = withLlc(LLC_COMMAND, order.apdu);
      const route = { destination, source: this.#address };
      const frames = unnumberedFrames(route, information, this.#parameters.maxInfoTransmit);
      for (const frame of frames) this.#station.send(frame, nowMs);
      return;
    }
    const at = { order: "send", state: this.#state, queued: this.#queue.length };
    if (!isOpen(this.#state) || this.#queue.length >= LIMITS.linkQueue) throw new DlmsError("LINK_STATE", "caller", at);
    if (upper !== server.upper) throw new DlmsError("LINK_STATE", "caller", { ...at, destinationSap: upper });
    this.#queue.push(withLlc(LLC_COMMAND, order.apdu));
    if (!isServersTurn(this.#state)) this.#useTurn(nowMs);
  }

  #open(nowMs: number): void {
    if (this.#state !== "disconnected" && this.#state !== "failed") {
      throw new DlmsError("LINK_STATE", "caller", { order: "open", state: this.#state });
    }
    // Whether DISC is answered does not matter: its silence is no attempt.
    this.#attempts = this.#settings.discFirst ? -1 : 0;
    if (this.#settings.discFirst) this.#ask("DISC", "resetSent", nowMs);
    else this.#sendSnrm(nowMs);
  }

  #sendSnrm(nowMs: number): void {
    this.#attempts = Math.max(0, this.#attempts);
    const { bareSnrm, parameters } = this.#settings;
    this.#ask("SNRM", "snrmSent", nowMs, bareSnrm ? NO_INFORMATION : encodeParameters(parameters));
  }

  /** Sends an unnumbered command and waits for the response. */
  #ask(type: UnnumberedType, step: HdlcClientStep, nowMs: number, information = NO_INFORMATION): void {
    this.#step(step);
    this.#send({ type, pollFinal: true }, nowMs, { information });
    this.#awaitResponse(nowMs);
  }

  #send(control: HdlcControl, nowMs: number, content: { information?: Uint8Array; segmented?: boolean } = {}): void {
    const { information = NO_INFORMATION, segmented = false } = content;
    const { server } = this.#settings;
    this.#station.send({ destination: server, source: this.#address, control, segmented, information }, nowMs);
  }

  #awaitResponse(nowMs: number): void {
    this.#timer.awaitAnswer(nowMs, this.#settings.responseTimeoutMs);
  }

  #take(unit: FrameUnit, nowMs: number): void {
    const { frame } = unit;
    const { control } = frame;
    if (control.type === "UI") {
      this.#station.join(unit, nowMs);
      return;
    }
    const route = { source: showHdlcAddress(frame.source), destination: showHdlcAddress(frame.destination) };
    const ours = mayAnswer(frame.source, this.#settings.server) && frame.destination.upper === this.#address.upper;
    if (!ours) this.#station.discard(unit.octets, new DlmsError("FRAME_NOT_FOR_US", "peer", route));
    else if (control.type === "unknown") {
      this.#station.discard(unit.octets, new DlmsError("FRAME_UNKNOWN", "peer", { control: control.octet }));
    } else if (!this.#handle(unit, nowMs)) {
      const at = { frame: control.type, state: this.#state };
      this.#station.discard(unit.octets, new DlmsError("FRAME_UNEXPECTED", "peer", at));
    }
  }

  /** Returns false when the frame has no meaning in this state. */
  #handle(unit: FrameUnit, nowMs: number): boolean {
    const { frame } = unit;
    const { control } = frame;
    switch (control.type) {
      case "UA":
        return this.#takeUa(frame.information, nowMs);
      case "DM":
        return this.#takeDm(nowMs);
      case "FRMR":
        if (!isOpen(this.#state) && this.#state !== "connecting") return false;
        this.#fail(frmrError(frame.information));
        return true;
      case "I":
      case "RR":
      case "RNR":
      case "REJ":
      case "SREJ":
        if (!isOpen(this.#state)) return false;
        this.#takeNumbered(control, unit, nowMs);
        return true;
      default:
        return false;
    }
  }

  #takeUa(information: Uint8Array, nowMs: number): boolean {
    if (this.#state === "resetting") this.#sendSnrm(nowMs);
    else if (this.#state === "disconnecting") this.#end("local");
    else if (this.#state === "connecting") this.#connect(information, nowMs);
    else return false;
    return true;
  }

  #connect(information: Uint8Array, nowMs: number): void {
    const { bareSnrm, parameters, infoReserve } = this.#settings;
    let answer: Partial<HdlcParameters> = {};
    try {
      answer = decodeParameters(information);
    } catch (error) {
      if (!(error instanceof DlmsError)) throw error;
      this.#station.discard(information, error);
    }
    this.#parameters = negotiate(bareSnrm ? negotiate(parameters, {}) : parameters, answer);
    this.#step("uaReceived");
    this.#attempts = 0;
    this.#exchange.start(this.#parameters, infoReserve);
    this.#station.tell({ type: "opened" });
    this.#useTurn(nowMs);
  }

  #takeDm(nowMs: number): boolean {
    if (this.#state === "resetting") this.#sendSnrm(nowMs);
    else if (this.#state === "disconnecting") this.#end("local");
    else if (this.#state === "connecting") this.#fail(new DlmsError("LINK_REFUSED", "peer", { frame: "DM" }));
    else if (isOpen(this.#state)) this.#end("peer");
    else return false;
    return true;
  }

  #takeNumbered(control: NumberedControl, unit: FrameUnit, nowMs: number): void {
    // Without numbers, only the turn tells an answer from its repetition.
    if (this.#settings.sequenceNumbers === "ignored" && !isServersTurn(this.#state)) {
      this.#station.discard(unit.octets, new DlmsError("FRAME_DUPLICATE", "peer", { frame: control.type }));
      return;
    }
    try {
      this.#exchange.acknowledge(control);
      const fresh = control.type !== "I" || this.#takeInformation(control, unit);
      if (fresh) this.#endTurn(control, nowMs);
    } catch (error) {
      if (!(error instanceof DlmsError)) throw error;
      this.#fail(error);
    }
  }

  /** Returns false for a duplicate, which has no effect: it answers something that was answered before. */
  #takeInformation(control: InformationControl, { frame, octets }: FrameUnit): boolean {
    const received = this.#exchange.accept(control, frame.information, frame.segmented);
    if (received.type === "duplicate") {
      this.#station.discard(octets, new DlmsError("FRAME_DUPLICATE", "peer", { ns: control.ns }));
      return false;
    }
    const apdu = received.type === "whole" ? stripLlc(received.information) : NO_INFORMATION;
    if (apdu.length > 0) {
      const [sourceSap, destinationSap] = [frame.source.upper, frame.destination.upper];
      this.#station.tell({ type: "apdu", apdu, sourceSap, destinationSap });
    }
    return true;
  }

  #endTurn(control: NumberedControl, nowMs: number): void {
    if (!isServersTurn(this.#state)) {
      this.#useTurn(nowMs);
      return;
    }
    if (!this.#exchange.endsTurn(control)) {
      if (control.type === "I") this.#awaitResponse(nowMs);
      return;
    }
    const { unfinished } = this.#exchange;
    const progress = this.#exchange.takeProgress();
    if (progress && unfinished) this.#station.tell({ type: "progress" });
    if (progress || !unfinished) this.#attempts = 0;
    else this.#attempts++;
    if (this.#attempts > this.#settings.maxRetries) this.#giveUp("no progress");
    else this.#useTurn(nowMs);
  }

  /** We have the turn: sends, asks, pauses, or keeps it. */
  #useTurn(nowMs: number): void {
    const next = this.#exchange.clear ? this.#queue.shift() : undefined;
    if (next) this.#exchange.load(next);
    if (next) this.#patienceMs = undefined;
    const turn = this.#exchange.turn();
    if (turn !== "pause") this.#patienceMs = undefined;
    switch (turn) {
      case "information":
        this.#sendInformation(nowMs);
        return;
      case "poll":
        this.#poll(nowMs);
        return;
      case "pause":
        this.#pause(nowMs);
        return;
      case "none":
        this.#step("turnKept");
        this.#rest(nowMs);
        return;
    }
  }

  #rest(nowMs: number): void {
    const { keepAliveMs } = this.#settings;
    this.#timer.pauseUntil(keepAliveMs === undefined ? undefined : nowMs + keepAliveMs, nowMs);
  }

  #sendInformation(nowMs: number): void {
    this.#step("informationSent");
    const burst = this.#exchange.takeBurst();
    const { nr } = this.#exchange;
    burst.forEach(({ ns, information, more }, index) => {
      const pollFinal = index === burst.length - 1;
      this.#send({ type: "I", ns, nr, pollFinal }, nowMs, { information, segmented: more });
    });
    this.#awaitResponse(nowMs);
  }

  #poll(nowMs: number): void {
    this.#step("pollSent");
    this.#exchange.pollSent();
    this.#send({ type: "RR", nr: this.#exchange.nr, pollFinal: true }, nowMs);
    this.#awaitResponse(nowMs);
  }

  #pause(nowMs: number): void {
    const { answerTimeoutMs, pollIntervalMs } = this.#settings;
    this.#patienceMs ??= nowMs + answerTimeoutMs;
    if (nowMs >= this.#patienceMs && this.#exchange.unfinished) {
      this.#giveUp("busy");
      return;
    }
    if (nowMs >= this.#patienceMs) {
      this.#exchange.forgetAnswer();
      this.#useTurn(nowMs);
      return;
    }
    this.#step("pauseBegun");
    this.#timer.pauseUntil(Math.min(nowMs + pollIntervalMs, this.#patienceMs), nowMs);
  }

  #expire(nowMs: number): void {
    if (this.#state === "ready" || this.#state === "pausing") {
      this.#poll(nowMs);
      return;
    }
    this.#attempts++;
    const { maxRetries, recovery } = this.#settings;
    if (this.#attempts > maxRetries) {
      if (this.#state === "disconnecting") this.#end("local");
      else this.#giveUp("silence");
      return;
    }
    switch (this.#state) {
      case "connecting":
        // A meter hung in an old link hears DISC when it ignores SNRM.
        if (this.#attempts === maxRetries && maxRetries > 1) this.#ask("DISC", "resetSent", nowMs);
        else this.#sendSnrm(nowMs);
        return;
      case "resetting":
        this.#sendSnrm(nowMs);
        return;
      case "disconnecting":
        this.#ask("DISC", "discSent", nowMs);
        return;
      default:
        if (recovery === "resend" && !this.#exchange.clear) this.#sendInformation(nowMs);
        else this.#poll(nowMs);
    }
  }

  #giveUp(after: string): void {
    this.#fail(new DlmsError("LINK_NO_ANSWER", "peer", { state: this.#state, after, attempts: this.#attempts }));
  }

  #fail(error: DlmsError): void {
    this.#step("failed");
    this.#timer.stop();
    this.#queue = [];
    this.#station.tell({ type: "failed", error });
  }

  #end(reason: "local" | "peer"): void {
    this.#step("ended");
    this.#timer.stop();
    this.#queue = [];
    this.#station.tell({ type: "closed", reason });
  }
}
