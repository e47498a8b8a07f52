import { expect, test } from "vitest";
import type { DataResult } from "../../../../protocol/apdu/descriptors.ts";
import { forgetOtherMeter } from "../../../../src/collect/read/meter-identity.ts";
import type { AttributeSource } from "../../../../src/collect/session/attribute-source.ts";
import { type MeterTarget, meterTarget } from "../../../../src/collect/session/meter-target.ts";
import { parseConfig } from "../../../../src/config/load.ts";

const HOUR_MS = 3_600_000;

const nothing = () => Promise.reject(new Error("not needed"));

function target(): MeterTarget {
  const { meters } = parseConfig(
    "meters:\n  - { name: a, number: '1', connection: { tcp: '192.0.2.1:4059' } }\n",
    "test",
  );
  const [meter] = meters;
  if (meter === undefined) throw new Error("no meter");
  return meterTarget(meter, { leaseCounters: nothing, openStoredKey: nothing });
}

/** A meter that says the same text of itself to every question, or breaks the session. */
function source(text: () => string): AttributeSource & { asked: number } {
  const meter = {
    asked: 0,
    get: nothing,
    getList: async (references: readonly unknown[]) => {
      meter.asked++;
      const says = text();
      return references.map(
        (): DataResult => ({ type: "data", data: { type: "visible-string", value: new TextEncoder().encode(says) } }),
      );
    },
  };
  return meter;
}

test("meter identity: a connection that was lost once hides no other meter", async () => {
  const meter = target();
  let says = "FIRST";
  let isBroken = false;
  const from = source(() => {
    if (isBroken) throw new Error("connection lost");
    return says;
  });
  await forgetOtherMeter(from, meter, 0);
  meter.ways.set("block_load", { way: "range", proven: true });
  isBroken = true;
  await expect(forgetOtherMeter(from, meter, HOUR_MS)).rejects.toThrow("connection lost");
  isBroken = false;
  says = "SECOND";
  await forgetOtherMeter(from, meter, HOUR_MS + 1);
  expect(meter.ways.size).toBe(0);
});

test("meter identity: a meter whose session the question breaks is spared it for a day", async () => {
  const meter = target();
  const from = source(() => {
    throw new Error("connection lost");
  });
  for (const atMs of [0, 1]) await expect(forgetOtherMeter(from, meter, atMs)).rejects.toThrow("connection lost");
  await forgetOtherMeter(from, meter, HOUR_MS);
  expect(from.asked).toBe(2);
  await expect(forgetOtherMeter(from, meter, 25 * HOUR_MS)).rejects.toThrow("connection lost");
});

test("meter identity: what is kept of a meter does not grow with what it says", async () => {
  const meter = target();
  await forgetOtherMeter(
    source(() => "x".repeat(10_000)),
    meter,
    0,
  );
  const kept = [...(meter.identity?.says.values() ?? [])].join("");
  expect(kept.length).toBeGreaterThan(0);
  expect(kept.length).toBeLessThan(200);
});
