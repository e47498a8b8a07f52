/**
 * Joins UI frames to whole APDUs. Their segments carry no numbers: only the segmentation bit, the LLC header at the start
 * of an APDU and time tell which belong together, so a lost segment in the middle is seen only by the APDU layer.
 */
import { DlmsError } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import { earlier } from "../../machine.ts";
import type { LinkUnit } from "../link.ts";
import { OctetBuffer } from "../octet-buffer.ts";
import { showHdlcAddress } from "./address.ts";
import { encodeHdlcFrame, type HdlcFrame } from "./frame.ts";
import type { FrameUnit } from "./frame-parser.ts";
import { hasLlc, LLC_COMMAND, stripLlc, withLlc } from "./llc.ts";

/** Meters pause up to three seconds between the segments of one push. */
export const SEGMENT_TIMEOUT_MS = 5000;

/** Nothing is negotiated for answers: what every station takes. */
const ANSWER_INFO_LENGTH = 128;

type UnitSaps = Pick<Extract<LinkUnit, { type: "apdu" }>, "sourceSap" | "destinationSap">;

interface HalfApdu {
  readonly joined: OctetBuffer;
  segments: number;
  deadlineMs: number;
  /** The start was lost: what follows is thrown away up to the last segment. */
  headless: boolean;
}

export class UnnumberedAssembler {
  readonly #timeoutMs: number;
  readonly #units: LinkUnit[] = [];
  readonly #partials = new Map<string, HalfApdu>();
  /** Whole addresses of the stations that sent, by their SAPs; the one that was silent longest goes first. */
  readonly #routes = new Map<string, Pick<HdlcFrame, "destination" | "source">>();

  constructor(timeoutMs: number = SEGMENT_TIMEOUT_MS) {
    this.#timeoutMs = timeoutMs;
  }

  /** Takes a frame whose control field the caller does not care for: Kaifa meters push in I frames without any link. */
  receive({ frame, octets }: FrameUnit, nowMs: number): void {
    this.timeout(nowMs);
    if (!carriesApdu(frame)) {
      const error = new DlmsError("FRAME_UNEXPECTED", "peer", { frame: frame.control.type });
      this.#units.push({ type: "discarded", octets, error });
      return;
    }
    const sender = `${showHdlcAddress(frame.source)}>${showHdlcAddress(frame.destination)}`;
    const starts = hasLlc(frame.information);
    if (starts) this.#drop(sender, "SEGMENT_MISSING");
    const partial = this.#partials.get(sender);
    if (partial === undefined && !frame.segmented) this.#deliver(frame, stripLlc(frame.information));
    else this.#append(frame, nowMs, [sender, partial ?? this.#begin(sender, !starts)]);
  }

  timeout(nowMs: number): void {
    for (const [sender, partial] of this.#partials) {
      if (nowMs >= partial.deadlineMs) this.#drop(sender, "FRAME_INCOMPLETE");
    }
  }

  /** Gives up everything that is not whole. */
  flush(): void {
    for (const sender of this.#partials.keys()) this.#drop(sender, "FRAME_INCOMPLETE");
  }

  takeUnit(): LinkUnit | undefined {
    return this.#units.shift();
  }

  deadlineMs(): number | undefined {
    let deadlineMs: number | undefined;
    for (const partial of this.#partials.values()) deadlineMs = earlier(deadlineMs, partial.deadlineMs);
    return deadlineMs;
  }

  #begin(sender: string, headless: boolean): HalfApdu {
    const [oldest] = this.#partials.keys();
    if (oldest !== undefined && this.#partials.size >= LIMITS.halfSenders) this.#drop(oldest, "FRAME_INCOMPLETE");
    const partial = { joined: new OctetBuffer(), segments: 0, deadlineMs: 0, headless };
    this.#partials.set(sender, partial);
    return partial;
  }

  #append(frame: HdlcFrame, nowMs: number, [sender, partial]: [string, HalfApdu]): void {
    partial.joined.append(frame.information);
    partial.segments++;
    partial.deadlineMs = nowMs + this.#timeoutMs;
    if (partial.joined.length > LIMITS.unnumberedLength) this.#drop(sender, "LENGTH_OVER_LIMIT");
    else if (!frame.segmented && partial.headless) this.#drop(sender, "SEGMENT_MISSING");
    else if (!frame.segmented) {
      this.#partials.delete(sender);
      this.#deliver(frame, stripLlc(partial.joined.take(partial.joined.length)));
    }
  }

  #deliver(frame: HdlcFrame, apdu: Uint8Array): void {
    if (apdu.length === 0) return;
    const unit = { sourceSap: frame.source.upper, destinationSap: frame.destination.upper };
    this.#remember(unit, { source: frame.destination, destination: frame.source });
    this.#units.push({ type: "apdu", apdu, ...unit });
  }

  /** The octets of UI frames with an APDU for the sender of a unit; undefined for a sender that is forgotten. */
  answer(apdu: Uint8Array, unit: UnitSaps): Uint8Array | undefined {
    const route = this.#routes.get(nameOf(unit));
    if (route === undefined) return undefined;
    const frames = unnumberedFrames(route, withLlc(LLC_COMMAND, apdu), ANSWER_INFO_LENGTH).map(encodeHdlcFrame);
    const octets = new OctetBuffer();
    for (const frame of frames) octets.append(frame);
    return octets.take(octets.length);
  }

  #remember(unit: UnitSaps, route: Pick<HdlcFrame, "destination" | "source">): void {
    const name = nameOf(unit);
    this.#routes.delete(name);
    const [oldest] = this.#routes.keys();
    if (oldest !== undefined && this.#routes.size >= LIMITS.halfSenders) this.#routes.delete(oldest);
    this.#routes.set(name, route);
  }

  #drop(sender: string, code: "SEGMENT_MISSING" | "FRAME_INCOMPLETE" | "LENGTH_OVER_LIMIT"): void {
    const partial = this.#partials.get(sender);
    if (partial === undefined) return;
    this.#partials.delete(sender);
    const { joined, segments } = partial;
    const error = new DlmsError(code, "peer", { sender, segments, octets: joined.length });
    this.#units.push({ type: "discarded", octets: joined.take(joined.length), error });
  }
}

function nameOf({ sourceSap, destinationSap }: UnitSaps): string {
  return `${sourceSap}>${destinationSap}`;
}

function carriesApdu({ control, information }: HdlcFrame): boolean {
  return information.length > 0 && control.type !== "SNRM" && control.type !== "UA" && control.type !== "FRMR";
}

/** The UI frames that carry the information, segmented where it is longer than one may be. */
export function unnumberedFrames(
  route: Pick<HdlcFrame, "destination" | "source">,
  information: Uint8Array,
  maxInfoLength: number,
): HdlcFrame[] {
  const frames: HdlcFrame[] = [];
  for (let from = 0; from < information.length; from += maxInfoLength) {
    const to = Math.min(from + maxInfoLength, information.length);
    const segmented = to < information.length;
    const control = { type: "UI", pollFinal: !segmented } as const;
    frames.push({ ...route, control, segmented, information: information.subarray(from, to) });
  }
  return frames;
}
