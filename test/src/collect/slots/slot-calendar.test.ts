import fc from "fast-check";
import { expect, test } from "vitest";
import { namedZone, UTC } from "../../../../protocol/cosem/time-zone.ts";
import { SettledSlots } from "../../../../src/collect/slots/settled-slots.ts";
import {
  placeOf,
  type SlotRule,
  slotAfter,
  slotOf,
  slotsBetween,
  slotUpTo,
} from "../../../../src/collect/slots/slot-calendar.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const VIENNA = namedZone("Europe/Vienna");

function iso(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16);
}

function count(rule: SlotRule, afterMs: number, toMs: number): number {
  return Array.from(slotsBetween(rule, afterMs, toMs)).length;
}

test("slots: a day of 23 hours has 92 quarters, one of 25 hours has 100", () => {
  const rule = { intervalS: 900, zone: VIENNA };
  const days = [
    Date.UTC(2026, 2, 28, 23),
    Date.UTC(2026, 2, 29, 22),
    Date.UTC(2026, 9, 24, 22),
    Date.UTC(2026, 9, 25, 23),
  ];
  expect(count(rule, days[0] ?? 0, days[1] ?? 0)).toBe(92);
  expect(count(rule, days[2] ?? 0, days[3] ?? 0)).toBe(100);
});

test("slots: hours lie where the meter's own clock has them", () => {
  const rule = { intervalS: 3600, zone: namedZone("Asia/Kolkata") };
  expect(iso(slotAfter(rule, Date.UTC(2026, 0, 1)))).toBe("2026-01-01T00:30");
  expect(iso(slotUpTo(rule, Date.UTC(2026, 0, 1)))).toBe("2025-12-31T23:30");
  expect(placeOf(rule, Date.UTC(2026, 0, 1, 0, 30))).toEqual({ day: Date.UTC(2026, 0, 1) / DAY_MS, bit: 0 });
});

test("slots: midnights and billing dates move with daylight saving", () => {
  const midnights = { intervalS: 86_400, zone: VIENNA };
  expect(Array.from(slotsBetween(midnights, Date.UTC(2026, 2, 28), Date.UTC(2026, 2, 31)), iso)).toEqual([
    "2026-03-28T23:00",
    "2026-03-29T22:00",
    "2026-03-30T22:00",
  ]);
  const billing = { intervalS: 0, zone: VIENNA, billingDay: 15 };
  expect(Array.from(slotsBetween(billing, Date.UTC(2026, 1, 1), Date.UTC(2026, 4, 1)), iso)).toEqual([
    "2026-02-14T23:00",
    "2026-03-14T23:00",
    "2026-04-14T22:00",
  ]);
  expect(iso(slotUpTo(billing, Date.UTC(2026, 3, 14, 21, 59)))).toBe("2026-03-14T23:00");
  expect(placeOf(billing, Date.UTC(2026, 3, 14, 22))).toEqual({ day: Date.UTC(2026, 0, 1) / DAY_MS, bit: 3 });
  expect(placeOf(midnights, Date.UTC(2026, 2, 28, 23))).toEqual({ day: Date.UTC(2026, 0, 1) / DAY_MS, bit: 87 });
});

test("slots: a stamp a little beside its slot counts for it, one far from all slots for none", () => {
  const rule = { intervalS: 900, zone: UTC };
  const slot = Date.UTC(2026, 0, 1, 12);
  expect(slotOf(rule, slot + 3000)).toBe(slot);
  expect(slotOf(rule, slot - 60_000)).toBe(slot);
  expect(slotOf(rule, slot + 61_000)).toBeUndefined();
  expect(slotOf({ intervalS: 60, zone: UTC }, slot + 15_000)).toBe(slot);
  expect(slotOf({ intervalS: 60, zone: UTC }, slot + 16_000)).toBeUndefined();
  const midnights = { intervalS: 86_400, zone: VIENNA };
  expect(slotOf(midnights, Date.UTC(2026, 2, 28, 23, 59))).toBe(Date.UTC(2026, 2, 28, 23));
  expect(slotOf(midnights, Date.UTC(2026, 2, 29, 12))).toBeUndefined();
});

test("slots: after and up to agree, whatever zone and interval", () => {
  const zones = ["UTC", "Europe/Vienna", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe"].map(namedZone);
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.constantFrom(60, 300, 900, 1200, 1800, 3600, 7200, 86_400, 0),
      fc.integer({ min: Date.UTC(2025, 0, 1) / 1000, max: Date.UTC(2027, 0, 1) / 1000 }),
      (zone, intervalS, atS) => {
        const rule = { intervalS, zone };
        const next = slotAfter(rule, atS * 1000);
        expect(next).toBeGreaterThan(atS * 1000);
        expect(slotUpTo(rule, next)).toBe(next);
        expect(slotUpTo(rule, next - 1)).toBeLessThan(next);
        expect(slotOf(rule, next)).toBe(next);
      },
    ),
    { numRuns: 400 },
  );
});

function slotMs(slot: number): number {
  return slot * 900_000;
}

test("settled slots: what is open is what was not settled, in any order of settling", () => {
  const rule = { intervalS: 900, zone: UTC };
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(40), fc.nat(6)), { maxLength: 12 }), fc.nat(45), (ranges, now) => {
      const settled = new SettledSlots(slotMs(0));
      const open = new Set(Array.from({ length: 60 }, (_, slot) => slot + 1));
      for (const [from, length] of ranges) {
        settled.add(rule, { fromMs: slotMs(from), toMs: slotMs(from + length) });
        for (let slot = from; slot <= from + length; slot++) open.delete(slot);
      }
      const found = settled
        .open(rule, slotMs(now))
        .flatMap(({ fromMs, toMs }) => Array.from(slotsBetween(rule, fromMs - 1, toMs), (ms) => ms / 900_000));
      expect(found).toEqual(Array.from(open).filter((slot) => slot <= now));
    }),
    { numRuns: 300 },
  );
});

test("settled slots: what the meter has overwritten is asked for no more", () => {
  const rule = { intervalS: 900, zone: UTC };
  const settled = new SettledSlots(0);
  settled.add(rule, { fromMs: 20 * 900_000, toMs: 22 * 900_000 });
  settled.forgetBefore(rule, 10 * 900_000);
  expect(settled.open(rule, 24 * 900_000)).toEqual([
    { fromMs: 11 * 900_000, toMs: 19 * 900_000 },
    { fromMs: 23 * 900_000, toMs: 24 * 900_000 },
  ]);
});
