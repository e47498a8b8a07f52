import { expect, test } from "vitest";
import { dataFromBytes } from "../../../protocol/axdr/data.ts";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { type LayoutSource, scalersFromProfile } from "../../../protocol/profile/layout.ts";
import { CLOCK, context, mapRows, NO_TIME, object, row, STAMP, scalers, shown } from "./mapped-rows.ts";

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

test("map-profile: a column is one object's, also in rows where that object has no value", () => {
  const [first, second] = [object(3, "0.1.24.2.1.255"), object(3, "0.1.24.2.2.255")];
  const layout = {
    captureObjects: [CLOCK, first, second],
    scalers: scalers([first, -3, 13], [second, -3, 13]),
  };
  const mapped = mapRows(
    layout,
    [row(STAMP, { type: "null-data" }, { type: "double-long-unsigned", value: 7000 })],
    context("instant"),
  );
  expect(shown(mapped)).toEqual({});
  expect(mapped.batch.others).toEqual([
    expect.objectContaining({ captureObject: "3:0.1.24.2.2.255:2", values: ["7"] }),
  ]);
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
