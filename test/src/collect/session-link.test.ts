import { expect, test } from "vitest";
import { toHex } from "../../../protocol/bytes/hex.ts";
import { sessionLink } from "../../../src/collect/session-link.ts";
import { meterSchema } from "../../../src/config/schema.ts";

function sent(connection: object): string {
  const parsed = meterSchema.parse({ name: "m", number: "1", connection: { tcp: "192.0.2.7:4059", ...connection } });
  const link = sessionLink(parsed.connection, parsed.association);
  link.command({ type: "open" }, 0);
  link.command({ type: "send", apdu: Uint8Array.of(0xc0) }, 0);
  return toHex(link.takeBytes() ?? new Uint8Array(0));
}

test("session link: a meter behind a gateway gets the gateway's header", () => {
  expect(sent({})).toBe("0001001000010001c0");
  expect(sent({ gateway: { device: "SMT7" } })).toBe("0001001000010008e60004534d5437c0");
  expect(sent({ gateway: { network: 3, device: "0x0A0b" } })).toBe("0001001000010006e603020a0bc0");
});

test.each(["", "0x", "0x123", "0xzz"])("session link: %j is no device address", (device) => {
  const connection = { tcp: "192.0.2.7:4059", gateway: { device } };
  expect(meterSchema.safeParse({ name: "m", number: "1", connection }).success).toBe(false);
});
