/**
 * One line on which a meter pushes, when nobody has said what it speaks: the first octets tell wrapper, HDLC, M-Bus or
 * bare APDUs apart, and that link then takes all octets. Octets that are none of these go on as one APDU, so that they
 * end in the record with a reason and not in nothing.
 */

import { LIMITS } from "../../protocol/limits.ts";
import { detectStream } from "../../protocol/link/detection.ts";
import type { Link, LinkCommand, LinkEvent } from "../../protocol/link/link.ts";
import { type PushFraming, PushReceiver } from "../../protocol/link/push-receiver.ts";
import { WrapperLink } from "../../protocol/link/wrapper-link.ts";

/** Framing of everything that is not the wrapper; what is not known is taken as bare octets. */
const FRAMINGS: Readonly<Record<string, PushFraming>> = { hdlc: "hdlc", mbus: "mbus" };

export class PushLine implements Link {
  #link: Link | undefined;
  #head = new Uint8Array(0);

  command(command: LinkCommand, nowMs: number): void {
    this.#link?.command(command, nowMs);
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    if (this.#link !== undefined) {
      this.#link.receive(bytes, nowMs);
      return;
    }
    const head = new Uint8Array(this.#head.length + bytes.length);
    head.set(this.#head);
    head.set(bytes, this.#head.length);
    const kind = detectStream(head);
    if (kind === undefined && head.length < LIMITS.apduLength) {
      this.#head = head;
      return;
    }
    const framing = FRAMINGS[kind ?? ""] ?? "raw";
    this.#link = kind === "wrapper" ? new WrapperLink({ role: "server" }) : new PushReceiver({ framing });
    this.#link.command({ type: "open" }, nowMs);
    this.#link.receive(head, nowMs);
  }

  timeout(nowMs: number): void {
    this.#link?.timeout(nowMs);
  }

  takeBytes(): Uint8Array | undefined {
    return this.#link?.takeBytes();
  }

  takeEvent(): LinkEvent | undefined {
    return this.#link?.takeEvent();
  }

  deadlineMs(): number | undefined {
    return this.#link?.deadlineMs();
  }
}
