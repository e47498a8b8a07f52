/** Sequence numbers and segments of both directions of a numbered link, the same for client and server. */
import { DlmsError } from "../../errors.ts";
import { OctetBuffer } from "../octet-buffer.ts";
import { sequenceAfter, sequenceDistance } from "./control.ts";

export interface Segment {
  readonly ns: number;
  readonly information: Uint8Array;
  /** More segments of the same APDU follow. */
  readonly more: boolean;
}

/** The segments of APDUs on their way out: what is sent but not acknowledged can be sent again, with the same number. */
export class SendWindow {
  #segments: Omit<Segment, "ns">[] = [];
  /** The number of the first segment in the list: V(S) less what is not acknowledged. */
  #base = 0;
  /** Segments at the front that are on their way since the last rewind. */
  #sent = 0;
  /** Segments at the front that have been on their way at least once; the peer may acknowledge any of them. */
  #everSent = 0;

  /** Segments that are not acknowledged, sent or not. */
  get pending(): number {
    return this.#segments.length;
  }

  /** Segments that are sent and not acknowledged. */
  get outstanding(): number {
    return this.#sent;
  }

  /** V(S): the number of the next segment. */
  get next(): number {
    return sequenceAfter(this.#base, this.#sent);
  }

  reset(): void {
    this.#segments = [];
    this.#base = 0;
    this.#sent = 0;
    this.#everSent = 0;
  }

  /** Cuts the information, LLC included, into segments; they are views into it. */
  load(information: Uint8Array, maxInfoLength: number): void {
    for (let from = 0; from < information.length; from += maxInfoLength) {
      const to = Math.min(from + maxInfoLength, information.length);
      this.#segments.push({ information: information.subarray(from, to), more: to < information.length });
    }
  }

  /** The segments that the window lets out now; they count as sent. */
  take(windowSize: number): Segment[] {
    const to = Math.min(windowSize, this.#segments.length);
    const ready = this.#segments.slice(this.#sent, to);
    const first = sequenceAfter(this.#base, this.#sent);
    this.#sent = Math.max(this.#sent, to);
    this.#everSent = Math.max(this.#everSent, this.#sent);
    return ready.map(({ information, more }, index) => ({ ns: sequenceAfter(first, index), information, more }));
  }

  /** Takes the peer's N(R): everything before it has arrived. */
  acknowledge(nr: number): "advanced" | "same" | "invalid" {
    const count = sequenceDistance(this.#base, nr);
    if (count > this.#everSent) return "invalid";
    if (count === 0) return "same";
    this.#segments.splice(0, count);
    this.#base = nr;
    this.#sent = Math.max(0, this.#sent - count);
    this.#everSent -= count;
    return "advanced";
  }

  /** Everything sent has arrived, whatever numbers the peer uses. */
  acknowledgeAll(): "advanced" | "same" {
    const nr = sequenceAfter(this.#base, this.#sent);
    return this.#sent > 0 && this.acknowledge(nr) === "advanced" ? "advanced" : "same";
  }

  /** The peer has the turn back and lacks what it has not acknowledged: that is sent again. */
  rewind(): void {
    this.#sent = 0;
  }
}

export type Received =
  /** The APDU's last segment; the octets, LLC included, belong to the receiver. */
  | { readonly type: "whole"; readonly information: Uint8Array }
  | { readonly type: "part" }
  /** Seen before; must have no effect. */
  | { readonly type: "duplicate" }
  /** One or more before it are missing; it will come again. */
  | { readonly type: "gap" };

/** The way in: orders segments by number, joins them, refuses what has been seen. */
export class ReceiveWindow {
  readonly #maxLength: number;
  readonly #joined = new OctetBuffer();
  #expected = 0;
  #partial = false;

  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /** V(R): the number that is expected next. */
  get expected(): number {
    return this.#expected;
  }

  /** Whether segments of an APDU are held whose end has not come. */
  get partial(): boolean {
    return this.#partial;
  }

  reset(): void {
    this.#expected = 0;
    this.#drop();
  }

  /** Throws LENGTH_OVER_LIMIT when the joined APDU gets too long. */
  accept(segment: Segment, windowSize: number): Received {
    const ahead = sequenceDistance(this.#expected, segment.ns);
    if (ahead > 0) return { type: ahead < windowSize ? "gap" : "duplicate" };
    const length = this.#joined.length + segment.information.length;
    if (length > this.#maxLength) {
      this.#drop();
      throw new DlmsError("LENGTH_OVER_LIMIT", "peer", { length, limit: this.#maxLength });
    }
    this.#expected = sequenceAfter(this.#expected);
    this.#joined.append(segment.information);
    this.#partial = segment.more;
    return segment.more ? { type: "part" } : { type: "whole", information: this.#joined.take(length) };
  }

  /** Takes the peer's number as the expected one: for peers whose numbers mean nothing. */
  follow(ns: number): void {
    this.#expected = ns;
  }

  #drop(): void {
    this.#joined.drop(this.#joined.length);
    this.#partial = false;
  }
}
