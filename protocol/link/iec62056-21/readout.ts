/**
 * Readouts of modes A to D (IEC 62056-21, 6.3.4 and 6.4): identification line, then STX, data, `!`, ETX and a block check,
 * or, in mode D, the data without a frame up to `!`. A readout whose check is wrong is discarded, never handed on.
 */
import { DlmsError } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import { blockCheck, blockEnd, isBlockStart } from "./block-check.ts";
import { type DataSets, parseDataSets } from "./data-sets.ts";
import { decodeIdentification, type Identification } from "./sign-on.ts";
import { textOf } from "./text.ts";

interface Readout extends DataSets {
  /** Undefined when the data came without one, as after an acknowledgement. */
  readonly identification: Identification | undefined;
  /** Whether a block check protected the data; mode D has none. */
  readonly checked: boolean;
  /** What the data sets were read from, for `decodeReadout`: from STX to the block check, or the lines up to `!`. */
  readonly octets: Uint8Array;
}

export type ReadoutUnit =
  | { readonly type: "identification"; readonly identification: Identification }
  | { readonly type: "readout"; readonly readout: Readout }
  | { readonly type: "discarded"; readonly octets: Uint8Array; readonly error: DlmsError };

const SLASH = 0x2f;
const LF = 0x0a;
const STX = 0x02;
const ETX = 0x03;
const EOT = 0x04;
/** The end of data without a frame: `!` on a line of its own. */
const END_LINE = /(?:^|[\r\n])!\r?\n$/;
const END_LINE_LENGTH = 4;

/** Reads one framed block, STX up to and including its check. Throws FRAME_CHECK_WRONG, READOUT_INVALID, FRAME_INCOMPLETE. */
export function decodeReadoutBlock(octets: Uint8Array): DataSets {
  if (octets[0] !== STX) throw new DlmsError("READOUT_INVALID", "peer", { offset: 0, wanted: "STX" });
  const end = blockEnd(octets);
  if (end === undefined) throw new DlmsError("FRAME_INCOMPLETE", "peer", { octets: octets.length });
  const check = blockCheck(octets.subarray(1, end - 1));
  if (octets[end - 1] !== check) throw new DlmsError("FRAME_CHECK_WRONG", "peer", { offset: end - 1 });
  return parseDataSets(withoutEndMark(textOf(octets.subarray(1, end - 2))));
}

/** Reads a framed block, or data without a frame. Throws what `decodeReadoutBlock` throws. */
export function decodeReadout(octets: Uint8Array): DataSets {
  return octets[0] === STX ? decodeReadoutBlock(octets) : parseDataSets(withoutEndMark(textOf(octets)));
}

/** Cuts a stream, parity already taken off, into identifications and readouts. Octets outside of both are discarded. */
export class ReadoutParser {
  readonly #units: ReadoutUnit[] = [];
  #octets: number[] = [];
  #inside: "nothing" | "identification" | "block" | "data" = "nothing";
  /** The next octet is the block check. */
  #checkNext = false;
  #identification: Identification | undefined;

  get pending(): boolean {
    return this.#octets.length > 0;
  }

  receive(octets: Uint8Array): void {
    for (const octet of octets) this.#take(octet);
  }

  takeUnit(): ReadoutUnit | undefined {
    return this.#units.shift();
  }

  /** Gives up what is not whole. */
  flush(): void {
    if (this.pending) this.#discard(new DlmsError("FRAME_INCOMPLETE", "peer", { octets: this.#octets.length }));
    this.#identification = undefined;
  }

  #take(octet: number): void {
    const starts = isBlockStart(octet) || (octet === SLASH && this.#octets.at(-1) === LF);
    if (this.#inside === "nothing" || (this.#inside === "data" && starts)) this.#begin(octet);
    this.#octets.push(octet);
    if (this.#octets.length > this.#limit()) {
      this.#discard(new DlmsError("LENGTH_OVER_LIMIT", "peer", { limit: this.#limit() }));
    } else if (this.#checkNext) this.#endBlock();
    else if (this.#inside === "block") this.#checkNext = octet === ETX || octet === EOT;
    else if (octet === LF && this.#inside === "identification") this.#endIdentification();
    else if (octet === LF && this.#inside === "data") this.#endLine();
  }

  #limit(): number {
    return this.#inside === "identification" ? LIMITS.identificationLength : LIMITS.readoutLength;
  }

  /** Decides what the octet begins; noise before it is reported. */
  #begin(octet: number): void {
    const inside = octet === SLASH ? "identification" : isBlockStart(octet) ? "block" : this.#dataOrNothing();
    if (inside !== "nothing" && this.pending)
      this.#discard(new DlmsError("FRAME_INVALID", "peer", { wanted: "start" }));
    this.#inside = inside;
  }

  /** Unframed data follow only an identification; everything else is noise. */
  #dataOrNothing(): "data" | "nothing" {
    return this.#identification === undefined ? "nothing" : "data";
  }

  #endIdentification(): void {
    try {
      this.#identification = decodeIdentification(Uint8Array.from(this.#octets));
      this.#units.push({ type: "identification", identification: this.#identification });
      this.#reset();
    } catch (error) {
      if (!(error instanceof DlmsError)) throw error;
      this.#discard(error);
    }
  }

  #endBlock(): void {
    try {
      this.#deliver(true);
    } catch (error) {
      if (!(error instanceof DlmsError)) throw error;
      this.#discard(error);
    }
  }

  #endLine(): void {
    const text = textOf(Uint8Array.from(this.#octets.slice(-END_LINE_LENGTH)));
    if (!END_LINE.test(text)) return;
    this.#deliver(false);
  }

  #deliver(checked: boolean): void {
    const octets = Uint8Array.from(this.#octets);
    const readout = { ...decodeReadout(octets), identification: this.#identification, checked, octets };
    this.#units.push({ type: "readout", readout });
    this.#identification = undefined;
    this.#reset();
  }

  #discard(error: DlmsError): void {
    this.#units.push({ type: "discarded", octets: Uint8Array.from(this.#octets), error });
    this.#reset();
  }

  #reset(): void {
    this.#octets = [];
    this.#inside = "nothing";
    this.#checkNext = false;
  }
}

function withoutEndMark(text: string): string {
  return text.replace(/![\r\n]*$/, "");
}
