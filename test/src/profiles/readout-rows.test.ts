import { expect, test } from "vitest";
import { namedZone } from "../../../protocol/cosem/time-zone.ts";
import { parseDataSets } from "../../../protocol/link/iec62056-21/data-sets.ts";
import { parseReadoutTime } from "../../../protocol/link/iec62056-21/readout-time.ts";
import type { ProfileKind } from "../../../src/profiles/batch.ts";
import { mapProfile } from "../../../src/profiles/map-profile.ts";
import { readoutRows } from "../../../src/profiles/readout-rows.ts";

const READ_AT = new Date("2026-11-22T05:00:00Z");
const CLOCK = { deviation: "standard", zone: namedZone("Europe/Berlin") } as const;

/** What the rows of a profile hold: time, columns as integers in their unit, and the rest. */
function rowsOf(profile: "instant" | "billing", text: string) {
  return readoutRows(parseDataSets(text), CLOCK)[profile].map((decoded) => {
    const { batch } = mapProfile(decoded, {
      meterKey: 1,
      profile: profile satisfies ProfileKind,
      companion: "none",
      source: "poll",
      readAt: READ_AT,
      clock: CLOCK,
    });
    return {
      at: new Date(batch.instantsMs[0] ?? Number.NaN).toISOString(),
      rule: batch.timeRules[0],
      columns: Object.fromEntries(batch.columns.map(({ column, values }) => [column, values[0]])),
      others: Object.fromEntries(batch.others.map(({ captureObject, values }) => [captureObject, values[0]])),
    };
  });
}

/** The form that meters of two makers have: short codes, the season not told, past periods by number. */
const PRESENT = [
  "F.F(00000000)",
  "0.0.0(02718483)",
  "C.1.0(00012345)",
  "0.9.1(13:23:08)",
  "0.9.2(26-11-22)",
  "0.1.0(19)",
  "1.8.0(000101.96*kWh)",
  "1.8.1(0000.067*kWh)",
  "1.8.0*19(000101.71*kWh)",
  "1.8.0*18(000090.00)",
  "1.6.1(0012.34*kW)(26-11-03 18:15)",
  "1.6.1*19(0012.29*kW)(26-10-03 18:15)",
  "32.7.0(229.8*V)",
  "31.7(1.93*A)",
];

test("readout: short codes become the same columns, to the last digit", () => {
  expect(rowsOf("instant", PRESENT.join("\r\n"))).toEqual([
    {
      at: "2026-11-22T12:23:08.000Z",
      rule: "zone",
      columns: {
        active_import_total: 101_960_000n,
        active_import_t1: 67_000n,
        billing_count: 19n,
        voltage_l1: 229_800n,
        current_l1: 1930n,
      },
      others: expect.objectContaining({
        "1:0.0.97.97.0.255:2": "00000000",
        "1:1.0.0.0.0.255:2": "02718483",
        "1:0.0.96.1.0.255:2": "00012345",
        "3:1.0.1.8.0.19:2": "101710",
        "4:1.0.1.6.1.255:2": "12340",
      }),
    },
  ]);
});

test("readout: a past period whose end is told is a billing row, its unit that of the present value", () => {
  const ends = ["1-0:0.1.2*19(26-11-01 00:00)", "0.1.2*18(2610010000)"];
  expect(rowsOf("billing", [...PRESENT, ...ends].join("\r\n"))).toEqual([
    {
      at: "2026-10-31T23:00:00.000Z",
      rule: "zone",
      columns: {
        active_import_total: 101_710_000n,
        demand_active_import_max_t1: 12_290_000n,
        demand_active_import_max_t1_time: BigInt(Date.parse("2026-10-03T16:15:00Z")),
      },
      others: {},
    },
    { at: "2026-09-30T22:00:00.000Z", rule: "zone", columns: { active_import_total: 90_000_000n }, others: {} },
  ]);
});

test("readout: the period that was reset last may have its end in the reset's own date and time", () => {
  const text = [...PRESENT, "0.9.6(00:00)", "0.9.7(26-11-01)"].join("\r\n");
  expect(rowsOf("billing", text).map(({ at }) => at)).toEqual(["2026-10-31T23:00:00.000Z"]);
  expect(rowsOf("billing", PRESENT.join("\r\n"))).toEqual([]);
});

test("readout: without a clock the row is of when it was read, and what has no name is kept", () => {
  const text = "1-0:1.8.0*255(0000000.1*kWh)\r\nsome text of the maker\r\nx(1)";
  const [row] = rowsOf("instant", text);
  expect(row).toMatchObject({
    at: READ_AT.toISOString(),
    rule: "received",
    columns: { active_import_total: 100_000n },
  });
  expect(readoutRows(parseDataSets(text), CLOCK).nameless.map(({ path }) => path)).toEqual(["x", "line 1"]);
});

test("readout rows: a readout in which nothing has a name is the meter's fault, and named", () => {
  const fault = expect.objectContaining({ code: "DATA_TYPE_MISMATCH", fault: "peer" });
  expect(() => readoutRows(parseDataSets("some text of the maker\r\nx(1)"), CLOCK)).toThrow(fault);
});

test.each([
  ["26-11-22 13:23:08", 23],
  ["2026-11-22 13:23:08", 23],
  ["26-11-22,13:23", 23],
  ["2611221323", 23],
  ["261122132308", 23],
  ["261122132308S", 23],
])("readout time: %s is understood", (written, minute) => {
  expect(parseReadoutTime(written)).toMatchObject({ year: 2026, month: 11, day: 22, hour: 13, minute });
});

test.each(["", "26-13-22 13:23", "26-02-30 10:00", "26-11-22", "26-11-22 24:00", "0000000000", "12345678", "kWh"])(
  "readout time: %s is none",
  (written) => {
    expect(parseReadoutTime(written)).toBeUndefined();
  },
);
