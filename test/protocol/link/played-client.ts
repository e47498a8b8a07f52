/** An HDLC client against frames that a test makes by hand. */
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { hdlcAddress } from "../../../protocol/link/hdlc/address.ts";
import { HdlcClient } from "../../../protocol/link/hdlc/client.ts";
import type { HdlcClientSettings } from "../../../protocol/link/hdlc/client-settings.ts";
import { decodeControl } from "../../../protocol/link/hdlc/control.ts";
import { decodeHdlcFrame, encodeHdlcFrame } from "../../../protocol/link/hdlc/frame.ts";
import { DEFAULT_PARAMETERS, encodeParameters, type HdlcParameters } from "../../../protocol/link/hdlc/parameters.ts";
import type { LinkEvent } from "../../../protocol/link/link.ts";

export const UA = "7ea01e210373c37a818012050180060180070400000001080400000001533b7e";
export const RESPONSE = fromHex("e6e700");

/** UA of server 1 to client 16 with these parameters. */
export function uaWith(parameters: Partial<HdlcParameters>): string {
  const information = encodeParameters({ ...DEFAULT_PARAMETERS, ...parameters });
  const route = { destination: hdlcAddress(16), source: hdlcAddress(1) };
  return toHex(encodeHdlcFrame({ ...route, control: decodeControl(0x73), segmented: false, information }));
}

/** A client whose server is played by the test: what it sends is read as control octets in hex. */
export class Played {
  readonly client: HdlcClient;
  nowMs = 0;
  #address;

  constructor(settings: Partial<HdlcClientSettings> = {}) {
    this.client = new HdlcClient({ clientSap: 16, server: hdlcAddress(1), ...settings });
    this.#address = { destination: hdlcAddress(16), source: hdlcAddress(1) };
  }

  /** Opens the link; the server answers with UA and these parameters. */
  open(ua = UA): this {
    this.client.command({ type: "open" }, this.nowMs);
    this.sent();
    this.hears(ua);
    this.events();
    return this;
  }

  send(apdu: string): string[] {
    this.client.command({ type: "send", apdu: fromHex(apdu) }, this.nowMs);
    return this.sent();
  }

  /** Control octets of the frames that the client has sent, with the octets of information. */
  sent(): string[] {
    const frames: string[] = [];
    for (let octets = this.client.takeBytes(); octets; octets = this.client.takeBytes()) {
      const frame = decodeHdlcFrame(octets)?.frame;
      if (frame === undefined) throw new Error("the client sent no frame");
      const control = octets[3 + frame.destination.size + frame.source.size] ?? 0;
      const information = toHex(frame.information);
      frames.push([toHex(Uint8Array.of(control)), frame.segmented ? "+" : "", information].filter(Boolean).join(" "));
    }
    return frames;
  }

  hears(hex: string): string[] {
    this.client.receive(fromHex(hex), this.nowMs);
    return this.sent();
  }

  /** The server sends a frame with this control octet. */
  answers(control: number, information: Uint8Array = new Uint8Array(0), segmented = false): string[] {
    const frame = { ...this.#address, control: decodeControl(control), segmented, information };
    return this.hears(toHex(encodeHdlcFrame(frame)));
  }

  /** Lets the time pass up to the next deadline. */
  waits(): string[] {
    this.nowMs = this.client.deadlineMs() ?? this.nowMs;
    this.client.timeout(this.nowMs);
    return this.sent();
  }

  /** All but progress. */
  events(): LinkEvent[] {
    const events: LinkEvent[] = [];
    for (let event = this.client.takeEvent(); event; event = this.client.takeEvent()) events.push(event);
    return events.filter((event) => event.type !== "progress");
  }

  apdus(): string[] {
    return this.events().map((event) => (event.type === "apdu" ? toHex(event.apdu) : event.type));
  }
}
