/**
 * Cuts a stream into the frames of one link protocol, however the octets are chunked. Three results: a frame, a discarded
 * run, or nothing yet.
 *
 * Resynchronisation: a candidate that turns out wrong is given up with its first octet, and the next octet that a frame
 * may begin with, even one inside, begins the next candidate. The octets up to there come out as one discarded run with
 * the candidate's error. A candidate that stops half-way is known only by time: the owner calls `flush`.
 */
import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { OctetBuffer } from "./octet-buffer.ts";

/** Octets belong to the receiver; a frame's own octets are views into them. */
export type FoundUnit<Frame> =
  | { readonly type: "frame"; readonly frame: Frame; readonly octets: Uint8Array }
  | { readonly type: "discarded"; readonly octets: Uint8Array; readonly error: DlmsError };

export interface FrameSyntax<Frame> {
  readonly isStart: (octet: number) => boolean;
  /** An octet that may stand between frames any number of times, and alone is neither frame nor noise. */
  readonly fill?: number;
  /** Takes what begins the buffer, with a start octet, out of it; undefined where octets are missing; throws where it is none. */
  readonly take: (buffer: OctetBuffer) => FoundUnit<Frame> | undefined;
}

export class FrameSearch<Frame> {
  readonly #syntax: FrameSyntax<Frame>;
  readonly #buffer = new OctetBuffer();
  readonly #units: FoundUnit<Frame>[] = [];
  /** Octets at the start of the buffer that no candidate begins with. */
  #noise = 0;
  #error: DlmsError | undefined;

  constructor(syntax: FrameSyntax<Frame>) {
    this.#syntax = syntax;
  }

  /** Whether octets are held that may become a frame or are noise. */
  get pending(): boolean {
    return this.#buffer.length > 1 || (this.#buffer.length === 1 && this.#buffer.at(0) !== this.#syntax.fill);
  }

  receive(octets: Uint8Array): void {
    this.#buffer.append(octets);
    this.#search();
  }

  takeUnit(): FoundUnit<Frame> | undefined {
    return this.#units.shift();
  }

  /** Gives up the candidate that has not become whole; what is behind its first octet is searched as usual. */
  flush(): void {
    while (this.pending) {
      if (this.#noise === 0) this.#giveUp(new DlmsError("FRAME_INCOMPLETE", "peer", { octets: this.#buffer.length }));
      this.#search();
      this.#report();
    }
  }

  #search(): void {
    while (this.#step()) {
      // Each step takes a unit or a fill octet out of the buffer, or marks octets as noise.
    }
  }

  #step(): boolean {
    const first = this.#buffer.at(0);
    if (first === undefined) return false;
    if (this.#noise > 0 || !this.#syntax.isStart(first)) return this.#hunt();
    if (first === this.#syntax.fill && this.#buffer.at(1) === first) {
      this.#buffer.drop(1);
      return true;
    }
    return this.#candidate();
  }

  /** Extends the run of noise up to the next start. */
  #hunt(): boolean {
    const { length } = this.#buffer;
    const limit = Math.min(length, LIMITS.noiseRun);
    while (this.#noise < limit && !this.#syntax.isStart(this.#buffer.at(this.#noise) ?? 0)) this.#noise++;
    if (this.#noise === length && this.#noise < LIMITS.noiseRun) return false;
    this.#report();
    return true;
  }

  #candidate(): boolean {
    try {
      const unit = this.#syntax.take(this.#buffer);
      if (unit === undefined) return false;
      this.#units.push(unit);
    } catch (error) {
      if (!(error instanceof DlmsError)) throw error;
      this.#giveUp(error);
    }
    return true;
  }

  #giveUp(error: DlmsError): void {
    this.#noise = 1;
    this.#error = error;
  }

  #report(): void {
    if (this.#noise === 0) return;
    const error = this.#error ?? new DlmsError("FRAME_INVALID", "peer", { octets: this.#noise });
    this.#units.push({ type: "discarded", octets: this.#buffer.take(this.#noise), error });
    this.#noise = 0;
    this.#error = undefined;
  }
}
