/**
 * The server's side of an HDLC link: the secondary station (IEC 62056-46, 6.4.4). It talks only when a frame with P = 1
 * has given it the turn, except for pushes in UI frames. One client is linked at a time; a SNRM of another one takes the
 * link over, other frames of others are answered with DM. A repeated request is acknowledged and not handed on again.
 */
import { DlmsError } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import { earlier } from "../../machine.ts";
import type { Link, LinkCloseReason, LinkCommand, LinkEvent } from "../link.ts";
import {
  HDLC_ADDRESSES,
  type HdlcAddress,
  hdlcAddress,
  isAllStation,
  sameStation,
  showHdlcAddress,
} from "./address.ts";
import { encodeControl, type HdlcControl } from "./control.ts";
import type { HdlcFrame } from "./frame.ts";
import type { FrameUnit } from "./frame-parser.ts";
import { encodeFrmr, type FrmrReason } from "./frmr.ts";
import type { HdlcLineSettings } from "./line.ts";
import { LLC_RESPONSE, stripLlc, withLlc } from "./llc.ts";
import {
  DEFAULT_PARAMETERS,
  decodeParameters,
  encodeParameters,
  type HdlcParameters,
  negotiate,
  requireParameters,
} from "./parameters.ts";
import { type HdlcServerState, type HdlcServerStep, nextServerState } from "./server-states.ts";
import { HdlcStation, NO_INFORMATION } from "./station.ts";
import { unnumberedFrames } from "./unnumbered.ts";
import { ReceiveWindow, SendWindow } from "./window.ts";

export interface HdlcServerSettings extends HdlcLineSettings {
  /** The logical devices that are reached over this link; the first one sends pushes that name no other. */
  readonly logicalDevices: readonly number[];
  /** The physical device; without it, only addresses of one octet are ours. */
  readonly physicalDevice?: number;
  /** What UA offers at most; what is left out has the standard's default. */
  readonly parameters?: Partial<HdlcParameters>;
  /** UA without an information field. */
  readonly bareUa?: boolean;
  /** Silence after which the link is closed; 0 for never. */
  readonly inactivityTimeoutMs?: number;
  /** How long the turn is kept while the answer is prepared; then RR gives it back and the client asks again. */
  readonly readyAfterMs?: number;
  /** No DM when disconnected, as some meters do. */
  readonly silentWhenDisconnected?: boolean;
  /** Octets of one received APDU. */
  readonly maxApduLength?: number;
}

type SendOrder = Extract<LinkCommand, { type: "send" }>;
type NumberedControl = Extract<HdlcControl, { nr: number }>;
interface Route {
  readonly client: HdlcAddress;
  /** Our own address as the client writes it. */
  readonly server: HdlcAddress;
}

const INACTIVITY_TIMEOUT_MS = 120_000;
const READY_AFTER_MS = 2000;

export class HdlcServer implements Link {
  readonly #settings: HdlcServerSettings;
  readonly #proposal: HdlcParameters;
  readonly #station: HdlcStation;
  readonly #sending = new SendWindow();
  readonly #receiving: ReceiveWindow;
  #state: HdlcServerState = "disconnected";
  #parameters: HdlcParameters;
  #route: Route | undefined;
  #clientBusy = false;
  #inactiveAtMs: number | undefined;
  #readyAtMs: number | undefined;

  /** Throws DATA_OUT_OF_RANGE for addresses and parameters that HDLC can't do. */
  constructor(settings: HdlcServerSettings) {
    for (const device of settings.logicalDevices) hdlcAddress(device, settings.physicalDevice);
    this.#settings = settings;
    this.#proposal = requireParameters({ ...DEFAULT_PARAMETERS, ...settings.parameters });
    this.#parameters = this.#proposal;
    this.#station = new HdlcStation(settings, (unit, nowMs) => this.#take(unit, nowMs));
    this.#receiving = new ReceiveWindow(settings.maxApduLength ?? LIMITS.apduLength);
  }

  get state(): HdlcServerState {
    return this.#state;
  }

  /** What holds on the open link, from the server's point of view. */
  get parameters(): HdlcParameters {
    return this.#parameters;
  }

  command(command: LinkCommand, nowMs: number): void {
    switch (command.type) {
      case "open":
        // A secondary station waits for SNRM.
        return;
      case "send":
        this.#order(command, nowMs);
        return;
      case "close":
        this.#end("local");
        return;
      case "channelEnded":
        this.#station.flush(nowMs);
        this.#end("peer");
        return;
    }
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    this.#station.receive(bytes, nowMs);
  }

  timeout(nowMs: number): void {
    this.#station.timeout(nowMs);
    if (this.#inactiveAtMs !== undefined && nowMs >= this.#inactiveAtMs) this.#end("inactive");
    if (this.#readyAtMs !== undefined && nowMs >= this.#readyAtMs) this.#sendReady(nowMs);
  }

  takeBytes(): Uint8Array | undefined {
    return this.#station.takeBytes();
  }

  takeEvent(): LinkEvent | undefined {
    return this.#station.takeEvent();
  }

  deadlineMs(): number | undefined {
    return earlier(earlier(this.#inactiveAtMs, this.#readyAtMs), this.#station.deadlineMs());
  }

  #step(step: HdlcServerStep): void {
    this.#state = nextServerState(this.#state, step);
  }

  #order(order: SendOrder, nowMs: number): void {
    const information = withLlc(LLC_RESPONSE, order.apdu);
    if (order.unnumbered) {
      for (const frame of this.#pushFrames(order, information)) this.#station.send(frame, nowMs);
      return;
    }
    const linked = this.#state === "listening" || this.#state === "processing";
    const client = order.destinationSap ?? this.#route?.client.upper;
    if (!linked || client !== this.#route?.client.upper) {
      throw new DlmsError("LINK_STATE", "caller", {
        order: "send",
        state: this.#state,
        destinationSap: client ?? "none",
      });
    }
    this.#sending.load(information, this.#parameters.maxInfoTransmit);
    if (this.#state === "processing") this.#sendInformation(nowMs);
  }

  #pushFrames(order: SendOrder, information: Uint8Array): HdlcFrame[] {
    const { logicalDevices, physicalDevice } = this.#settings;
    const clientSap = order.destinationSap ?? this.#route?.client.upper;
    const deviceSap = order.sourceSap ?? this.#route?.server.upper ?? logicalDevices[0];
    if (clientSap === undefined || deviceSap === undefined) {
      throw new DlmsError("LINK_STATE", "caller", { order: "send", state: "no client is linked and none is named" });
    }
    const source = hdlcAddress(deviceSap, physicalDevice);
    return unnumberedFrames(
      { destination: hdlcAddress(clientSap), source },
      information,
      this.#parameters.maxInfoTransmit,
    );
  }

  #take(unit: FrameUnit, nowMs: number): void {
    const { frame } = unit;
    const ours = this.#isOurs(frame.destination);
    if (frame.control.type === "UI" && (ours || isAllStation(frame.destination))) {
      this.#station.join(unit, nowMs);
    } else if (!ours || frame.source.size !== 1) {
      const route = { source: showHdlcAddress(frame.source), destination: showHdlcAddress(frame.destination) };
      this.#station.discard(unit.octets, new DlmsError("FRAME_NOT_FOR_US", "peer", route));
    } else {
      if (this.#isLinked(frame.source)) this.#postponeInactivity(nowMs);
      this.#handle(unit, nowMs);
    }
  }

  #isOurs({ upper, lower, size }: HdlcAddress): boolean {
    if (!this.#settings.logicalDevices.includes(upper)) return false;
    const calling = size === 4 ? HDLC_ADDRESSES.callingPhysicalDevice14 : HDLC_ADDRESSES.callingPhysicalDevice;
    return lower === undefined || lower === (this.#settings.physicalDevice ?? 0) || lower === calling;
  }

  #isLinked(client: HdlcAddress): boolean {
    return this.#route !== undefined && sameStation(client, this.#route.client);
  }

  #handle(unit: FrameUnit, nowMs: number): void {
    const { frame } = unit;
    const { control } = frame;
    switch (control.type) {
      case "SNRM":
        this.#connect(unit, nowMs);
        return;
      case "DISC":
        this.#disconnect(frame, nowMs);
        return;
      case "I":
      case "RR":
      case "RNR":
      case "REJ":
      case "SREJ":
      case "unknown":
        if (!this.#isLinked(frame.source)) this.#sayDisconnected(frame, nowMs);
        else if (this.#state === "rejecting") this.#reject(control, ["informationUnexpected"], nowMs);
        else if (control.type === "unknown") this.#reject(control, ["controlUndefined"], nowMs);
        else this.#takeNumbered(control, unit, nowMs);
        return;
      default:
        this.#station.discard(
          unit.octets,
          new DlmsError("FRAME_UNEXPECTED", "peer", { frame: control.type, state: this.#state }),
        );
    }
  }

  #connect({ frame, octets }: FrameUnit, nowMs: number): void {
    let proposal: Partial<HdlcParameters>;
    try {
      proposal = decodeParameters(frame.information);
    } catch (error) {
      if (!(error instanceof DlmsError)) throw error;
      this.#station.discard(octets, error);
      return;
    }
    if (this.#route !== undefined) this.#station.tell({ type: "closed", reason: "peer" });
    this.#step("connected");
    this.#parameters = negotiate(this.#proposal, proposal);
    this.#route = { client: frame.source, server: frame.destination };
    this.#sending.reset();
    this.#receiving.reset();
    this.#clientBusy = false;
    this.#readyAtMs = undefined;
    this.#postponeInactivity(nowMs);
    const information = this.#settings.bareUa ? NO_INFORMATION : encodeParameters(this.#parameters);
    this.#answer(frame, { type: "UA", pollFinal: true }, nowMs, information);
    this.#station.tell({ type: "opened" });
  }

  #disconnect(frame: HdlcFrame, nowMs: number): void {
    if (!this.#isLinked(frame.source)) {
      this.#sayDisconnected(frame, nowMs);
      return;
    }
    this.#answer(frame, { type: "UA", pollFinal: true }, nowMs);
    this.#end("peer");
  }

  #sayDisconnected(frame: HdlcFrame, nowMs: number): void {
    if (this.#settings.silentWhenDisconnected || !frame.control.pollFinal) return;
    this.#answer(frame, { type: "DM", pollFinal: true }, nowMs);
  }

  #takeNumbered(control: NumberedControl, unit: FrameUnit, nowMs: number): void {
    if (this.#sending.acknowledge(control.nr) === "invalid") {
      this.#reject(control, ["receiveNumberInvalid"], nowMs);
      return;
    }
    if (control.type !== "I") this.#clientBusy = control.type === "RNR";
    const { information } = unit.frame;
    if (information.length > this.#parameters.maxInfoReceive) {
      this.#reject(control, ["informationTooLong"], nowMs);
      return;
    }
    const request = control.type === "I" && this.#takeInformation(control, unit);
    if (!control.pollFinal) return;
    this.#sending.rewind();
    if (this.#sending.pending > 0 && !this.#clientBusy) this.#sendInformation(nowMs);
    else if (request) this.#process(nowMs);
    else this.#sendReady(nowMs);
  }

  /** Whether the frame has completed a request. */
  #takeInformation(control: Extract<HdlcControl, { type: "I" }>, { frame, octets }: FrameUnit): boolean {
    const { information, segmented } = frame;
    try {
      const segment = { ns: control.ns, information, more: segmented };
      const received = this.#receiving.accept(segment, this.#parameters.windowReceive);
      if (received.type === "duplicate") {
        this.#station.discard(octets, new DlmsError("FRAME_DUPLICATE", "peer", { ns: control.ns }));
      }
      if (received.type !== "whole") return false;
      const apdu = stripLlc(received.information);
      this.#station.tell({
        type: "apdu",
        apdu,
        sourceSap: frame.source.upper,
        destinationSap: frame.destination.upper,
      });
      return true;
    } catch (error) {
      if (!(error instanceof DlmsError)) throw error;
      this.#station.discard(octets, error);
      return false;
    }
  }

  #process(nowMs: number): void {
    this.#step("requestTaken");
    this.#readyAtMs = nowMs + (this.#settings.readyAfterMs ?? READY_AFTER_MS);
  }

  #sendInformation(nowMs: number): void {
    const burst = this.#sending.take(this.#parameters.windowTransmit);
    burst.forEach(({ ns, information, more }, index) => {
      const control = { type: "I", ns, nr: this.#receiving.expected, pollFinal: index === burst.length - 1 } as const;
      this.#send(control, nowMs, { information, segmented: more });
    });
    this.#returnTurn();
  }

  #sendReady(nowMs: number): void {
    this.#send({ type: "RR", nr: this.#receiving.expected, pollFinal: true }, nowMs);
    this.#returnTurn();
  }

  #returnTurn(): void {
    this.#readyAtMs = undefined;
    if (this.#state === "processing") this.#step("turnReturned");
  }

  #reject(control: HdlcControl, reasons: readonly FrmrReason[], nowMs: number): void {
    const vr = this.#receiving.expected;
    const information = encodeFrmr({ control: encodeControl(control), vs: this.#sending.next, vr, reasons });
    this.#step("rejected");
    this.#readyAtMs = undefined;
    this.#send({ type: "FRMR", pollFinal: true }, nowMs, { information });
  }

  #send(control: HdlcControl, nowMs: number, content: { information?: Uint8Array; segmented?: boolean } = {}): void {
    if (this.#route === undefined) return;
    const { information = NO_INFORMATION, segmented = false } = content;
    const { client, server } = this.#route;
    this.#station.send({ destination: client, source: server, control, segmented, information }, nowMs);
  }

  #answer(frame: HdlcFrame, control: HdlcControl, nowMs: number, information = NO_INFORMATION): void {
    const [destination, source] = [frame.source, frame.destination];
    this.#station.send({ destination, source, control, segmented: false, information }, nowMs);
  }

  #postponeInactivity(nowMs: number): void {
    const { inactivityTimeoutMs = INACTIVITY_TIMEOUT_MS } = this.#settings;
    this.#inactiveAtMs = inactivityTimeoutMs === 0 ? undefined : nowMs + inactivityTimeoutMs;
  }

  #end(reason: LinkCloseReason): void {
    if (this.#route === undefined) return;
    this.#step("ended");
    this.#route = undefined;
    this.#inactiveAtMs = undefined;
    this.#readyAtMs = undefined;
    this.#station.tell({ type: "closed", reason });
  }
}
