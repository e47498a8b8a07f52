import fc from "fast-check";
import { expect, test } from "vitest";
import { type Data, dataFromBytes } from "../../../protocol/axdr/data.ts";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import type { CaptureObject } from "../../../protocol/cosem/capture-object.ts";
import type { Companion } from "../../../protocol/cosem/companion/companion.ts";
import type { ScalerUnit } from "../../../protocol/cosem/scaler-unit.ts";
import { namedZone } from "../../../protocol/cosem/time-zone.ts";
import { decodeProfileBuffer } from "../../../protocol/profile/decode.ts";
import { type LayoutSource, profileLayout, scalersFromProfile } from "../../../protocol/profile/layout.ts";
import type { ProfileKind } from "../../../src/profiles/batch.ts";
import { rulesFor } from "../../../src/profiles/column-rules.ts";
import { PROFILE_COLUMNS, profileColumn } from "../../../src/profiles/columns.ts";
import { decimalOf, formatDecimal, rescale } from "../../../src/profiles/decimal.ts";
import { type MapContext, type MappedProfile, mapProfile } from "../../../src/profiles/map-profile.ts";

const india = { deviation: "ignored", zone: namedZone("Asia/Kolkata") } as const;
const READ_AT = new Date("2025-07-23T03:00:00Z");

function object(classId: number, logicalName: string, attributeId = 2): CaptureObject {
  return { classId, logicalName, attributeId, dataIndex: 0 };
}

function context(profile: ProfileKind, companion: Companion = "is15959"): MapContext {
  return { meterKey: 7, profile, companion, source: "poll", readAt: READ_AT, clock: india };
}

function scalers(...entries: readonly [CaptureObject, scaler: number, unit: number][]) {
  return entries.map(([{ classId, logicalName }, scaler, unit]) => {
    const scalerUnit: ScalerUnit = { scaler, unit };
    return { classId, logicalName, scalerUnit };
  });
}

function mapRows(source: LayoutSource, rows: readonly Data[], to: MapContext): MappedProfile {
  const buffer: Data = { type: "array", value: rows };
  return mapProfile(decodeProfileBuffer(buffer, profileLayout(source), { clock: to.clock }), to);
}

function row(...value: readonly Data[]): Data {
  return { type: "structure", value };
}

function shown({ batch }: MappedProfile): Record<string, readonly (string | undefined)[]> {
  return Object.fromEntries(
    batch.columns.map(({ column, values }) => {
      const { exponent = 0 } = profileColumn(batch.profile, column) ?? {};
      return [
        column,
        Array.from(values, (mantissa) => (mantissa === undefined ? undefined : formatDecimal({ mantissa, exponent }))),
      ];
    }),
  );
}

const CLOCK = object(8, "0.0.1.0.0.255");
const STAMP: Data = { type: "octet-string", value: fromHex("07e90717 03 081e18ff 014a 00") };
const COUNT_1: Data = { type: "unsigned", value: 1 };
const COUNT_2: Data = { type: "unsigned", value: 2 };
const NO_TIME: Data = { type: "octet-string", value: new Uint8Array(12).fill(0xff) };

/** Single-phase instantaneous profile of IS 15959 part 2 with the scalers that such meters have; the values are made up. */
const D1 = [
  CLOCK,
  object(3, "1.0.12.7.0.255"),
  object(3, "1.0.11.7.0.255"),
  object(3, "1.0.91.7.0.255"),
  object(3, "1.0.13.7.0.255"),
  object(3, "1.0.14.7.0.255"),
  object(3, "1.0.9.7.0.255"),
  object(3, "1.0.1.7.0.255"),
  object(3, "1.0.1.8.0.255"),
  object(3, "1.0.9.8.0.255"),
  object(4, "1.0.1.6.0.255"),
  object(4, "1.0.1.6.0.255", 5),
  object(4, "1.0.9.6.0.255"),
  object(4, "1.0.9.6.0.255", 5),
  object(3, "0.0.94.91.14.255"),
  object(1, "0.0.94.91.0.255"),
  object(1, "0.0.0.1.0.255"),
  object(1, "0.0.96.2.0.255"),
  object(70, "0.0.96.3.10.255"),
  object(71, "0.0.17.0.0.255", 3),
] as const;
const D1_SCALERS =
  "020b 0202 0ffe 1623 0202 0ffe 1621 0202 0ffe 1621 0202 0ffe 16ff 0202 0fff 162c 0202 0f00 161c 0202 0f00 161b 0202 0f01 161e 0202 0f01 161f 0202 0f00 161b 0202 0f00 161c";

function d1Layout(): LayoutSource {
  const registers = D1.slice(1, 13).filter(({ attributeId }) => attributeId === 2);
  const scalerObjects = registers.map(({ classId, logicalName }) => object(classId, logicalName, 3));
  const powerOn = scalers([object(3, "0.0.94.91.14.255"), 0, 6]);
  return {
    captureObjects: D1,
    scalers: [...scalersFromProfile(scalerObjects, dataFromBytes(fromHex(D1_SCALERS))), ...powerOn],
  };
}

test("map-profile: an IS 15959 single-phase snapshot fills the columns of phase 1", () => {
  const values = row(
    STAMP,
    { type: "long-unsigned", value: 23_456 },
    { type: "long-unsigned", value: 512 },
    { type: "long-unsigned", value: 510 },
    { type: "integer", value: -98 },
    { type: "long-unsigned", value: 499 },
    { type: "double-long-unsigned", value: 1200 },
    { type: "double-long-unsigned", value: 1176 },
    { type: "double-long-unsigned", value: 123_456 },
    { type: "double-long-unsigned", value: 130_000 },
    { type: "long-unsigned", value: 2400 },
    STAMP,
    { type: "long-unsigned", value: 0 },
    NO_TIME,
    { type: "double-long-unsigned", value: 525_600 },
    { type: "double-long-unsigned", value: 3 },
    { type: "double-long-unsigned", value: 14 },
    { type: "unsigned", value: 9 },
    { type: "boolean", value: true },
    { type: "double-long-unsigned", value: 5000 },
  );
  const mapped = mapRows(d1Layout(), [values], context("instant"));
  expect(shown(mapped)).toEqual({
    voltage_l1: ["234.56"],
    current_l1: ["5.12"],
    current_n: ["5.1"],
    power_factor: ["-0.98"],
    frequency: ["49.9"],
    apparent_power_import: ["1200"],
    active_power_import: ["1176"],
    active_import_total: ["1234560"],
    apparent_import_total: ["1300000"],
    demand_active_import_max: ["2400"],
    demand_active_import_max_time: [String(Date.UTC(2025, 6, 23, 3, 0, 24))],
    demand_apparent_import_max: ["0"],
    power_on_duration: ["525600"],
    tamper_count: ["3"],
    billing_count: ["14"],
    programming_count: ["9"],
    load_switch: ["1"],
    load_limit: ["5000"],
  });
  expect(mapped.batch).toMatchObject({
    meterKey: 7,
    profile: "instant",
    rowCount: 1,
    instantsMs: [Date.UTC(2025, 6, 23, 3, 0, 24)],
    timeRules: ["zone"],
    others: [],
  });
  expect(mapped.setAside).toEqual([]);
});

test("map-profile: the same object means health in India and status in Europe", () => {
  const source = { captureObjects: [CLOCK, object(1, "0.0.96.10.1.255")], capturePeriodS: 900 };
  const rows = [row(STAMP, { type: "unsigned", value: 8 })];
  expect(shown(mapRows(source, rows, context("block_load", "is15959")))).toEqual({ meter_health: ["8"] });
  expect(shown(mapRows(source, rows, context("block_load", "idis")))).toEqual({ status: ["8"] });
});

test("map-profile: block load in hundredths of Wh fits the column, finer than its unit goes to others", () => {
  const IMPORT = object(3, "1.0.1.29.0.255");
  const rows = [
    row(STAMP, { type: "long-unsigned", value: 12_345 }),
    row(NO_TIME, { type: "long-unsigned", value: 10 }),
  ];
  const fine = mapRows(
    { captureObjects: [CLOCK, IMPORT], scalers: scalers([IMPORT, -4, 30]), capturePeriodS: 1800 },
    [rows[0] ?? STAMP, row(STAMP, { type: "long-unsigned", value: 10 })],
    context("block_load"),
  );
  expect(shown(fine)).toEqual({ active_import: [undefined, "0.001"] });
  expect(fine.batch.others).toEqual([
    { captureObject: "3:1.0.1.29.0.255:2", unit: "W.h", values: ["1.2345", undefined] },
  ]);
  expect(fine.batch.intervalS).toBe(1800);
});

test("map-profile: a register whose scaler was never read is kept as raw, never guessed", () => {
  const mapped = mapRows(
    { captureObjects: [CLOCK, object(3, "1.0.1.29.0.255")] },
    [row(STAMP, { type: "long-unsigned", value: 12 })],
    context("block_load"),
  );
  expect(mapped.batch.columns).toEqual([]);
  expect(mapped.batch.others).toEqual([{ captureObject: "3:1.0.1.29.0.255:2@raw", unit: undefined, values: ["12"] }]);
});

test("map-profile: a unit of another kind does not enter a column", () => {
  const IMPORT = object(3, "1.0.1.8.0.255");
  const mapped = mapRows(
    { captureObjects: [CLOCK, IMPORT], scalers: scalers([IMPORT, 0, 32]) },
    [row(STAMP, { type: "double-long-unsigned", value: 12 })],
    context("daily_load"),
  );
  expect(mapped.batch.columns).toEqual([]);
  expect(mapped.batch.others).toMatchObject([{ captureObject: "3:1.0.1.8.0.255:2", values: ["12"] }]);
});

test("map-profile: unknown objects and second ones of a kind are kept under their names", () => {
  const UNKNOWN = object(1, "0.0.99.99.9.255");
  const IMPORT = object(3, "1.0.1.8.0.255");
  const mapped = mapRows(
    {
      captureObjects: [CLOCK, UNKNOWN, IMPORT, { ...IMPORT, logicalName: "1.1.1.8.0.255" }, UNKNOWN],
      scalers: scalers([IMPORT, 0, 30], [object(3, "1.1.1.8.0.255"), 0, 30]),
    },
    [
      row(
        STAMP,
        { type: "visible-string", value: new TextEncoder().encode("T2") },
        { type: "double-long-unsigned", value: 1 },
        { type: "double-long-unsigned", value: 2 },
        { type: "octet-string", value: Uint8Array.of(0, 1, 0xfe) },
      ),
    ],
    context("daily_load", "idis"),
  );
  expect(shown(mapped)).toEqual({ active_import_total: ["1"] });
  expect(mapped.batch.others).toEqual([
    { captureObject: "1:0.0.99.99.9.255:2", unit: undefined, values: ["T2"] },
    { captureObject: "3:1.1.1.8.0.255:2", unit: "W.h", values: ["2"] },
    { captureObject: "1:0.0.99.99.9.255:2~2", unit: undefined, values: ["0x0001fe"] },
  ]);
});

test("map-profile: gas goes to the volume of its channel, heat to the energy", () => {
  const gas = object(4, "0.1.24.2.1.255");
  const heat = object(4, "0.2.24.2.1.255");
  const mapped = mapRows(
    {
      captureObjects: [CLOCK, gas, { ...gas, attributeId: 5 }, heat],
      scalers: scalers([gas, -3, 14], [heat, 6, 25]),
    },
    [row(STAMP, { type: "double-long-unsigned", value: 12_345 }, STAMP, { type: "double-long-unsigned", value: 42 })],
    context("daily_load", "dsmr"),
  );
  expect(shown(mapped)).toMatchObject({ mbus1_volume: ["12.345"], mbus2_heat: ["42000000"] });
  expect(shown(mapped)["mbus1_time"]).toHaveLength(1);
});

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
