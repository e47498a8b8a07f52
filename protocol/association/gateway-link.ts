/**
 * A link through a gateway that stands before several devices (IEC 62056-5-3, gateway protocol): every APDU carries a
 * header that names network and device. What is inside, ciphering and blocks included, is between client and device.
 */

import { decodeApdu, encodeApdu } from "../apdu/apdu.ts";
import { APDUS } from "../apdu/registry.ts";
import { sameOctets } from "../bytes/octets.ts";
import { DlmsError } from "../errors.ts";
import type { Link, LinkCommand, LinkEvent } from "../link/link.ts";

export interface GatewayAddress {
  /** 0..255. */
  readonly networkId: number;
  /** What the gateway knows the device by; often a serial number as text. */
  readonly physicalDeviceAddress: Uint8Array;
}

/** A peer is known that puts the header of a request before its answers: towards a client there is nothing else it could be. */
const HEADERS = {
  client: { sent: "gateway-request", received: new Set(["gateway-response", "gateway-request"]) },
  server: { sent: "gateway-response", received: new Set(["gateway-request"]) },
} as const;
const TAGS: ReadonlySet<number> = new Set([APDUS["gateway-request"][0], APDUS["gateway-response"][0]]);

/** Puts the header of one device around the APDUs of another link. */
export class GatewayLink implements Link {
  readonly #link: Link;
  readonly #address: GatewayAddress;
  readonly #headers: (typeof HEADERS)["client" | "server"];

  constructor(link: Link, role: "client" | "server", address: GatewayAddress) {
    this.#link = link;
    this.#address = address;
    this.#headers = HEADERS[role];
  }

  command(command: LinkCommand, nowMs: number): void {
    if (command.type !== "send") {
      this.#link.command(command, nowMs);
      return;
    }
    const apdu = encodeApdu({ apdu: this.#headers.sent, body: { ...this.#address, carriedApdu: command.apdu } });
    this.#link.command({ ...command, apdu }, nowMs);
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    this.#link.receive(bytes, nowMs);
  }

  timeout(nowMs: number): void {
    this.#link.timeout(nowMs);
  }

  takeBytes(): Uint8Array | undefined {
    return this.#link.takeBytes();
  }

  takeEvent(): LinkEvent | undefined {
    const event = this.#link.takeEvent();
    return event?.type === "apdu" ? this.#opened(event) : event;
  }

  deadlineMs(): number | undefined {
    return this.#link.deadlineMs();
  }

  /** To a client, an APDU without header comes from the gateway itself: it may say that the device can't be reached. */
  #opened(event: Extract<LinkEvent, { type: "apdu" }>): LinkEvent {
    const [tag] = event.apdu;
    const bare = tag === undefined || !TAGS.has(tag);
    if (bare && this.#headers === HEADERS.client) return event;
    try {
      return { ...event, apdu: this.#carried(event.apdu) };
    } catch (error) {
      if (!(error instanceof DlmsError)) throw error;
      return { type: "discarded", octets: event.apdu, error };
    }
  }

  #carried(octets: Uint8Array): Uint8Array {
    const apdu = decodeApdu(octets);
    const { networkId, physicalDeviceAddress } = this.#address;
    const isHeader = apdu.apdu === "gateway-request" || apdu.apdu === "gateway-response";
    if (!isHeader || !this.#headers.received.has(apdu.apdu)) {
      throw new DlmsError("FRAME_NOT_FOR_US", "peer", { apdu: apdu.apdu });
    }
    const { body } = apdu;
    if (body.networkId !== networkId || !sameOctets(body.physicalDeviceAddress, physicalDeviceAddress)) {
      throw new DlmsError("FRAME_NOT_FOR_US", "peer", { networkId: body.networkId, expected: networkId });
    }
    return body.carriedApdu;
  }
}
