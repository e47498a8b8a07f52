/**
 * Has a meter of modes A to D read itself out (IEC 62056-21): sign-on at 300 baud, identification, in mode C the choice
 * of a speed, then the readout; in mode D the meter talks unasked. The machine says when the line has to change and the
 * driver does it.
 */
import { DlmsError } from "../../errors.ts";
import type { Machine } from "../../machine.ts";
import { nextState, type StepOf } from "../link.ts";
import type { LineSettings } from "./mode-e-opening.ts";
import { ReadoutParser, type ReadoutUnit } from "./readout.ts";
import { baudCharacterFor, baudOf, encodeOptionSelect, encodeSignOn, type Identification } from "./sign-on.ts";
import { SignOnLine } from "./sign-on-line.ts";

export interface ReadoutReadingSettings {
  /** `signOn` asks, as modes A to C want; `listen` waits for a meter of mode D. */
  readonly opening?: "signOn" | "listen";
  /** Left out when one meter is on the line. */
  readonly deviceAddress?: string;
  /** The highest speed to choose in mode C. */
  readonly maxBaud?: number;
  /** Of a meter that talks unasked. */
  readonly listenBaud?: number;
  /** The port can't do seven bits with parity: both are done here, and the line stays at eight bits without. */
  readonly softwareParity?: boolean;
  /** The line returns everything that we send. */
  readonly echo?: boolean;
  /** From our last octet to the meter's first one; when listening, how long to wait for a readout to begin. */
  readonly responseTimeoutMs?: number;
  /** Silence within a readout after which it is given up. */
  readonly interOctetTimeoutMs?: number;
  readonly maxRetries?: number;
  readonly retryDelayMs?: number;
}

export type ReadoutReadingCommand = { readonly type: "open" } | { readonly type: "channelEnded" };

export type MeterReadout = Extract<ReadoutUnit, { type: "readout" }>["readout"];

export type ReadoutReadingEvent =
  /** When everything sent is out on the wire, the line has to be set like this. */
  | { readonly type: "line"; readonly settings: LineSettings }
  | Extract<ReadoutUnit, { type: "identification" | "discarded" }>
  /** The end: nothing comes after it. */
  | { readonly type: "readout"; readonly readout: MeterReadout }
  | { readonly type: "failed"; readonly error: DlmsError };

/**
 * Everything that may change the state.
 *
 * - identifying: sign-on sent · reacting: identified, a meter of mode C needs its reaction time · reading: the data are to
 *   come · resting: waiting before the next sign-on
 */
const TRANSITIONS = {
  closed: { signOnSent: "identifying", listened: "reading" },
  identifying: {
    identified: "reacting",
    dataFollow: "reading",
    restBegun: "resting",
    read: "closed",
    failed: "closed",
  },
  reacting: { acknowledged: "reading", failed: "closed" },
  reading: { read: "closed", restBegun: "resting", failed: "closed" },
  resting: { signOnSent: "identifying", listened: "reading", failed: "closed" },
} as const satisfies Record<string, Record<string, string>>;

type State = keyof typeof TRANSITIONS;
type Step = StepOf<typeof TRANSITIONS>;

const START_BAUD = 300;
/** What a meter needs before it hears us, by the standard's table of reaction times. */
const REACTION_MS = 200;
const FAST_REACTION_MS = 20;

export class ReadoutReading implements Machine<ReadoutReadingCommand, ReadoutReadingEvent> {
  readonly #settings: Required<Omit<ReadoutReadingSettings, "deviceAddress">>;
  readonly #signOn: Uint8Array;
  readonly #events: ReadoutReadingEvent[] = [];
  readonly #line: SignOnLine;
  #parser = new ReadoutParser();
  #state: State = "closed";
  #timerMs: number | undefined;
  #attempts = 0;
  #receivedOctets = 0;
  #baudCharacter = "0";

  /** Throws DATA_OUT_OF_RANGE for a device address that can't be sent. */
  constructor(settings: ReadoutReadingSettings = {}) {
    this.#signOn = encodeSignOn(settings.deviceAddress);
    const listens = settings.opening === "listen";
    this.#settings = {
      opening: settings.opening ?? "signOn",
      maxBaud: settings.maxBaud ?? 9600,
      listenBaud: settings.listenBaud ?? 2400,
      softwareParity: settings.softwareParity ?? false,
      echo: settings.echo ?? false,
      responseTimeoutMs: settings.responseTimeoutMs ?? (listens ? 60_000 : 2500),
      interOctetTimeoutMs: settings.interOctetTimeoutMs ?? 1500,
      maxRetries: settings.maxRetries ?? 2,
      retryDelayMs: settings.retryDelayMs ?? 3000,
    };
    this.#line = new SignOnLine(this.#settings);
  }

  /** Octets of the meter, since the machine was made. */
  get receivedOctets(): number {
    return this.#receivedOctets;
  }

  command(command: ReadoutReadingCommand, nowMs: number): void {
    if (command.type === "open") {
      if (this.#state !== "closed") throw new DlmsError("LINK_STATE", "caller", { order: "open", state: this.#state });
      this.#attempts = 0;
      this.#setLine(this.#startBaud);
      this.#begin(nowMs);
      return;
    }
    this.#parser.flush();
    this.#drain(nowMs);
    if (this.#state !== "closed") this.#fail(new DlmsError("LINK_NO_ANSWER", "peer", { after: "end of channel" }));
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    const octets = this.#line.heard(bytes);
    if (octets.length === 0 || this.#state === "closed") return;
    this.#receivedOctets += octets.length;
    this.#parser.receive(octets);
    if (this.#timerMs !== undefined && this.#parser.pending) {
      this.#timerMs = Math.max(this.#timerMs, nowMs + this.#settings.interOctetTimeoutMs);
    }
    this.#drain(nowMs);
  }

  timeout(nowMs: number): void {
    if (this.#timerMs === undefined || nowMs < this.#timerMs) return;
    this.#timerMs = undefined;
    if (this.#state === "reacting") this.#acknowledge(nowMs);
    else if (this.#state === "resting") this.#begin(nowMs);
    else this.#retry(nowMs);
  }

  takeBytes(): Uint8Array | undefined {
    return this.#line.takeBytes();
  }

  takeEvent(): ReadoutReadingEvent | undefined {
    return this.#events.shift();
  }

  deadlineMs(): number | undefined {
    return this.#timerMs;
  }

  #begin(nowMs: number): void {
    this.#parser = new ReadoutParser();
    const { opening, responseTimeoutMs } = this.#settings;
    this.#step(opening === "listen" ? "listened" : "signOnSent");
    if (opening === "signOn") this.#line.send(this.#signOn);
    this.#timerMs = nowMs + responseTimeoutMs;
  }

  /** At which the meter is waiting to be asked, or talks; the port has it before `open`. */
  get #startBaud(): number {
    return this.#settings.opening === "listen" ? this.#settings.listenBaud : START_BAUD;
  }

  #drain(nowMs: number): void {
    for (let unit = this.#parser.takeUnit(); unit !== undefined; unit = this.#parser.takeUnit()) {
      if (this.#state !== "closed") this.#take(unit, nowMs);
    }
  }

  #take(unit: ReadoutUnit, nowMs: number): void {
    if (unit.type === "readout") {
      this.#step("read");
      this.#timerMs = undefined;
      this.#events.push(unit);
      return;
    }
    this.#events.push(unit);
    if (unit.type === "identification" && this.#state === "identifying") this.#identify(unit.identification, nowMs);
    // A readout that is damaged does not come again by itself.
    if (unit.type === "discarded" && this.#state === "reading" && this.#settings.opening === "signOn")
      this.#retry(nowMs);
  }

  #identify({ mode, baud, fast }: Identification, nowMs: number): void {
    if (mode === "A" || mode === "B") {
      this.#step("dataFollow");
      if (baud !== undefined) this.#setLine(baud);
      this.#timerMs = nowMs + this.#settings.responseTimeoutMs;
      return;
    }
    this.#step("identified");
    this.#baudCharacter = baudCharacterFor(Math.min(baud ?? START_BAUD, this.#settings.maxBaud));
    this.#timerMs = nowMs + (fast ? FAST_REACTION_MS : REACTION_MS);
  }

  #acknowledge(nowMs: number): void {
    this.#step("acknowledged");
    this.#line.send(encodeOptionSelect(this.#baudCharacter, "readout"));
    this.#setLine(baudOf(this.#baudCharacter) ?? START_BAUD);
    this.#timerMs = nowMs + this.#settings.responseTimeoutMs;
  }

  #retry(nowMs: number): void {
    this.#parser.flush();
    for (let unit = this.#parser.takeUnit(); unit !== undefined; unit = this.#parser.takeUnit()) {
      if (unit.type === "discarded") this.#events.push(unit);
    }
    this.#attempts++;
    if (this.#attempts > this.#settings.maxRetries) {
      this.#fail(new DlmsError("LINK_NO_ANSWER", "peer", { state: this.#state, attempts: this.#attempts }));
      return;
    }
    this.#step("restBegun");
    this.#setLine(this.#startBaud);
    this.#timerMs = nowMs + this.#settings.retryDelayMs;
  }

  #setLine(baud: number): void {
    const settings: LineSettings = this.#settings.softwareParity
      ? { baud, dataBits: 8, parity: "none", stopBits: 1 }
      : { baud, dataBits: 7, parity: "even", stopBits: 1 };
    this.#events.push({ type: "line", settings });
  }

  #fail(error: DlmsError): void {
    this.#step("failed");
    this.#timerMs = undefined;
    this.#events.push({ type: "failed", error });
  }

  #step(step: Step): void {
    this.#state = nextState(TRANSITIONS, this.#state, step);
  }
}
