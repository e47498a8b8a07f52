/**
 * One line on which a meter pushes, when nobody has said what it speaks: the first octets tell wrapper, HDLC, M-Bus or
 * bare APDUs apart, and that link then takes all octets. What modems say before is set aside. Octets that are none of
 * these go on as one APDU, so that they end in the record with a reason and not in nothing.
 */

import { DlmsError } from "../../../protocol/errors.ts";
import { detectStream } from "../../../protocol/link/detection.ts";
import type { Link, LinkCommand, LinkEvent } from "../../../protocol/link/link.ts";
import { type PushFraming, PushReceiver, type PushSaps } from "../../../protocol/link/push-receiver.ts";
import { encodeWrapper } from "../../../protocol/link/wrapper.ts";
import { WrapperLink } from "../../../protocol/link/wrapper-link.ts";
import { beginsBarePush } from "./bare-push.ts";

/** Framing of everything that is not the wrapper; what is not known is taken as bare octets. */
const FRAMINGS: Readonly<Record<string, PushFraming>> = { hdlc: "hdlc", mbus: "mbus", "iec62056-21": "p1" };
/** Octets of a modem's text, or of anything that is not known, before it is taken as bare octets. */
const PREAMBLE_LIMIT = 1024;
/** How long the rest of a beginning is waited for that says nothing yet. */
const PREAMBLE_TIMEOUT_MS = 5000;
const ARRAY = 0x01;
const STRUCTURE = 0x02;
const FLAG = 0x7e;
const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;
/** With which a telegram of a P1 port begins. */
const SLASH = 0x2f;
/** Format type 3 of HDLC, the upper half of the octet after the flag. */
const FORMAT = 0xa0;

export class PushLine implements Link {
  readonly #events: LinkEvent[] = [];
  #link: WrapperLink | PushReceiver | undefined;
  #head = new Uint8Array(0);
  #headDueMs: number | undefined;
  #received = 0;

  /** Octets that have come. */
  get received(): number {
    return this.#received;
  }

  /** The octets that carry an APDU to the sender of a unit; undefined where nobody can be answered. */
  answer(apdu: Uint8Array, unit: PushSaps): Uint8Array | undefined {
    if (this.#link instanceof PushReceiver) return this.#link.answer(apdu, unit);
    return this.#link && answerInWrapper(apdu, unit);
  }

  command(command: LinkCommand, nowMs: number): void {
    if (command.type === "channelEnded" && this.#head.length > 0) this.#begin("apdu", nowMs);
    this.#link?.command(command, nowMs);
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    this.#received += bytes.length;
    if (this.#link !== undefined) {
      this.#link.receive(bytes, nowMs);
      return;
    }
    const head = new Uint8Array(this.#head.length + bytes.length);
    head.set(this.#head);
    head.set(bytes, this.#head.length);
    this.#head = head;
    this.#headDueMs ??= nowMs + PREAMBLE_TIMEOUT_MS;
    this.#detect(nowMs);
  }

  timeout(nowMs: number): void {
    if (this.#headDueMs !== undefined && nowMs >= this.#headDueMs) this.#begin("apdu", nowMs);
    this.#link?.timeout(nowMs);
  }

  takeBytes(): Uint8Array | undefined {
    return this.#link?.takeBytes();
  }

  takeEvent(): LinkEvent | undefined {
    return this.#events.shift() ?? this.#link?.takeEvent();
  }

  deadlineMs(): number | undefined {
    return this.#headDueMs ?? this.#link?.deadlineMs();
  }

  #detect(nowMs: number): void {
    const kind = detectStream(this.#head);
    if (kind === undefined) return;
    if (kind !== "text" || this.#head[0] === ARRAY || this.#head[0] === STRUCTURE) {
      this.#begin(kind, nowMs);
      return;
    }
    if (beginsBarePush(this.#head)) {
      this.#begin("apdu", nowMs);
      return;
    }
    const start = startAfterText(this.#head);
    if (start === undefined) {
      if (this.#head.length > PREAMBLE_LIMIT) this.#begin("apdu", nowMs);
      return;
    }
    const before = this.#head.subarray(0, start);
    if (!before.every(endsLine)) {
      const error = new DlmsError("FRAME_INVALID", "peer", { octets: start });
      this.#events.push({ type: "discarded", octets: before, error });
    }
    this.#head = this.#head.subarray(start);
    this.#begin(detectStream(this.#head) ?? "apdu", nowMs);
  }

  #begin(kind: string, nowMs: number): void {
    const framing = FRAMINGS[kind] ?? "raw";
    const head = this.#head;
    this.#head = new Uint8Array(0);
    this.#headDueMs = undefined;
    this.#link = kind === "wrapper" ? new WrapperLink({ role: "server" }) : new PushReceiver({ framing });
    this.#link.command({ type: "open" }, nowMs);
    this.#link.receive(head, nowMs);
  }
}

/** A PDU of the wrapper with an APDU for the sender of a unit. */
export function answerInWrapper(apdu: Uint8Array, { sourceSap, destinationSap }: PushSaps): Uint8Array {
  return encodeWrapper({ sourceWPort: destinationSap, destinationWPort: sourceSap, apdu });
}

function endsLine(octet: number): boolean {
  return octet === CARRIAGE_RETURN || octet === LINE_FEED;
}

/** Where the wrapper, HDLC or a telegram begins behind text: single octets are too weak a sign there. */
function startAfterText(head: Uint8Array): number | undefined {
  for (let at = 1; at + 1 < head.length; at++) {
    const [first, second = 0] = [head[at], head[at + 1]];
    if ((first === 0 && second === 1) || (first === FLAG && (second & 0xf0) === FORMAT)) return at;
    if (head[at - 1] === LINE_FEED && first === SLASH) return at;
  }
  return undefined;
}
