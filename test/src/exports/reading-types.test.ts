import { expect, test } from "vitest";
import { readingTypeOf } from "../../../src/exports/reading-types.ts";
import { PROFILE_COLUMNS } from "../../../src/profiles/columns.ts";

/** As other systems name them: Connexo's tests and NAESB ESPI's enumerations, which are those of the standard. */
const KNOWN = [
  ["active_import", "Wh", "block-load", 900, "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0"],
  ["active_export", "Wh", "block-load", 900, "0.0.2.4.19.1.12.0.0.0.0.0.0.0.0.0.72.0"],
  ["active_import_total", "Wh", "block-load", 900, "0.0.2.1.1.1.12.0.0.0.0.0.0.0.0.0.72.0"],
  ["active_import", "Wh", "block-load", 3600, "0.0.7.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0"],
  ["active_import", "Wh", "daily-load", undefined, "11.0.0.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0"],
  ["active_import_total", "Wh", "instant", undefined, "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.0.72.0"],
  ["active_import_t2", "Wh", "billing", undefined, "8.0.0.1.1.1.12.0.0.0.0.2.0.0.0.0.72.0"],
  ["reactive_q3_total", "varh", "instant", undefined, "0.0.0.1.17.1.12.0.0.0.0.0.0.0.0.0.73.0"],
  ["reactive_import", "varh", "block-load", 1800, "0.0.5.4.5.1.12.0.0.0.0.0.0.0.0.0.73.0"],
  ["demand_active_import_max", "W", "billing", undefined, "8.8.0.6.1.1.8.0.0.0.0.0.0.0.0.0.38.0"],
  ["demand_active_import_max_t1", "W", "billing", undefined, "8.8.0.6.1.1.8.0.0.0.0.1.0.0.0.0.38.0"],
  ["voltage_l1", "V", "instant", undefined, "0.0.0.12.0.1.54.0.0.0.0.0.0.0.129.0.29.0"],
  ["current_l3", "A", "instant", undefined, "0.0.0.12.0.1.4.0.0.0.0.0.0.0.32.0.5.0"],
  ["power_factor", "", "instant", undefined, "0.0.0.12.0.1.38.0.0.0.0.0.0.0.0.0.65.0"],
  ["frequency", "Hz", "block-load", 900, "0.2.2.6.0.1.15.0.0.0.0.0.0.0.0.0.33.0"],
] as const;

test.each(KNOWN)("reading type: %s as %s in %s, interval %s: %s", (...known) => {
  const [name, unit, kind, intervalS, code] = known;
  expect(readingTypeOf({ name, unit }, kind, intervalS)).toBe(code);
});

test("reading type: all of a profile are different, eighteen numbers each", () => {
  for (const [kind, profile] of [
    ["instant", "instant"],
    ["block-load", "block_load"],
    ["billing", "billing"],
  ] as const) {
    const codes = PROFILE_COLUMNS[profile].flatMap((column) => readingTypeOf(column, kind, 900) ?? []);
    expect(new Set(codes).size).toBe(codes.length);
    for (const code of codes) expect(code).toMatch(/^(?:\d+\.){17}\d+$/);
  }
});

const MEASURED = new Set(["Wh", "varh", "VAh", "V", "A", "Hz"]);

test("reading type: every column of energy, voltage, current and frequency has one; times and status have none", () => {
  const columns = Object.values(PROFILE_COLUMNS).flat();
  const without = columns.filter((column) => readingTypeOf(column, "instant", undefined) === undefined);
  expect(without.filter(({ unit }) => MEASURED.has(unit))).toEqual([]);
  const timed = columns.filter(({ kind }) => kind !== "number");
  expect(timed.every((column) => without.includes(column))).toBe(true);
});
