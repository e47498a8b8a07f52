/**
 * HDLC frames out of a stream; also one whose control field is unknown is a frame. One flag may close a frame and open
 * the next; further flags are fill. A damaged length is caught by the header's check.
 */
import { NO_QUIRKS, type Quirk } from "../../quirks.ts";
import { type FoundUnit, FrameSearch } from "../frame-search.ts";
import type { OctetBuffer } from "../octet-buffer.ts";
import { decodeHdlcFrame, FLAG, type HdlcFrame } from "./frame.ts";

/** `octets` are those from flag to flag. */
export type HdlcUnit = FoundUnit<HdlcFrame>;
export type FrameUnit = Extract<HdlcUnit, { type: "frame" }>;

export class HdlcFrameParser extends FrameSearch<HdlcFrame> {
  constructor(tolerate: ReadonlySet<Quirk> = NO_QUIRKS) {
    super({ isStart: (octet) => octet === FLAG, fill: FLAG, take: (buffer) => takeFrame(buffer, tolerate) });
  }
}

function takeFrame(buffer: OctetBuffer, tolerate: ReadonlySet<Quirk>): HdlcUnit | undefined {
  const view = buffer.view();
  const decoded = decodeHdlcFrame(view, tolerate);
  if (decoded === undefined) return undefined;
  const { frame, closingFlag } = decoded;
  const from = frame.information.byteOffset - view.byteOffset;
  const octets = view.slice(0, closingFlag + 1);
  const information = octets.subarray(from, from + frame.information.length);
  // The closing flag stays: it may open the next frame.
  buffer.drop(closingFlag);
  return { type: "frame", frame: { ...frame, information }, octets };
}
