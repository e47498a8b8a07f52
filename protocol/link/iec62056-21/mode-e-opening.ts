/**
 * Opens an optical or serial port for HDLC by mode E of IEC 62056-21: sign-on at 300 baud with seven data bits and even
 * parity, identification, acknowledgement, change of speed. The machine says when the line has to change and the driver
 * does it; after `opened` the port is HDLC's.
 */
import { DlmsError } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import type { Machine } from "../../machine.ts";
import { nextState, type StepOf } from "../link.ts";
import { OctetBuffer } from "../octet-buffer.ts";
import {
  baudCharacterFor,
  baudOf,
  decodeIdentification,
  encodeOptionSelect,
  encodeSignOn,
  type Identification,
} from "./sign-on.ts";
import { SignOnLine } from "./sign-on-line.ts";

export interface LineSettings {
  readonly baud: number;
  readonly dataBits: 7 | 8;
  readonly parity: "none" | "even";
  readonly stopBits: 1;
}

export interface ModeEOpeningSettings {
  /** Left out when one meter is on the line. */
  readonly deviceAddress?: string;
  /** The highest speed to choose, of those that the meter offers. */
  readonly maxBaud?: number;
  /** The port can't do seven bits with parity: both are done here, and the line stays at eight bits without. */
  readonly softwareParity?: boolean;
  /** The line returns everything that we send. */
  readonly echo?: boolean;
  /** Goes on with meters that do not offer HDLC in their identification and can do it all the same. */
  readonly unannounced?: boolean;
  /** Whether the meter repeats the acknowledgement before it changes speed; without, the time below decides. */
  readonly confirmation?: "awaited" | "none";
  /** From our last octet to the meter's first one: 200–1500 ms by the standard, plus the way there. */
  readonly responseTimeoutMs?: number;
  /** Silence within a message after which it is given up. */
  readonly interOctetTimeoutMs?: number;
  /** From the acknowledgement to the change of speed, and from there to the first frame. */
  readonly switchDelayMs?: number;
  /** Sign-ons after the first, each after a silence that lets a meter leave what it hangs in. */
  readonly maxRetries?: number;
  readonly retryDelayMs?: number;
}

export type ModeEOpeningCommand = { readonly type: "open" } | { readonly type: "channelEnded" };

export type ModeEOpeningEvent =
  /** When everything sent is out on the wire, the line has to be set like this. */
  | { readonly type: "line"; readonly settings: LineSettings }
  | { readonly type: "identified"; readonly identification: Identification }
  /** The port speaks HDLC now, at this speed. */
  | { readonly type: "opened"; readonly baud: number }
  | { readonly type: "discarded"; readonly octets: Uint8Array; readonly error: DlmsError }
  | { readonly type: "failed"; readonly error: DlmsError };

/**
 * Everything that may change the opening's state.
 *
 * - identifying: sign-on sent · resting: waiting before the next one · reacting: identified, the meter needs its reaction
 *   time · confirming: acknowledgement sent · switching: the speed is about to change · settling: it has changed
 */
const TRANSITIONS = {
  closed: { signOnSent: "identifying" },
  identifying: { restBegun: "resting", identified: "reacting", failed: "closed" },
  resting: { signOnSent: "identifying", failed: "closed" },
  reacting: { acknowledged: "confirming", failed: "closed" },
  confirming: { confirmed: "switching", failed: "closed" },
  switching: { switched: "settling", failed: "closed" },
  settling: { settled: "open", failed: "closed" },
  open: { signOnSent: "identifying" },
} as const satisfies Record<string, Record<string, string>>;

export type ModeEOpeningState = keyof typeof TRANSITIONS;
type Step = StepOf<typeof TRANSITIONS>;

const START_BAUD = 300;
/** What a meter needs before it hears us, by the standard's table of reaction times. */
const REACTION_MS = 200;
const FAST_REACTION_MS = 20;
const SLASH = 0x2f;
const LF = 0x0a;
const ACK = 0x06;

export class ModeEOpening implements Machine<ModeEOpeningCommand, ModeEOpeningEvent> {
  readonly #settings: Required<Omit<ModeEOpeningSettings, "deviceAddress">>;
  readonly #signOn: Uint8Array;
  readonly #buffer = new OctetBuffer();
  readonly #events: ModeEOpeningEvent[] = [];
  readonly #line: SignOnLine;
  #state: ModeEOpeningState = "closed";
  #timerMs: number | undefined;
  #attempts = 0;
  #baudCharacter = "0";

  /** Throws DATA_OUT_OF_RANGE for a device address that can't be sent. */
  constructor(settings: ModeEOpeningSettings = {}) {
    this.#signOn = encodeSignOn(settings.deviceAddress);
    this.#settings = {
      maxBaud: settings.maxBaud ?? 19_200,
      softwareParity: settings.softwareParity ?? false,
      echo: settings.echo ?? false,
      unannounced: settings.unannounced ?? false,
      confirmation: settings.confirmation ?? "awaited",
      responseTimeoutMs: settings.responseTimeoutMs ?? 2500,
      interOctetTimeoutMs: settings.interOctetTimeoutMs ?? 1500,
      switchDelayMs: settings.switchDelayMs ?? 300,
      maxRetries: settings.maxRetries ?? 2,
      retryDelayMs: settings.retryDelayMs ?? 3000,
    };
    this.#line = new SignOnLine(this.#settings);
  }

  get state(): ModeEOpeningState {
    return this.#state;
  }

  command(command: ModeEOpeningCommand, nowMs: number): void {
    switch (command.type) {
      case "open":
        this.#step("signOnSent");
        this.#attempts = 0;
        this.#setLine(START_BAUD);
        this.#sendSignOn(nowMs);
        return;
      case "channelEnded":
        this.#giveUpHeld("FRAME_INCOMPLETE");
        if (this.#state !== "closed" && this.#state !== "open")
          this.#fail(new DlmsError("LINK_NO_ANSWER", "peer", { after: "end of channel" }));
        return;
    }
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    for (const octet of this.#line.heard(bytes)) this.#take(octet, nowMs);
  }

  timeout(nowMs: number): void {
    if (this.#timerMs === undefined || nowMs < this.#timerMs) return;
    this.#timerMs = undefined;
    this.#expire(nowMs);
  }

  takeBytes(): Uint8Array | undefined {
    return this.#line.takeBytes();
  }

  takeEvent(): ModeEOpeningEvent | undefined {
    return this.#events.shift();
  }

  deadlineMs(): number | undefined {
    return this.#timerMs;
  }

  #step(step: Step): void {
    this.#state = nextState(TRANSITIONS, this.#state, step);
  }

  #setLine(baud: number): void {
    const sevenBits = baud === START_BAUD && !this.#settings.softwareParity && this.#state !== "switching";
    const settings: LineSettings = sevenBits
      ? { baud, dataBits: 7, parity: "even", stopBits: 1 }
      : { baud, dataBits: 8, parity: "none", stopBits: 1 };
    this.#events.push({ type: "line", settings });
  }

  #sendSignOn(nowMs: number): void {
    this.#line.send(this.#signOn);
    this.#timerMs = nowMs + this.#settings.responseTimeoutMs;
  }

  #take(octet: number, nowMs: number): void {
    const awaited = this.#state === "identifying" ? SLASH : this.#state === "confirming" ? ACK : undefined;
    if (awaited === undefined) {
      this.#discard(Uint8Array.of(octet), "FRAME_UNEXPECTED");
      return;
    }
    if (octet === awaited) this.#giveUpHeld("FRAME_INVALID");
    this.#buffer.append(Uint8Array.of(octet));
    if (this.#buffer.length > LIMITS.identificationLength) this.#giveUpHeld("LENGTH_OVER_LIMIT");
    else if (octet === LF) this.#endLine(nowMs);
    if (this.#timerMs !== undefined && this.#buffer.length > 0) this.#extend(nowMs);
  }

  /** A message that is coming in is waited for, as long as it goes on. */
  #extend(nowMs: number): void {
    this.#timerMs = Math.max(this.#timerMs ?? nowMs, nowMs + this.#settings.interOctetTimeoutMs);
  }

  #endLine(nowMs: number): void {
    const line = this.#buffer.take(this.#buffer.length);
    if (this.#state === "identifying") this.#identify(line, nowMs);
    else if (this.#isConfirmation(line)) this.#switch(nowMs);
    else this.#discard(line, "FRAME_INVALID");
  }

  #identify(line: Uint8Array, nowMs: number): void {
    let identification: Identification;
    try {
      identification = decodeIdentification(line);
    } catch (error) {
      if (!(error instanceof DlmsError)) throw error;
      this.#events.push({ type: "discarded", octets: line, error });
      return;
    }
    this.#events.push({ type: "identified", identification });
    if (identification.mode !== "E" && !this.#settings.unannounced) {
      this.#fail(new DlmsError("LINK_MODE_NOT_OFFERED", "peer", { mode: identification.mode }));
      return;
    }
    const offered = identification.baud ?? START_BAUD;
    this.#baudCharacter = baudCharacterFor(Math.min(offered, this.#settings.maxBaud));
    this.#step("identified");
    this.#timerMs = nowMs + (identification.fast ? FAST_REACTION_MS : REACTION_MS);
  }

  #acknowledge(nowMs: number): void {
    this.#step("acknowledged");
    this.#line.send(encodeOptionSelect(this.#baudCharacter, "hdlc"));
    this.#timerMs = nowMs + (this.#settings.confirmation === "none" ? 0 : this.#settings.responseTimeoutMs);
  }

  #isConfirmation(line: Uint8Array): boolean {
    const wanted = encodeOptionSelect(this.#baudCharacter, "hdlc");
    return line.length === wanted.length && line.every((octet, index) => octet === wanted[index]);
  }

  #switch(nowMs: number): void {
    this.#step("confirmed");
    this.#timerMs = nowMs + this.#settings.switchDelayMs;
  }

  #expire(nowMs: number): void {
    this.#giveUpHeld("FRAME_INCOMPLETE");
    const baud = baudOf(this.#baudCharacter) ?? START_BAUD;
    switch (this.#state) {
      case "identifying":
        this.#retry(nowMs);
        return;
      case "resting":
        this.#step("signOnSent");
        this.#sendSignOn(nowMs);
        return;
      case "reacting":
        this.#acknowledge(nowMs);
        return;
      case "confirming":
        // Some meters change speed without a word.
        this.#switch(nowMs);
        return;
      case "switching":
        this.#setLine(baud);
        this.#step("switched");
        this.#timerMs = nowMs + this.#settings.switchDelayMs;
        return;
      case "settling":
        this.#step("settled");
        this.#events.push({ type: "opened", baud });
        return;
      default:
    }
  }

  #retry(nowMs: number): void {
    this.#attempts++;
    if (this.#attempts > this.#settings.maxRetries) {
      this.#fail(new DlmsError("LINK_NO_ANSWER", "peer", { state: this.#state, attempts: this.#attempts }));
      return;
    }
    this.#step("restBegun");
    this.#timerMs = nowMs + this.#settings.retryDelayMs;
  }

  #giveUpHeld(code: "FRAME_INCOMPLETE" | "FRAME_INVALID" | "LENGTH_OVER_LIMIT"): void {
    if (this.#buffer.length > 0) this.#discard(this.#buffer.take(this.#buffer.length), code);
  }

  #discard(octets: Uint8Array, code: "FRAME_INCOMPLETE" | "FRAME_INVALID" | "FRAME_UNEXPECTED" | "LENGTH_OVER_LIMIT") {
    this.#events.push({ type: "discarded", octets, error: new DlmsError(code, "peer", { state: this.#state }) });
  }

  #fail(error: DlmsError): void {
    this.#step("failed");
    this.#timerMs = undefined;
    this.#events.push({ type: "failed", error });
  }
}
