/**
 * The octets of one direction as frames, for people who look on: nothing is checked, so that damage is shown instead of
 * skipped. What is no frame comes out as it came.
 */
import { joinOctets } from "../../protocol/bytes/octets.ts";
import { FLAG } from "../../protocol/link/hdlc/frame.ts";
import { WRAPPER_HEADER_LENGTH } from "../../protocol/link/wrapper.ts";

export type FrameLink = "hdlc" | "wrapper" | "text" | "octets";

export interface SplitFrame {
  readonly link: FrameLink;
  readonly octets: Uint8Array;
  /** Some octets held a secret and were blanked: check sequences do not fit. */
  readonly isBlanked: boolean;
}

type Blanked = readonly (readonly [start: number, length: number])[];

const NO_OCTETS: Uint8Array = new Uint8Array(0);
const HDLC_TYPE = 0x0a;
const LENGTH_HIGH = 0x07;
/** Tab, the ends of lines, and what frames a message of IEC 62056-21. */
const TEXT_CONTROLS: ReadonlySet<number> = new Set([0x02, 0x03, 0x06, 0x09, 0x0a, 0x0d, 0x15]);
const SEVEN_BITS = 0x7f;
const FIRST_PRINTABLE = 0x20;

export class FrameSplitter {
  #octets = NO_OCTETS;
  #isBlanked = NO_OCTETS;

  /** The frames that these octets complete; nothing is held back that is not the beginning of one. */
  push(octets: Uint8Array, blanked: Blanked = []): SplitFrame[] {
    const marks = new Uint8Array(octets.length);
    for (const [start, length] of blanked) marks.fill(1, start, start + length);
    this.#octets = joinOctets([this.#octets, octets]);
    this.#isBlanked = joinOctets([this.#isBlanked, marks]);
    const frames: SplitFrame[] = [];
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) frames.push(frame);
    return frames;
  }

  /** What is left of a frame whose end has not come. */
  finish(): SplitFrame | undefined {
    return this.#octets.length === 0 ? undefined : this.#take(this.#octets.length, linkOf(this.#octets));
  }

  #next(): SplitFrame | undefined {
    const octets = this.#octets;
    if (octets.length === 0) return undefined;
    if (octets[0] === FLAG) return this.#hdlcFrame();
    if (octets[0] === 0 && octets.length === 1) return undefined;
    if (octets[0] === 0 && octets[1] === 1) return this.#wrapperFrame();
    const end = octets.findIndex((octet, at) => at > 0 && (octet === FLAG || (octet === 0 && octets[at + 1] === 1)));
    return this.#take(end < 0 ? octets.length : end, linkOf(octets.subarray(0, end < 0 ? octets.length : end)));
  }

  #wrapperFrame(): SplitFrame | undefined {
    const octets = this.#octets;
    if (octets.length < WRAPPER_HEADER_LENGTH) return undefined;
    const length = WRAPPER_HEADER_LENGTH + (((octets[6] ?? 0) << 8) | (octets[7] ?? 0));
    return octets.length < length ? undefined : this.#take(length, "wrapper");
  }

  #hdlcFrame(): SplitFrame | undefined {
    const octets = this.#octets;
    let start = 0;
    // Flags alone are fill.
    while (octets[start + 1] === FLAG) start++;
    if (start > 0) this.#drop(start);
    const [, high, low] = this.#octets;
    if (high === undefined) return undefined;
    if (high >> 4 !== HDLC_TYPE) return this.#upToFlag();
    if (low === undefined) return undefined;
    const close = 1 + (((high & LENGTH_HIGH) << 8) | low);
    if (this.#octets.length <= close) return undefined;
    if (this.#octets[close] !== FLAG) return this.#upToFlag();
    const frame = this.#take(close + 1, "hdlc");
    // The closing flag may open the next one.
    const next = this.#octets[0];
    if (next !== undefined && next >> 4 === HDLC_TYPE) this.#putBackFlag();
    return frame;
  }

  /** A flag that begins no frame: all up to the next flag is damage. */
  #upToFlag(): SplitFrame {
    const end = this.#octets.indexOf(FLAG, 1);
    return this.#take(end < 0 ? this.#octets.length : end, "octets");
  }

  #putBackFlag(): void {
    this.#octets = joinOctets([Uint8Array.of(FLAG), this.#octets]);
    this.#isBlanked = joinOctets([Uint8Array.of(0), this.#isBlanked]);
  }

  #take(length: number, link: FrameLink): SplitFrame {
    const frame = {
      link,
      octets: this.#octets.subarray(0, length),
      isBlanked: this.#isBlanked.subarray(0, length).includes(1),
    };
    this.#drop(length);
    return frame;
  }

  #drop(length: number): void {
    this.#octets = this.#octets.subarray(length);
    this.#isBlanked = this.#isBlanked.subarray(length);
  }
}

function linkOf(octets: Uint8Array): FrameLink {
  // Sign-ons and readouts have seven bits and parity.
  const isText = octets.every((octet) => {
    const character = octet & SEVEN_BITS;
    return (character >= FIRST_PRINTABLE && character !== SEVEN_BITS) || TEXT_CONTROLS.has(character);
  });
  return isText ? "text" : "octets";
}
