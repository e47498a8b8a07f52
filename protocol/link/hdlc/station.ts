/**
 * What both stations of an HDLC link do alike: octets become frames, UI frames become APDUs, what is no frame for us
 * becomes an event, and frames become octets. What a frame means to the link is the owner's.
 */
import type { DlmsError } from "../../errors.ts";
import { earlier } from "../../machine.ts";
import type { LinkEvent } from "../link.ts";
import type { HdlcFrame } from "./frame.ts";
import type { FrameUnit } from "./frame-parser.ts";
import { HdlcLine, type HdlcLineSettings } from "./line.ts";
import { UnnumberedAssembler } from "./unnumbered.ts";

export interface HdlcStationSettings extends HdlcLineSettings {
  /** Silence after which an APDU in segmented UI frames is given up. */
  readonly segmentTimeoutMs?: number;
}

export const NO_INFORMATION: Uint8Array = new Uint8Array(0);

export class HdlcStation {
  readonly #line: HdlcLine;
  readonly #unnumbered: UnnumberedAssembler;
  readonly #take: (unit: FrameUnit, nowMs: number) => void;
  readonly #events: LinkEvent[] = [];

  /** `take` gets each frame whose check sequences are right, in order. */
  constructor(settings: HdlcStationSettings, take: (unit: FrameUnit, nowMs: number) => void) {
    this.#line = new HdlcLine(settings);
    this.#unnumbered = new UnnumberedAssembler(settings.segmentTimeoutMs);
    this.#take = take;
  }

  receive(octets: Uint8Array, nowMs: number): void {
    this.#line.receive(octets, nowMs);
    this.#drain(nowMs);
  }

  timeout(nowMs: number): void {
    this.#line.timeout(nowMs);
    this.#unnumbered.timeout(nowMs);
    this.#drain(nowMs);
  }

  /** The channel has ended: gives up what has not become whole. */
  flush(nowMs: number): void {
    this.#line.flush();
    this.#unnumbered.flush();
    this.#drain(nowMs);
  }

  send(frame: HdlcFrame, nowMs: number): void {
    this.#line.send(frame, nowMs);
  }

  /** Joins a UI frame with those that belong to it. */
  join(unit: FrameUnit, nowMs: number): void {
    this.#unnumbered.receive(unit, nowMs);
  }

  discard(octets: Uint8Array, error: DlmsError): void {
    this.tell({ type: "discarded", octets, error });
  }

  tell(event: LinkEvent): void {
    this.#events.push(event);
  }

  takeBytes(): Uint8Array | undefined {
    return this.#line.takeBytes();
  }

  takeEvent(): LinkEvent | undefined {
    return this.#events.shift();
  }

  /** Until when a frame that has begun is waited for; undefined when none has. */
  get frameDeadlineMs(): number | undefined {
    return this.#line.frameDeadlineMs;
  }

  deadlineMs(): number | undefined {
    return earlier(this.#line.deadlineMs(), this.#unnumbered.deadlineMs());
  }

  #drain(nowMs: number): void {
    for (let unit = this.#line.takeUnit(); unit; unit = this.#line.takeUnit()) {
      if (unit.type === "discarded") this.tell(unit);
      else this.#take(unit, nowMs);
      this.#drainUnnumbered();
    }
    this.#drainUnnumbered();
  }

  #drainUnnumbered(): void {
    for (let unit = this.#unnumbered.takeUnit(); unit; unit = this.#unnumbered.takeUnit()) this.tell(unit);
  }
}
