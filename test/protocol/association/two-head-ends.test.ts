/** Two head ends with the same key, each with titles and counters of its own: a server follows each by its title. */
import { expect, test } from "vitest";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { systemTitle } from "../../../protocol/security/system-title.ts";
import { ApduPair } from "./pair.ts";
import { CLOCK, clientProtection, counter, OPEN_RULE, serverProtection } from "./server-fixture.ts";
import { serve, settingsOf } from "./variants.ts";

const GET = { type: "get", attribute: { classId: 8, logicalName: CLOCK, attributeId: 2 } } as const;

/** Serves one visit of a head end: associates, reads, leaves. */
function visit(rule: Parameters<typeof serve>[0], title: string, next: () => number): string {
  const protection = clientProtection({ ownSystemTitle: systemTitle(fromHex(title)), nextInvocationCounter: next });
  const settings = settingsOf({ protection, ciphering: { request: "authenticated-encrypted" } });
  const pair = new ApduPair(settings, serve(rule).server);
  const last = pair.run({ type: "associate" }).at(-1);
  if (last?.type !== "associated") return last?.type ?? "nothing";
  const { type } = pair.ask(GET);
  pair.run({ type: "release" });
  return type;
}

test("two head ends: one counts from 1, the other from 50,000, and neither shuts the other out", () => {
  const rule = {
    ...OPEN_RULE,
    applicationContexts: ["logical-name-with-ciphering"],
    security: { protection: serverProtection(), lowestCounter: 1 },
  } as const;
  const low = counter(1);
  const high = counter(50_000);
  for (let turn = 0; turn < 3; turn++) {
    expect(visit(rule, "4D4D4D0000000001", high)).toBe("get");
    expect(visit(rule, "4D4D4D0000000002", low)).toBe("get");
  }
  // Who goes back behind its own is refused all the same.
  expect(visit(rule, "4D4D4D0000000001", counter(1))).toBe("failed");
  expect(visit(rule, "4D4D4D0000000002", low)).toBe("get");
});
