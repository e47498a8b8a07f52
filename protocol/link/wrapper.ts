/**
 * The wrapper of the TCP-UDP transport (IEC 62056-47): version, source and destination wPort, length, APDU.
 *
 * Resynchronisation: octets that don't begin with the version 0001 (modem text, heartbeats) are skipped up to the next
 * 0001 whose wPorts the owner finds plausible; they come out as one `discarded` unit per run, cut at `LIMITS.noiseRun` octets. A
 * PDU that stops half-way can only be given up by time: the owner calls `flush`.
 */

import { newOctets } from "../bytes/octets.ts";
import { Reader } from "../bytes/reader.ts";
import { Writer } from "../bytes/writer.ts";
import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { Queue } from "../queue.ts";
import { OctetBuffer } from "./octet-buffer.ts";

export const WRAPPER_VERSION = 1;
export const WRAPPER_HEADER_LENGTH = 8;
/** The longest APDU that the 16-bit length field can announce. */
const WRAPPER_MAX_APDU_LENGTH = 0xffff;

/** The standard's order of the header's octets, or the other one, which some modems before a meter use. */
export type WrapperByteOrder = "standard" | "reversed";

export interface WrapperPorts {
  readonly sourceWPort: number;
  readonly destinationWPort: number;
}

export interface WrapperPdu extends WrapperPorts {
  readonly apdu: Uint8Array;
}

export type WrapperUnit =
  | ({ readonly type: "pdu" } & WrapperPdu)
  | { readonly type: "discarded"; readonly octets: Uint8Array; readonly error: DlmsError };

/** Header and APDU as one piece of octets. Throws LENGTH_OVER_LIMIT above 65535 octets, LENGTH_INVALID for none. */
export function encodeWrapper(pdu: WrapperPdu, byteOrder: WrapperByteOrder = "standard"): Uint8Array {
  const length = pdu.apdu.length;
  if (length === 0) throw new DlmsError("LENGTH_INVALID", "caller", { length });
  if (length > WRAPPER_MAX_APDU_LENGTH) {
    throw new DlmsError("LENGTH_OVER_LIMIT", "caller", { length, limit: WRAPPER_MAX_APDU_LENGTH });
  }
  const writer = new Writer(WRAPPER_HEADER_LENGTH + length);
  putField(writer, WRAPPER_VERSION, byteOrder);
  putField(writer, pdu.sourceWPort, byteOrder);
  putField(writer, pdu.destinationWPort, byteOrder);
  putField(writer, length, byteOrder);
  return writer.bytes(pdu.apdu).finish();
}

function putField(writer: Writer, field: number, byteOrder: WrapperByteOrder): void {
  writer.u16(byteOrder === "standard" ? field : ((field & 0xff) << 8) | (field >> 8));
}

/** Reads exactly one PDU, as a UDP datagram holds it; `apdu` is a view. Throws for anything else. */
export function decodeWrapper(octets: Uint8Array): WrapperPdu {
  const reader = new Reader(octets);
  const version = reader.u16();
  if (version !== WRAPPER_VERSION) throw new DlmsError("FRAME_INVALID", "peer", { offset: 0, version });
  const sourceWPort = reader.u16();
  const destinationWPort = reader.u16();
  const apdu = reader.bytes(reader.u16());
  reader.end();
  if (apdu.length === 0) throw new DlmsError("LENGTH_INVALID", "peer", { offset: 6, length: 0 });
  return { sourceWPort, destinationWPort, apdu };
}

/** Cuts a stream into wrapper PDUs, however the octets are chunked. */
export class WrapperParser {
  readonly #plausible: (ports: WrapperPorts) => boolean;
  /** Where a field of two octets has its high one. */
  readonly #high: 0 | 1;
  readonly #buffer = new OctetBuffer();
  readonly #units = new Queue<WrapperUnit>();
  /** Octets at the start of the buffer that are known to be noise. */
  #noise = 0;

  /** `plausible` is asked only while hunting for a header after noise. */
  constructor(plausible: (ports: WrapperPorts) => boolean = () => true, byteOrder: WrapperByteOrder = "standard") {
    this.#plausible = plausible;
    this.#high = byteOrder === "standard" ? 0 : 1;
  }

  /** Octets held that have not come out as a unit. */
  get held(): number {
    return this.#buffer.length;
  }

  /** Whether there are any. */
  get pending(): boolean {
    return this.#buffer.length > 0;
  }

  /** Whether a PDU has begun, of which octets are still to come. */
  get inPdu(): boolean {
    return this.#noise === 0 && this.#buffer.length >= WRAPPER_HEADER_LENGTH;
  }

  receive(octets: Uint8Array): void {
    if (!this.pending && this.#takeWhole(octets)) return;
    this.#buffer.append(octets);
    while (this.#step()) {
      // Each step takes one unit out of the buffer or marks one more octet as noise.
    }
  }

  takeUnit(): WrapperUnit | undefined {
    return this.#units.take();
  }

  /** Gives up what is held as one discarded unit. */
  flush(): void {
    if (!this.pending) return;
    const held = this.#buffer.length;
    const error = new DlmsError(this.#noise === held ? "FRAME_INVALID" : "FRAME_INCOMPLETE", "peer", { octets: held });
    this.#noise = 0;
    this.#units.push({ type: "discarded", octets: this.#buffer.take(held), error });
  }

  /** One PDU that came by itself, as nearly all do, needs no buffer. */
  #takeWhole(octets: Uint8Array): boolean {
    const length = octets.length - WRAPPER_HEADER_LENGTH;
    if (length <= 0 || this.#field(octets, 0) !== WRAPPER_VERSION || this.#field(octets, 6) !== length) return false;
    const apdu = newOctets(length);
    apdu.set(octets.subarray(WRAPPER_HEADER_LENGTH));
    const [sourceWPort, destinationWPort] = [this.#field(octets, 2), this.#field(octets, 4)];
    this.#units.push({ type: "pdu", sourceWPort, destinationWPort, apdu });
    return true;
  }

  #field(octets: Uint8Array, at: number): number {
    return (octets[at + this.#high] ?? 0) * 0x100 + (octets[at + 1 - this.#high] ?? 0);
  }

  #step(): boolean {
    const start = this.#noise;
    const buffer = this.#buffer;
    if (buffer.length - start < WRAPPER_HEADER_LENGTH) return this.#skipUnless(this.#versionFits(start));
    const ports = { sourceWPort: this.#u16(start + 2), destinationWPort: this.#u16(start + 4) };
    const hunting = start > 0;
    if (!this.#versionFits(start) || (hunting && !this.#plausible(ports))) return this.#skipUnless(false);
    this.#reportNoise();
    const length = this.#u16(6);
    if (length === 0) {
      const error = new DlmsError("LENGTH_INVALID", "peer", { offset: 6, length });
      this.#units.push({ type: "discarded", octets: buffer.take(WRAPPER_HEADER_LENGTH), error });
      return true;
    }
    if (buffer.length < WRAPPER_HEADER_LENGTH + length) return false;
    buffer.drop(WRAPPER_HEADER_LENGTH);
    this.#units.push({ type: "pdu", ...ports, apdu: buffer.take(length) });
    return true;
  }

  /** Whether what there is at `index` is the version field or may become one. */
  #versionFits(index: number): boolean {
    const [high, low] = [this.#buffer.at(index + this.#high), this.#buffer.at(index + 1 - this.#high)];
    return (high === undefined || high === 0) && (low === undefined || low === WRAPPER_VERSION);
  }

  #skipUnless(fits: boolean): boolean {
    if (fits) return false;
    this.#noise++;
    if (this.#noise >= LIMITS.noiseRun) this.#reportNoise();
    return true;
  }

  #reportNoise(): void {
    if (this.#noise === 0) return;
    const error = new DlmsError("FRAME_INVALID", "peer", { octets: this.#noise });
    this.#units.push({ type: "discarded", octets: this.#buffer.take(this.#noise), error });
    this.#noise = 0;
  }

  #u16(index: number): number {
    return (this.#buffer.at(index + this.#high) ?? 0) * 0x100 + (this.#buffer.at(index + 1 - this.#high) ?? 0);
  }
}
