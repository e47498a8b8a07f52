import fc from "fast-check";
import { expect, test } from "vitest";
import type { Data } from "../../../protocol/axdr/data.ts";
import { rulesFor } from "../../../src/profiles/column-rules.ts";
import { PROFILE_COLUMNS } from "../../../src/profiles/columns.ts";
import { decimalOf, formatDecimal, rescale } from "../../../src/profiles/decimal.ts";
import { CLOCK, context, mapRows, NO_TIME, object, READ_AT, row, STAMP, scalers, shown } from "./mapped-rows.ts";

const COUNT_1: Data = { type: "unsigned", value: 1 };
const COUNT_2: Data = { type: "unsigned", value: 2 };

test("map-profile: durations in seconds become minutes where that is exact", () => {
  const OFF = object(3, "0.0.94.91.8.255");
  const source = { captureObjects: [CLOCK, OFF], scalers: scalers([OFF, 0, 7]) };
  const exact = mapRows(source, [row(STAMP, { type: "double-long-unsigned", value: 180 })], context("instant"));
  expect(shown(exact)).toEqual({ power_off_duration: ["3"] });
  const rest = mapRows(source, [row(STAMP, { type: "double-long-unsigned", value: 181 })], context("instant"));
  expect(shown(rest)).toEqual({});
  expect(rest.batch.others).toEqual([{ captureObject: "3:0.0.94.91.8.255:2", unit: "s", values: ["181"] }]);
});

test("map-profile: values that do not fit the width of a column are kept aside", () => {
  const COUNT = object(1, "0.0.94.91.0.255");
  const mapped = mapRows(
    { captureObjects: [CLOCK, COUNT] },
    [row(STAMP, { type: "double-long-unsigned", value: 0xffff_ffff })],
    context("instant"),
  );
  expect(mapped.batch.columns).toEqual([]);
  expect(mapped.batch.others).toMatchObject([{ values: ["4294967295"] }]);
});

test("map-profile: whole columns are exact up to the last number, of either sign", () => {
  const layout = {
    captureObjects: [CLOCK, object(3, "1.0.1.8.0.255"), object(3, "1.0.12.27.0.255")],
    scalers: scalers([object(3, "1.0.1.8.0.255"), 0, 30], [object(3, "1.0.12.27.0.255"), -3, 35]),
  };
  // In thousandths of Wh: the last one whose product is exact, and the first one whose product is not.
  const exact = [0, 1, -1, 2 ** 31, -(2 ** 31) - 1, 2 ** 32 + 5, -(2 ** 32), 9_007_199_254_740, -9_007_199_254_740];
  const volts = [0, 1, -1, 2 ** 31 - 2, -(2 ** 31) + 2];
  for (const energies of [exact, [...exact, 9_007_199_254_741], [...exact, -9_007_199_254_741]]) {
    const rows = energies.map((energy, at) =>
      row(STAMP, { type: "long64", value: BigInt(energy) }, { type: "double-long", value: volts[at % 5] ?? 0 }),
    );
    const { columns, others } = mapRows(layout, rows, context("block_load")).batch;
    const byName = new Map(columns.map(({ column, values }) => [column, Array.from(values)]));
    expect(byName.get("active_import_total")).toEqual(energies.map((energy) => BigInt(energy) * 1000n));
    expect(byName.get("voltage_l1")).toEqual(energies.map((_, at) => BigInt(volts[at % 5] ?? 0)));
    expect(others).toEqual([]);
  }
});

test("map-profile: floats are the decimals that they print as", () => {
  const U = object(3, "1.0.32.7.0.255");
  const source = { captureObjects: [CLOCK, U], scalers: scalers([U, 0, 35]) };
  const mapped = mapRows(source, [row(STAMP, { type: "float32", value: Math.fround(230.1) })], context("instant"));
  expect(shown(mapped)).toEqual({ voltage_l1: ["230.1"] });
});

test.each([Number.NaN, Infinity, -Infinity])(
  "map-profile: the float %s is no number of a column; it is kept as it is",
  (value) => {
    const U = object(3, "1.0.32.7.0.255");
    const source = { captureObjects: [CLOCK, U], scalers: scalers([U, 0, 35]) };
    const mapped = mapRows(source, [row(STAMP, { type: "float64", value })], context("instant"));
    expect(mapped.setAside).toEqual([]);
    expect(mapped.batch.columns).toEqual([]);
    expect(mapped.batch.others).toMatchObject([{ values: [String(value)] }]);
  },
);

test("map-profile: a bit-string status is the integer of its octets", () => {
  const source = { captureObjects: [CLOCK, object(1, "0.0.96.10.2.255")] };
  const bits: Data = { type: "bit-string", bitCount: 16, value: Uint8Array.of(0x80, 0x01) };
  expect(shown(mapRows(source, [row(STAMP, bits)], context("daily_load", "dsmr")))).toEqual({ status: ["32769"] });
});

test("map-profile: one row without a time has the time of reading; of several, those without are set aside", () => {
  const COUNT = object(1, "0.0.94.91.0.255");
  const source = { captureObjects: [CLOCK, COUNT] };
  const single = mapRows(source, [row(NO_TIME, COUNT_1)], context("instant"));
  expect(single.batch).toMatchObject({ instantsMs: [READ_AT.getTime()], timeRules: ["received"] });
  const several = mapRows(source, [row(STAMP, COUNT_1), row(NO_TIME, COUNT_2)], context("instant"));
  expect(several.batch.rowCount).toBe(1);
  expect(several.setAside).toEqual([{ index: 1, reason: "no-time", values: { "1:0.0.94.91.0.255:2": "2" } }]);
});

test("map-profile: rows that misfit are set aside with what they said", () => {
  const source = { captureObjects: [CLOCK, object(1, "0.0.94.91.0.255")] };
  const mapped = mapRows(source, [row(STAMP), row(STAMP, { type: "unsigned", value: 1 })], context("instant"));
  expect(mapped.batch.rowCount).toBe(1);
  expect(mapped.setAside).toMatchObject([
    {
      index: 0,
      reason: { code: "PROFILE_ROW_WIDTH" },
      values: { row: ["0x07e90717030 81e18ff014a00".replace(" ", "")] },
    },
  ]);
});

test("column-rules: every column of every table can be reached in some companion", () => {
  const companions = ["is15959", "dsmr"] as const;
  const unreached: string[] = [];
  const names = allNames();
  for (const profile of ["instant", "block_load", "daily_load", "billing"] as const) {
    const reached = new Set(
      companions.flatMap((companion) =>
        names.flatMap(
          ([classId, logicalName, attributeId]) =>
            rulesFor(companion, profile)(object(classId, logicalName, attributeId))?.columns ?? [],
        ),
      ),
    );
    for (const { name } of PROFILE_COLUMNS[profile]) if (!reached.has(name)) unreached.push(`${profile}.${name}`);
  }
  expect(unreached).toEqual([]);
});

/** Every object of electricity meters that a table could know. */
function allNames(): [classId: number, logicalName: string, attributeId: number][] {
  const attributes = [
    [3, 2],
    [4, 2],
    [4, 5],
    [5, 3],
    [70, 2],
    [70, 3],
    [71, 3],
  ] as const;
  const measured = [
    "1.0.13.0.0.255",
    ...upTo(30).map((e) => `1.0.81.7.${e}.255`),
    ...upTo(96).flatMap((c) => [4, 7, 9, 27, 29].map((d) => `1.0.${c}.${d}.0.255`)),
    ...upTo(20).flatMap((c) => [6, 8].flatMap((d) => upTo(9).map((e) => `1.0.${c}.${d}.${e}.255`))),
  ];
  const objects = ["0.1.0", "0.1.2", "17.0.0", "24.2.1", "94.91.0", "94.91.8", "94.91.13", "94.91.14"].concat(
    ["2.0", "3.10", "7.0", "9.0", "10.1", "12.5", "14.0"].map((name) => `96.${name}`),
  );
  const abstract = upTo(5).flatMap((b) => objects.map((name) => `0.${b}.${name}.255`));
  return [...measured, ...abstract].flatMap((logicalName) =>
    attributes.map(([classId, attributeId]): [number, string, number] => [classId, logicalName, attributeId]),
  );
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

test("decimal: rescaling is exact or refused, and text is plain digits", () => {
  expect(rescale({ mantissa: 12n, exponent: 1 }, -3)).toBe(120_000n);
  expect(rescale({ mantissa: 1200n, exponent: -4 }, -2)).toBe(12n);
  expect(rescale({ mantissa: 1201n, exponent: -4 }, -2)).toBeUndefined();
  expect(formatDecimal({ mantissa: -5n, exponent: -2 })).toBe("-0.05");
  expect(formatDecimal({ mantissa: 500n, exponent: -2 })).toBe("5");
  expect(formatDecimal({ mantissa: 5n, exponent: 2 })).toBe("500");
  expect(decimalOf(Math.fround(0.1), 32)).toEqual({ mantissa: 1n, exponent: -1 });
  expect(decimalOf(1e-7)).toEqual({ mantissa: 1n, exponent: -7 });
  expect(decimalOf(Number.NaN)).toBeUndefined();
});

test("decimal: a float's decimal is that float again", () => {
  fc.assert(
    fc.property(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.float({ noNaN: true, noDefaultInfinity: true }),
      (wide, narrow) => {
        const [one, other] = [decimalOf(wide), decimalOf(narrow, 32)];
        expect(Number(formatDecimal(one ?? { mantissa: 0n, exponent: 0 }))).toBe(wide === 0 ? 0 : wide);
        expect(Math.fround(Number(formatDecimal(other ?? { mantissa: 0n, exponent: 0 })))).toBe(
          narrow === 0 ? 0 : narrow,
        );
      },
    ),
  );
});

test("map-profile: every value of arbitrary rows ends in a column or in others", () => {
  const cell = fc.oneof(
    fc.nat(70_000).map((value): Data => ({ type: "double-long-unsigned", value })),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value): Data => ({ type: "long64-unsigned", value })),
    fc.uint8Array({ maxLength: 13 }).map((value): Data => ({ type: "octet-string", value })),
    fc.boolean().map((value): Data => ({ type: "boolean", value })),
    fc.float({ noNaN: true, noDefaultInfinity: true }).map((value): Data => ({ type: "float32", value })),
  );
  const objects = [CLOCK, object(3, "1.0.1.8.0.255"), object(4, "1.0.1.6.0.255", 5), object(1, "0.0.96.10.1.255")];
  const source = {
    captureObjects: objects,
    scalers: scalers([object(3, "1.0.1.8.0.255"), -1, 30]),
    capturePeriodS: 900,
  };
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, cell), { maxLength: 5 }), (cells) => {
      const rows = cells.map((each) => row(STAMP, ...each));
      const { batch } = mapRows(source, rows, context("daily_load"));
      const kept = [...batch.columns, ...batch.others].reduce(
        (sum, { values }) => sum + Array.from<unknown>(values).filter((value) => value !== undefined).length,
        0,
      );
      // A time whose every field is open says nothing.
      expect(kept).toBe(cells.length * 3);
    }),
  );
});
