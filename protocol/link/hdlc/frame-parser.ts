/**
 * Cuts a stream into HDLC frames, however the octets are chunked. Three results: a frame (also one whose control field is
 * unknown), a discarded run, or nothing yet. One flag may close a frame and open the next; further flags are fill.
 *
 * Resynchronisation: a candidate that turns out wrong is given up with its opening flag, and the next flag after it, even
 * one inside, begins the next candidate. The octets up to there come out as one discarded run with the candidate's error.
 * A damaged length is caught by the header's check; one that stops half-way only by time: the owner calls `flush`.
 */

import { DlmsError } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import { NO_QUIRKS, type Quirk } from "../../quirks.ts";
import { OctetBuffer } from "../octet-buffer.ts";
import { decodeHdlcFrame, FLAG, type HdlcFrame } from "./frame.ts";

export type HdlcUnit =
  /** `octets` are those from flag to flag; `frame.information` is a view into them. They belong to the receiver. */
  | { readonly type: "frame"; readonly frame: HdlcFrame; readonly octets: Uint8Array }
  | { readonly type: "discarded"; readonly octets: Uint8Array; readonly error: DlmsError };

export class HdlcFrameParser {
  readonly #tolerate: ReadonlySet<Quirk>;
  readonly #buffer = new OctetBuffer();
  readonly #units: HdlcUnit[] = [];
  /** Octets at the start of the buffer that no candidate begins with. */
  #noise = 0;
  #error: DlmsError | undefined;

  constructor(tolerate: ReadonlySet<Quirk> = NO_QUIRKS) {
    this.#tolerate = tolerate;
  }

  /** Whether octets are held that may become a frame or are noise; a flag alone is neither. */
  get pending(): boolean {
    return this.#buffer.length > 1 || (this.#buffer.length === 1 && this.#buffer.at(0) !== FLAG);
  }

  receive(octets: Uint8Array): void {
    this.#buffer.append(octets);
    while (this.#step()) {
      // Each step takes a unit or a fill flag out of the buffer, or marks octets as noise.
    }
  }

  takeUnit(): HdlcUnit | undefined {
    return this.#units.shift();
  }

  /** Gives up the candidate that has not become whole; what is behind its flag is searched as usual. */
  flush(): void {
    while (this.pending) {
      if (this.#noise === 0) this.#giveUp(new DlmsError("FRAME_INCOMPLETE", "peer", { octets: this.#buffer.length }));
      while (this.#step()) {
        // As in `receive`.
      }
      this.#report();
    }
  }

  #step(): boolean {
    if (this.#noise > 0 || this.#buffer.at(0) !== FLAG) return this.#hunt();
    if (this.#buffer.at(1) === FLAG) {
      this.#buffer.drop(1);
      return true;
    }
    return this.#candidate();
  }

  /** Extends the run of noise up to the next flag. */
  #hunt(): boolean {
    const { length } = this.#buffer;
    while (this.#noise < length && this.#noise < LIMITS.noiseRun && this.#buffer.at(this.#noise) !== FLAG)
      this.#noise++;
    if (this.#noise === length && this.#noise < LIMITS.noiseRun) return false;
    this.#report();
    return true;
  }

  #candidate(): boolean {
    const view = this.#buffer.view();
    try {
      const decoded = decodeHdlcFrame(view, this.#tolerate);
      if (decoded === undefined) return false;
      const { frame, closingFlag } = decoded;
      const from = frame.information.byteOffset - view.byteOffset;
      const octets = view.slice(0, closingFlag + 1);
      const information = octets.subarray(from, from + frame.information.length);
      this.#units.push({ type: "frame", frame: { ...frame, information }, octets });
      // The closing flag stays: it may open the next frame.
      this.#buffer.drop(closingFlag);
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
