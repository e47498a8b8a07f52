import { DlmsError } from "../../../protocol/errors.ts";
import {
  type LineSettings,
  ModeEOpening,
  type ModeEOpeningEvent,
  type ModeEOpeningSettings,
} from "../../../protocol/link/iec62056-21/mode-e-opening.ts";
import type { Link, LinkCommand, LinkEvent } from "../../../protocol/link/link.ts";

export interface ModeELinkOptions {
  readonly opening: ModeEOpeningSettings;
  /** The link that speaks once the port has this speed. */
  readonly hdlc: (baud: number) => Link;
  /** Sets the line when everything written before is out, and before anything written after. */
  readonly setLine: (settings: LineSettings) => void;
  /** Speed at which the meter spoke HDLC a moment ago: silent at the sign-on, it may not have left it. */
  readonly lastBaud?: number;
  readonly onOpened?: (baud: number) => void;
}

/**
 * HDLC behind the opening of mode E, as one link: each `open` signs on at 300 baud, changes the speed and goes on with
 * HDLC there.
 */
export class ModeELink implements Link {
  readonly #options: ModeELinkOptions;
  readonly #events: LinkEvent[] = [];
  #opening: ModeEOpening | undefined;
  #hdlc: Link | undefined;

  constructor(options: ModeELinkOptions) {
    this.#options = options;
  }

  command(command: LinkCommand, nowMs: number): void {
    if (command.type === "open") this.#open(nowMs);
    else if (this.#opening !== undefined) this.#giveUp(command);
    else if (this.#hdlc !== undefined) this.#hdlc.command(command, nowMs);
    else if (command.type === "send") throw new DlmsError("LINK_STATE", "caller", { order: "send", state: "closed" });
    this.#drain(nowMs);
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    (this.#opening ?? this.#hdlc)?.receive(bytes, nowMs);
    this.#drain(nowMs);
  }

  timeout(nowMs: number): void {
    (this.#opening ?? this.#hdlc)?.timeout(nowMs);
    this.#drain(nowMs);
  }

  takeBytes(): Uint8Array | undefined {
    return (this.#opening ?? this.#hdlc)?.takeBytes();
  }

  takeEvent(): LinkEvent | undefined {
    return this.#events.shift() ?? (this.#opening === undefined ? this.#hdlc?.takeEvent() : undefined);
  }

  deadlineMs(): number | undefined {
    return (this.#opening ?? this.#hdlc)?.deadlineMs();
  }

  #open(nowMs: number): void {
    if (this.#opening !== undefined) throw new DlmsError("LINK_STATE", "caller", { order: "open", state: "opening" });
    const { opening, lastBaud } = this.#options;
    const machine = new ModeEOpening(lastBaud === undefined ? opening : { ...opening, maxRetries: 0 });
    machine.command({ type: "open" }, nowMs);
    this.#opening = machine;
    this.#hdlc = undefined;
  }

  #giveUp(command: LinkCommand): void {
    if (command.type === "send") throw new DlmsError("LINK_STATE", "caller", { order: "send", state: "opening" });
    this.#opening = undefined;
    this.#events.push({ type: "closed", reason: command.type === "close" ? "local" : "peer" });
  }

  #drain(nowMs: number): void {
    for (let event = this.#opening?.takeEvent(); event !== undefined; event = this.#opening?.takeEvent()) {
      this.#hear(event, nowMs);
    }
  }

  #hear(event: ModeEOpeningEvent, nowMs: number): void {
    switch (event.type) {
      case "line":
        this.#options.setLine(event.settings);
        return;
      case "identified":
        return;
      case "discarded":
        this.#events.push(event);
        return;
      case "opened":
        this.#options.onOpened?.(event.baud);
        this.#speak(event.baud, nowMs);
        return;
      case "failed":
        this.#fail(event, nowMs);
        return;
    }
  }

  #fail(event: Extract<ModeEOpeningEvent, { type: "failed" }>, nowMs: number): void {
    const { lastBaud, setLine } = this.#options;
    if (lastBaud === undefined || event.error.code !== "LINK_NO_ANSWER") {
      this.#opening = undefined;
      this.#events.push(event);
      return;
    }
    setLine({ baud: lastBaud, dataBits: 8, parity: "none", stopBits: 1 });
    this.#speak(lastBaud, nowMs);
  }

  #speak(baud: number, nowMs: number): void {
    this.#opening = undefined;
    this.#hdlc = this.#options.hdlc(baud);
    this.#hdlc.command({ type: "open" }, nowMs);
  }
}
