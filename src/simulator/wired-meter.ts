/** A virtual meter behind a link, as one machine over octets, with the latency and the faults of its wire. */
import {
  ServerSession,
  type ServerSessionCommand,
  type ServerSessionEvent,
  type ServerSessionSettings,
} from "../../protocol/association/server/server-session.ts";
import { HdlcServer, type HdlcServerSettings } from "../../protocol/link/hdlc/server.ts";
import type { Link } from "../../protocol/link/link.ts";
import { WrapperLink } from "../../protocol/link/wrapper-link.ts";
import type { Machine } from "../../protocol/machine.ts";
import type { FaultEffects } from "./faults.ts";
import { hash } from "./noise.ts";
import { UnnumberedFrames } from "./unnumbered-frames.ts";
import { SERVER_SAP, type VirtualMeter } from "./virtual-meter.ts";

export type MeterLink =
  | { readonly type: "wrapper" }
  | {
      readonly type: "hdlc";
      /** Lower address; without it the server address has one octet. */
      readonly physicalDevice?: number;
      readonly parameters?: HdlcServerSettings["parameters"];
    };

export interface WiredMeterOptions {
  readonly meter: VirtualMeter;
  readonly link: MeterLink;
  /** Time from a request to its answer. */
  readonly latencyMs?: number;
  /** What the meter says to a client between its request and the answer. */
  readonly unasked?: ServerSessionSettings["unasked"];
}

interface Delayed {
  readonly dueMs: number;
  readonly octets: Uint8Array;
}

/** Octets of an answer that the "cut" wire lets pass. */
const CUT_LENGTH = 60;

export class WiredMeter implements Machine<ServerSessionCommand, ServerSessionEvent> {
  readonly #session: ServerSession;
  readonly #latencyMs: number;
  readonly #wire: FaultEffects["wire"];
  readonly #output: Uint8Array[] = [];
  readonly #delayed: Delayed[] = [];
  readonly #unnumbered = new UnnumberedFrames();
  #sent = 0;

  constructor({ meter, link, latencyMs, unasked }: WiredMeterOptions) {
    this.#session = new ServerSession({
      link: linkOf(link),
      serverSap: SERVER_SAP,
      associationServer: (clientSap) => meter.associationServer(clientSap),
      ...(unasked && { unasked }),
    });
    this.#latencyMs = latencyMs ?? 0;
    this.#wire = meter.effects.wire;
  }

  command(command: ServerSessionCommand, nowMs: number): void {
    this.#session.command(command, nowMs);
    this.#collect(nowMs);
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    this.#session.receive(this.#wire === "unnumbered" ? this.#unnumbered.received(bytes) : bytes, nowMs);
    this.#collect(nowMs);
  }

  timeout(nowMs: number): void {
    this.#release(nowMs);
    this.#session.timeout(nowMs);
    this.#collect(nowMs);
  }

  takeBytes(): Uint8Array | undefined {
    return this.#output.shift();
  }

  takeEvent(): ServerSessionEvent | undefined {
    return this.#session.takeEvent();
  }

  deadlineMs(): number | undefined {
    const dueMs = this.#delayed[0]?.dueMs;
    const sessionMs = this.#session.deadlineMs();
    if (dueMs === undefined || sessionMs === undefined) return dueMs ?? sessionMs;
    return Math.min(dueMs, sessionMs);
  }

  #collect(nowMs: number): void {
    for (let octets = this.#session.takeBytes(); octets !== undefined; octets = this.#session.takeBytes()) {
      for (const piece of this.#spoil(octets)) this.#delayed.push({ dueMs: nowMs + this.#latencyMs, octets: piece });
    }
    this.#release(nowMs);
  }

  #release(nowMs: number): void {
    for (let next = this.#delayed[0]; next !== undefined && next.dueMs <= nowMs; next = this.#delayed[0]) {
      this.#output.push(next.octets);
      this.#delayed.shift();
    }
  }

  #spoil(octets: Uint8Array): Uint8Array[] {
    this.#sent++;
    switch (this.#wire) {
      case undefined:
        return [octets];
      case "silent":
        return [];
      case "cut":
        return [octets.subarray(0, octets.length > CUT_LENGTH ? octets.length >> 1 : octets.length)];
      case "unnumbered":
        return [this.#unnumbered.sent(octets)];
      case "noisy": {
        const length = 5 + (hash(this.#sent, 1) % 20);
        return [Uint8Array.from({ length }, (_, index) => 0x80 | hash(this.#sent, 2, index)), octets];
      }
    }
  }
}

function linkOf(link: MeterLink): Link {
  if (link.type === "wrapper") return new WrapperLink({ role: "server" });
  const { physicalDevice, parameters } = link;
  return new HdlcServer({
    logicalDevices: [SERVER_SAP],
    ...(physicalDevice !== undefined && { physicalDevice }),
    ...(parameters && { parameters }),
  });
}
