import { expect, test } from "vitest";
import { ClientAssociation } from "../../../protocol/association/client.ts";
import type { ClientEvent } from "../../../protocol/association/client-events.ts";
import type { ClientSettings } from "../../../protocol/association/client-settings.ts";
import { conformanceFromNumber } from "../../../protocol/ber/conformance.ts";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";

const ascii = (text: string) => new TextEncoder().encode(text);

function plainSettings(over: Partial<ClientSettings> = {}): ClientSettings {
  return {
    authentication: { mechanism: "lowest" },
    challenge: () => ascii("K56iVagY"),
    conformance: conformanceFromNumber(0x007e1f),
    maxReceivePduSize: 1200,
    responseTimeoutMs: 1000,
    ...over,
  };
}

class Bench {
  readonly client: ClientAssociation;
  nowMs = 0;

  constructor(settings: ClientSettings) {
    this.client = new ClientAssociation(settings);
  }

  order(command: Parameters<ClientAssociation["command"]>[0]): string {
    this.client.command(command, this.nowMs);
    return this.sent();
  }

  sent(): string {
    const pieces: string[] = [];
    for (let bytes = this.client.takeBytes(); bytes; bytes = this.client.takeBytes()) pieces.push(toHex(bytes));
    return pieces.join(" ");
  }

  hear(hex: string): ClientEvent[] {
    this.client.receive(fromHex(hex), this.nowMs);
    return this.events();
  }

  events(): ClientEvent[] {
    const events: ClientEvent[] = [];
    for (let event = this.client.takeEvent(); event; event = this.client.takeEvent()) events.push(event);
    return events;
  }
}

const hex = (text: string) => text.replaceAll(" ", "").toLowerCase();
const AARE = "6129A109060760857405080101A203020100A305A103020100BE10040E0800065F1F0400007E1F01F40007";

// Green Book style examples, reference/apdu.md 5.1 and 6.4.
test("client: the AARQ without security, and the association that follows", () => {
  const bench = new Bench(plainSettings({ challenge: () => ascii("unused--") }));
  expect(bench.order({ type: "associate" })).toBe(
    hex("60 1D A1 09 06 07 60857405080101 BE 10 04 0E 01 00 00 00 06 5F1F0400 007E1F 04B0"),
  );
  expect(bench.client.state).toBe("associating");
  expect(bench.hear(AARE)).toEqual([
    {
      type: "associated",
      agreement: {
        conformance: conformanceFromNumber(0x007e1f),
        serverMaxReceivePduSize: 500,
        dlmsVersion: 6,
        serverSystemTitle: undefined,
      },
    },
  ]);
  expect(bench.client.deadlineMs()).toBeUndefined();
});

// The Gurux Java server counts 17 octets where 21 follow, and 15 where 16 do.
test("client: an RLRE with wrong lengths still ends the association", () => {
  const bench = new Bench(plainSettings());
  bench.order({ type: "associate" });
  bench.hear(AARE);
  bench.order({ type: "release" });
  expect(bench.hear("6311800100be0f040e0800065f1f040000001004000007")).toEqual([
    { type: "leniency", name: "rlre-malformed" },
    { type: "released", answer: "rlre" },
  ]);
  expect(bench.client.state).toBe("idle");
});
