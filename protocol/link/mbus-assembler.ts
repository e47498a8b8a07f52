/**
 * Joins the slices of M-Bus frames to whole APDUs. CI is the transport header (EN 13757-3): bits 0..3 count the slices
 * from 0, so that there are 16 at most, bit 4 marks the last one; STSAP and DTSAP follow in front of the slice. A slice out
 * of sequence costs the APDU.
 */

import { joinOctets } from "../bytes/octets.ts";
import { DlmsError } from "../errors.ts";
import type { LinkUnit } from "./link.ts";
import type { MbusFrame, MbusUnit } from "./mbus.ts";

/** SND-UD with and without the frame count bit. */
const SEND_USER_DATA: ReadonlySet<number> = new Set([0x53, 0x73]);
const SEQUENCE = 0x0f;
const LAST = 0x10;
/** Other bits of CI belong to applications that are not DLMS/COSEM. */
const FOREIGN = 0xe0;

interface HalfApdu {
  readonly parts: Uint8Array[];
  readonly saps: { sourceSap: number; destinationSap: number };
  readonly withSaps: boolean;
  length: number;
  next: number;
  deadlineMs: number;
}

export class MbusAssembler {
  readonly #timeoutMs: number;
  readonly #saps: { readonly sourceSap: number; readonly destinationSap: number };
  readonly #units: LinkUnit[] = [];
  #half: HalfApdu | undefined;

  /** `saps` are those that events name when the meter leaves them out. */
  constructor(timeoutMs: number, saps: { readonly sourceSap: number; readonly destinationSap: number }) {
    this.#saps = saps;
    this.#timeoutMs = timeoutMs;
  }

  receive(unit: Extract<MbusUnit, { type: "frame" }>, nowMs: number): void {
    this.timeout(nowMs);
    const { frame, octets } = unit;
    const { control, controlInformation } = frame;
    if (!SEND_USER_DATA.has(control) || (controlInformation & FOREIGN) !== 0) {
      const error = new DlmsError("FRAME_UNKNOWN", "peer", { control, controlInformation });
      this.#units.push({ type: "discarded", octets, error });
      return;
    }
    const sequence = controlInformation & SEQUENCE;
    if (sequence === 0) this.#drop("SEGMENT_MISSING");
    const half = sequence === 0 ? this.#begin(frame) : this.#half;
    if (half === undefined || half.next !== sequence) {
      this.#drop("SEGMENT_MISSING");
      const error = new DlmsError("SEGMENT_MISSING", "peer", { sequence, wanted: half?.next ?? 0 });
      this.#units.push({ type: "discarded", octets, error });
      return;
    }
    this.#half = half;
    this.#append(half, frame, nowMs);
  }

  timeout(nowMs: number): void {
    if (this.#half !== undefined && nowMs >= this.#half.deadlineMs) this.#drop("FRAME_INCOMPLETE");
  }

  flush(): void {
    this.#drop("FRAME_INCOMPLETE");
  }

  takeUnit(): LinkUnit | undefined {
    return this.#units.shift();
  }

  deadlineMs(): number | undefined {
    return this.#half?.deadlineMs;
  }

  #begin({ payload }: MbusFrame): HalfApdu {
    const [first = 0, second = 0] = payload;
    const withSaps = !beginsPush(first);
    const saps = withSaps ? { sourceSap: first, destinationSap: second } : this.#saps;
    return { parts: [], saps, withSaps, length: 0, next: 0, deadlineMs: 0 };
  }

  #append(half: HalfApdu, frame: MbusFrame, nowMs: number): void {
    const slice = half.withSaps ? frame.payload.subarray(2) : frame.payload;
    half.parts.push(slice);
    half.length += slice.length;
    half.next = (half.next + 1) & SEQUENCE;
    half.deadlineMs = nowMs + this.#timeoutMs;
    if ((frame.controlInformation & LAST) !== 0) {
      this.#half = undefined;
      this.#units.push({ type: "apdu", apdu: joinOctets(half.parts), ...half.saps });
    }
  }

  #drop(code: "SEGMENT_MISSING" | "FRAME_INCOMPLETE"): void {
    const half = this.#half;
    if (half === undefined) return;
    this.#half = undefined;
    const error = new DlmsError(code, "peer", { segments: half.parts.length, octets: half.length });
    this.#units.push({ type: "discarded", octets: joinOctets(half.parts), error });
  }
}

/** Whether the octet is the tag of an APDU that a server sends unasked: no logical device has such a number. */
function beginsPush(octet: number): boolean {
  return octet === 0x0f || octet === 0x18 || octet >= 0xc0;
}
