/**
 * Receives what meters push without being asked on lines that carry nothing else: HDLC frames of whatever control field,
 * M-Bus frames, telegrams of a P1 port, or bare APDUs. It never sends by itself. Pushes over the wrapper come through a server's `WrapperLink`, pushes in
 * between answers through `HdlcClient`. General block transfer is undone by the APDU layer.
 */
import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { earlier } from "../machine.ts";
import type { Quirk } from "../quirks.ts";
import { HdlcFrameParser } from "./hdlc/frame-parser.ts";
import { SEGMENT_TIMEOUT_MS, UnnumberedAssembler } from "./hdlc/unnumbered.ts";
import { P1Pushes } from "./iec62056-21/p1-pushes.ts";
import type { Link, LinkCommand, LinkEvent, LinkUnit } from "./link.ts";
import { MbusParser } from "./mbus.ts";
import { MbusAssembler } from "./mbus-assembler.ts";
import { OctetBuffer } from "./octet-buffer.ts";

const INTER_OCTET_TIMEOUT_MS = 2000;
/** Bare APDUs have no end of their own: silence ends them. */
const RAW_SILENCE_MS = 500;

export type PushFraming = "hdlc" | "mbus" | "p1" | "raw";

export interface PushSaps {
  readonly sourceSap: number;
  readonly destinationSap: number;
}

/** A push comes from the management logical device for the client that IDIS and Austrian meters push to. */
const PUSH_SAPS: PushSaps = { sourceSap: 1, destinationSap: 103 };

export interface PushReceiverSettings {
  readonly framing: PushFraming;
  /** Silence between the segments of an APDU after which it is given up; at least 4000 for some meters. */
  readonly segmentTimeoutMs?: number;
  /** Silence within a frame after which it is given up; for bare APDUs, the silence that ends one. */
  readonly interOctetTimeoutMs?: number;
  /** The SAPs that events name when the framing has none; 1 and 103 when left out. */
  readonly saps?: PushSaps;
  /** Deviations of the frame format that the meters on this line are known for. */
  readonly tolerate?: ReadonlySet<Quirk>;
}

/** Octets to APDUs: what the three framings have in common. */
interface PushAssembler {
  /** Whether a frame, or a bare APDU, has begun and not ended. */
  readonly pending: boolean;
  receive(octets: Uint8Array, nowMs: number): void;
  timeout(nowMs: number): void;
  /** Gives up, or ends, what silence within a frame ends. */
  stall(nowMs: number): void;
  /** Gives up everything that is not whole. */
  flush(nowMs: number): void;
  takeUnit(): LinkUnit | undefined;
  deadlineMs(): number | undefined;
  /** Left out where nobody can be answered. */
  answer?(apdu: Uint8Array, unit: PushSaps): Uint8Array | undefined;
}

export class PushReceiver implements Link {
  readonly #assembler: PushAssembler;
  readonly #interOctetTimeoutMs: number;
  readonly #events: LinkEvent[] = [];
  #stalledAtMs: number | undefined;
  #open = false;

  constructor(settings: PushReceiverSettings) {
    const silenceMs = settings.framing === "raw" ? RAW_SILENCE_MS : INTER_OCTET_TIMEOUT_MS;
    this.#interOctetTimeoutMs = settings.interOctetTimeoutMs ?? silenceMs;
    this.#assembler = createAssembler(settings);
  }

  command(command: LinkCommand, nowMs: number): void {
    switch (command.type) {
      case "open":
        if (this.#open) throw new DlmsError("LINK_STATE", "caller", { order: "open", state: "open" });
        this.#open = true;
        this.#events.push({ type: "opened" });
        return;
      case "send":
        throw new DlmsError("LINK_STATE", "caller", { order: "send", state: "receiving pushes only" });
      case "close":
        this.#end("local", nowMs);
        return;
      case "channelEnded":
        this.#end("peer", nowMs);
        return;
    }
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    this.#assembler.receive(bytes, nowMs);
    this.#drain();
    this.#stalledAtMs = this.#assembler.pending ? nowMs + this.#interOctetTimeoutMs : undefined;
  }

  timeout(nowMs: number): void {
    if (this.#stalledAtMs !== undefined && nowMs >= this.#stalledAtMs) {
      this.#assembler.stall(nowMs);
      this.#stalledAtMs = undefined;
    }
    this.#assembler.timeout(nowMs);
    this.#drain();
  }

  /** Nothing is ever sent. */
  takeBytes(): undefined {
    return undefined;
  }

  takeEvent(): LinkEvent | undefined {
    return this.#events.shift();
  }

  /** The octets that carry an APDU to the sender of a unit; undefined where the framing has no way back. */
  answer(apdu: Uint8Array, unit: PushSaps): Uint8Array | undefined {
    return this.#assembler.answer?.(apdu, unit);
  }

  deadlineMs(): number | undefined {
    return earlier(this.#stalledAtMs, this.#assembler.deadlineMs());
  }

  #drain(): void {
    for (let unit = this.#assembler.takeUnit(); unit; unit = this.#assembler.takeUnit()) this.#events.push(unit);
  }

  #end(reason: "local" | "peer", nowMs: number): void {
    this.#assembler.flush(nowMs);
    this.#drain();
    this.#stalledAtMs = undefined;
    if (!this.#open) return;
    this.#open = false;
    this.#events.push({ type: "closed", reason });
  }
}

function createAssembler(settings: PushReceiverSettings): PushAssembler {
  const { framing, segmentTimeoutMs = SEGMENT_TIMEOUT_MS, saps = PUSH_SAPS, tolerate } = settings;
  switch (framing) {
    case "hdlc":
      return new FramedPushes(new HdlcFrameParser(tolerate), new UnnumberedAssembler(segmentTimeoutMs));
    case "mbus":
      return new FramedPushes(new MbusParser(), new MbusAssembler(segmentTimeoutMs, saps));
    case "p1":
      return new P1Pushes(saps);
    case "raw":
      return new RawPushAssembler(saps);
  }
}

interface FrameUnit {
  readonly type: "frame";
  readonly octets: Uint8Array;
}

/** Cuts octets into frames. */
interface FrameParser<Unit extends FrameUnit> {
  readonly pending: boolean;
  receive(octets: Uint8Array): void;
  flush(): void;
  takeUnit(): Unit | Extract<LinkUnit, { type: "discarded" }> | undefined;
}

/** Joins frames to APDUs. */
interface FrameJoiner<Unit extends FrameUnit> {
  receive(unit: Unit, nowMs: number): void;
  timeout(nowMs: number): void;
  flush(): void;
  takeUnit(): LinkUnit | undefined;
  deadlineMs(): number | undefined;
  answer?(apdu: Uint8Array, unit: PushSaps): Uint8Array | undefined;
}

class FramedPushes<Unit extends FrameUnit> implements PushAssembler {
  readonly #parser: FrameParser<Unit>;
  readonly #joiner: FrameJoiner<Unit>;
  readonly #units: LinkUnit[] = [];

  constructor(parser: FrameParser<Unit>, joiner: FrameJoiner<Unit>) {
    this.#parser = parser;
    this.#joiner = joiner;
  }

  get pending(): boolean {
    return this.#parser.pending;
  }

  receive(octets: Uint8Array, nowMs: number): void {
    this.#parser.receive(octets);
    this.#drain(nowMs);
  }

  timeout(nowMs: number): void {
    this.#joiner.timeout(nowMs);
    this.#collect();
  }

  stall(nowMs: number): void {
    this.#parser.flush();
    this.#drain(nowMs);
  }

  flush(nowMs: number): void {
    this.stall(nowMs);
    this.#joiner.flush();
    this.#collect();
  }

  takeUnit(): LinkUnit | undefined {
    return this.#units.shift();
  }

  deadlineMs(): number | undefined {
    return this.#joiner.deadlineMs();
  }

  answer(apdu: Uint8Array, unit: PushSaps): Uint8Array | undefined {
    return this.#joiner.answer?.(apdu, unit);
  }

  #drain(nowMs: number): void {
    for (let unit = this.#parser.takeUnit(); unit; unit = this.#parser.takeUnit()) {
      if (unit.type === "discarded") this.#units.push(unit);
      else this.#joiner.receive(unit, nowMs);
      this.#collect();
    }
  }

  #collect(): void {
    for (let unit = this.#joiner.takeUnit(); unit; unit = this.#joiner.takeUnit()) this.#units.push(unit);
  }
}

class RawPushAssembler implements PushAssembler {
  readonly #saps: PushSaps;
  readonly #buffer = new OctetBuffer();
  readonly #units: LinkUnit[] = [];

  constructor(saps: PushSaps) {
    this.#saps = saps;
  }

  get pending(): boolean {
    return this.#buffer.length > 0;
  }

  receive(octets: Uint8Array): void {
    this.#buffer.append(octets);
    if (this.#buffer.length <= LIMITS.unnumberedLength) return;
    const error = new DlmsError("LENGTH_OVER_LIMIT", "peer", { limit: LIMITS.unnumberedLength });
    this.#units.push({ type: "discarded", octets: this.#buffer.take(this.#buffer.length), error });
  }

  timeout(): void {
    // Bare APDUs have no segments; only silence counts.
  }

  stall(): void {
    if (!this.pending) return;
    this.#units.push({ type: "apdu", apdu: this.#buffer.take(this.#buffer.length), ...this.#saps });
  }

  flush(): void {
    this.stall();
  }

  takeUnit(): LinkUnit | undefined {
    return this.#units.shift();
  }

  deadlineMs(): undefined {
    return undefined;
  }
}
