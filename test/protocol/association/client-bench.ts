import { ClientAssociation } from "../../../protocol/association/client/client.ts";
import type { ClientCommand, ClientEvent, ClientFailure } from "../../../protocol/association/client/client-events.ts";
import type { ClientSettings } from "../../../protocol/association/client/client-settings.ts";
import { conformanceFromNumber } from "../../../protocol/ber/conformance.ts";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { ascii } from "./server-fixture.ts";

export const PLAIN_SETTINGS: ClientSettings = {
  authentication: { mechanism: "none" },
  challenge: () => ascii("K56iVagY"),
  conformance: conformanceFromNumber(0x007e1f),
  maxReceivePduSize: 1200,
  responseTimeoutMs: 1000,
};

/** LN without ciphering, accepted, conformance 007E1F, server PDU size 500 (reference example, conformance widened). */
export const AARE = "6129A109060760857405080101A203020100A305A103020100BE10040E0800065F1F0400007E1F01F40007";

/** A client machine alone: the test plays the server, in hexadecimal. */
export class ClientBench {
  readonly client: ClientAssociation;
  nowMs = 0;

  constructor(over: Partial<ClientSettings> = {}) {
    this.client = new ClientAssociation({ ...PLAIN_SETTINGS, ...over });
  }

  static associated(over: Partial<ClientSettings> = {}, aare = AARE): ClientBench {
    const bench = new ClientBench(over);
    bench.order({ type: "associate" });
    const last = bench.hear(aare).at(-1);
    if (last?.type !== "associated") throw new Error(`no association but ${JSON.stringify(last)}`);
    return bench;
  }

  /** What the order makes the client send. */
  order(command: ClientCommand): string {
    this.client.command(command, this.nowMs);
    return this.sent();
  }

  sent(): string {
    const pieces: string[] = [];
    for (let bytes = this.client.takeBytes(); bytes; bytes = this.client.takeBytes()) pieces.push(toHex(bytes));
    return pieces.join(" ");
  }

  hear(text: string | Uint8Array): ClientEvent[] {
    this.client.receive(typeof text === "string" ? fromHex(text) : text, this.nowMs);
    return this.events();
  }

  events(): ClientEvent[] {
    const events: ClientEvent[] = [];
    for (let event = this.client.takeEvent(); event; event = this.client.takeEvent()) events.push(event);
    return events;
  }

  /** Jumps to the deadline. */
  expire(): ClientEvent[] {
    const deadlineMs = this.client.deadlineMs();
    if (deadlineMs === undefined) throw new Error("nothing is awaited");
    this.nowMs = deadlineMs;
    this.client.timeout(deadlineMs);
    return this.events();
  }
}

export function failureIn(events: readonly ClientEvent[]): ClientFailure | undefined {
  return events.find((event) => event.type === "failed")?.failure;
}

/** Lower case without blanks, as the bench writes it. */
export function hex(text: string): string {
  return text.replaceAll(" ", "").toLowerCase();
}
