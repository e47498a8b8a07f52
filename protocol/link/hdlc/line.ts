/**
 * What both HDLC sides need between octets and frames: the parser, frames out, and the times of a shared line. Frames
 * are held back until the line has been quiet for the turnaround time; a frame that stops half-way is given up after the
 * inter-octet time; our own frames come back from optical heads and two-wire adapters and are dropped.
 */

import { sameOctets } from "../../bytes/octets.ts";
import { LIMITS } from "../../limits.ts";
import { earlier } from "../../machine.ts";
import type { Quirk } from "../../quirks.ts";
import { encodeHdlcFrame, type HdlcFrame } from "./frame.ts";
import { HdlcFrameParser, type HdlcUnit } from "./frame-parser.ts";

export interface HdlcLineSettings {
  /** Silence within a frame after which it is given up: 25 ms on a wire, seconds over mobile networks. */
  readonly interOctetTimeoutMs?: number;
  /** Silence that the peer needs before it can hear our answer; some meters need 100–300 ms. */
  readonly turnaroundMs?: number;
  /** The line returns everything that we send. */
  readonly echo?: boolean;
  /** Deviations of the frame format that this peer is known for. */
  readonly tolerate?: ReadonlySet<Quirk>;
}

const INTER_OCTET_TIMEOUT_MS = 2000;

export class HdlcLine {
  readonly #interOctetTimeoutMs: number;
  readonly #turnaroundMs: number;
  readonly #echo: boolean;
  readonly #parser: HdlcFrameParser;
  readonly #output: Uint8Array[] = [];
  #held: Uint8Array[] = [];
  #sent: Uint8Array[] = [];
  #quietAtMs = Number.NEGATIVE_INFINITY;
  #stalledAtMs: number | undefined;

  constructor(settings: HdlcLineSettings) {
    this.#interOctetTimeoutMs = settings.interOctetTimeoutMs ?? INTER_OCTET_TIMEOUT_MS;
    this.#turnaroundMs = settings.turnaroundMs ?? 0;
    this.#echo = settings.echo ?? false;
    this.#parser = new HdlcFrameParser(settings.tolerate);
  }

  /** When a frame that has begun and not ended is given up; undefined when none has begun. */
  get frameDeadlineMs(): number | undefined {
    return this.#stalledAtMs;
  }

  receive(octets: Uint8Array, nowMs: number): void {
    this.#parser.receive(octets);
    this.#quietAtMs = nowMs + this.#turnaroundMs;
    this.#stalledAtMs = this.#parser.pending ? nowMs + this.#interOctetTimeoutMs : undefined;
  }

  /** The next unit that is not our own echo. */
  takeUnit(): HdlcUnit | undefined {
    for (let unit = this.#parser.takeUnit(); unit; unit = this.#parser.takeUnit()) {
      if (unit.type !== "frame" || !this.#isEcho(unit.octets)) return unit;
    }
    return undefined;
  }

  send(frame: HdlcFrame, nowMs: number): void {
    const octets = encodeHdlcFrame(frame);
    if (this.#echo) this.#sent = [...this.#sent, octets].slice(-LIMITS.echoedFrames);
    if (this.#held.length > 0 || nowMs < this.#quietAtMs) this.#held.push(octets);
    else this.#output.push(octets);
  }

  timeout(nowMs: number): void {
    if (this.#held.length > 0 && nowMs >= this.#quietAtMs) {
      this.#output.push(...this.#held);
      this.#held = [];
    }
    if (this.#stalledAtMs !== undefined && nowMs >= this.#stalledAtMs) this.flush();
  }

  /** Gives up a frame that has not become whole. */
  flush(): void {
    this.#parser.flush();
    this.#stalledAtMs = undefined;
  }

  takeBytes(): Uint8Array | undefined {
    return this.#output.shift();
  }

  deadlineMs(): number | undefined {
    return earlier(this.#held.length > 0 ? this.#quietAtMs : undefined, this.#stalledAtMs);
  }

  /** An echo comes whole and in order; frames before it whose echo was damaged are forgotten. */
  #isEcho(octets: Uint8Array): boolean {
    const index = this.#sent.findIndex((sent) => sameOctets(sent, octets));
    if (index < 0) return false;
    this.#sent = this.#sent.slice(index + 1);
    return true;
  }
}
