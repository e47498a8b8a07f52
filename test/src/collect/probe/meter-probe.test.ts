import { expect, test } from "vitest";
import { CLOCK_STATUS, dateTimeAt, encodeDateTime } from "../../../../protocol/cosem/date-time.ts";
import { namedZone } from "../../../../protocol/cosem/time-zone.ts";
import { probeMeter } from "../../../../src/collect/probe/meter-probe.ts";
import type { Attempt } from "../../../../src/collect/probe/probe-findings.ts";
import { clockFindings, identifierText } from "../../../../src/collect/probe/probe-rows.ts";
import { meterTarget } from "../../../../src/collect/session/meter-target.ts";
import { meterSchema } from "../../../../src/config/schema.ts";

const COPENHAGEN = namedZone("Europe/Copenhagen");
const SUMMER = Date.UTC(2026, 6, 1, 12);

function stamp(minutesAhead: number, deviation: number | undefined, status = 0): Uint8Array {
  const wall = dateTimeAt(SUMMER + minutesAhead * 60_000, namedZone("UTC"));
  return encodeDateTime({ ...wall, deviationMinutes: deviation, clockStatus: status });
}

test.each([
  ["right", stamp(120, -120), []],
  ["right, without a deviation", stamp(120, undefined), []],
  ["turned round", stamp(120, 120), ["deviation-inverted"]],
  ["without the season", stamp(120, -60, CLOCK_STATUS.daylightSavingActive), ["deviation-without-season"]],
  ["wrong altogether", stamp(120, 345), ["deviation-wrong"]],
  ["in standard time all year", stamp(60, undefined), ["standard-time-all-year"]],
] as const)("clock findings: a deviation that is %s", (_, octets, quirks) => {
  expect(clockFindings(octets, SUMMER, COPENHAGEN)?.quirks).toEqual(quirks);
});

const nothing = () => Promise.reject(new Error("not asked for"));

test("clock findings: a clock that is simply wrong shows no quirk", () => {
  expect(clockFindings(stamp(5000, -120), SUMMER, COPENHAGEN)).toBeUndefined();
});

function octets(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

test("identifiers: text in any type, without what fills it up", () => {
  expect(identifierText({ type: "octet-string", value: octets("VM0001\0\0") })).toBe("VM0001");
  expect(identifierText({ type: "visible-string", value: octets("A1  ") })).toBe("A1");
  expect(identifierText({ type: "double-long-unsigned", value: 4711 })).toBe("4711");
  expect(identifierText({ type: "octet-string", value: Uint8Array.of(1, 2) })).toBeUndefined();
  expect(identifierText({ type: "octet-string", value: Uint8Array.of(0x00, 0x12, 0x34, 0x56, 0x78) })).toBe(
    "0012345678",
  );
  expect(identifierText({ type: "octet-string", value: Uint8Array.of(0x12, 0x3a, 0x56, 0x78) })).toBeUndefined();
  expect(identifierText({ type: "null-data" })).toBeUndefined();
});

test("probe: where there is no way to the host, no other link is tried", async () => {
  const attempts: Attempt[] = [];
  const findings = await probeMeter({
    target: (attempt) => {
      attempts.push(attempt);
      const config = meterSchema.parse({
        name: "m",
        number: "1",
        connection: { tcp: "127.0.0.1:1", responseTimeout: "200ms", ...attempt.connection },
        association: { ...attempt.association },
      });
      return meterTarget(config, { leaseCounters: nothing, openStoredKey: nothing });
    },
    serial: false,
    linkGiven: false,
    associationGiven: false,
    budgetMs: 1000,
  });
  expect(findings.broken).toMatchObject({ step: "link", cause: "port refused" });
  expect(attempts).toHaveLength(1);
});
