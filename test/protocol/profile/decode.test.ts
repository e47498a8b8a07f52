import { expect, test } from "vitest";
import { type Data, dataFromBytes, dataToBytes } from "../../../protocol/axdr/data.ts";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { carryOf, type DecodedProfile, decodeProfileBuffer } from "../../../protocol/profile/decode.ts";
import { LIFO, type RegisterScaler, scalersFromProfile } from "../../../protocol/profile/layout.ts";
import { berlin, CLOCK, comparable, EXPORT, hourly, IMPORT, numbers, object, STATUS, utc } from "./profile-examples.ts";

function instants({ clock }: DecodedProfile): string[] {
  return Array.from(clock?.instantsMs ?? [], (ms) => (Number.isNaN(ms) ? "open" : new Date(ms).toISOString()));
}

/** Four hourly rows of which only the first has its stamp, as an IDIS meter sends them (made-up values). */
const COMPRESSED =
  "0104 0204 090c07e70c1f0717000000ffc400 1106 06000005ed 0600000654" +
  "0204 00 1106 06000005ee 0600000654 0204 00 00 06000005ef 0600000655 0204 00 1108 00 00";

test("profile: null-data repeats a value and moves the clock on by the period", () => {
  const decoded = decodeProfileBuffer(fromHex(COMPRESSED), hourly([CLOCK, STATUS, IMPORT, EXPORT]), utc);
  expect(instants(decoded)).toEqual([
    "2023-12-31T22:00:00.000Z",
    "2023-12-31T23:00:00.000Z",
    "2024-01-01T00:00:00.000Z",
    "2024-01-01T01:00:00.000Z",
  ]);
  expect(numbers(decoded.columns[1])).toEqual([6, 6, 6, 8]);
  expect(numbers(decoded.columns[2])).toEqual([1517, 1518, 1519, 1519]);
  expect(numbers(decoded.columns[3])).toEqual([1620, 1620, 1621, 1621]);
  expect([...(decoded.clock?.sent ?? [])]).toEqual([1, 0, 0, 0]);
});

test("profile: newest first, the clock goes back", () => {
  const layout = hourly([CLOCK, STATUS, IMPORT, EXPORT], { sortMethod: LIFO });
  expect(instants(decodeProfileBuffer(fromHex(COMPRESSED), layout, utc)).slice(0, 2)).toEqual([
    "2023-12-31T22:00:00.000Z",
    "2023-12-31T21:00:00.000Z",
  ]);
});

test("profile: without a period or without order by time, a missing clock stays open", () => {
  for (const more of [{ capturePeriodS: 0 }, { sortMethod: 3 }]) {
    const layout = hourly([CLOCK, STATUS, IMPORT, EXPORT], more);
    expect(instants(decodeProfileBuffer(fromHex(COMPRESSED), layout, utc))).toEqual([
      "2023-12-31T22:00:00.000Z",
      "open",
      "open",
      "open",
    ]);
  }
});

test("profile: a row whose status says that the clock was set is not reckoned from the row before", () => {
  const options = { ...utc, clockBreaks: { captureObject: "1:0.0.96.10.1.255:2", mask: 0x08 } };
  const layout = hourly([CLOCK, STATUS, IMPORT, EXPORT]);
  expect(instants(decodeProfileBuffer(fromHex(COMPRESSED), layout, options))[3]).toBe("open");
});

test("profile: daily rows keep midnight across the change of the clock", () => {
  const stamp = "090c07e8031efe000000ff800000";
  const layout = hourly([CLOCK, IMPORT], { capturePeriodS: 86_400 });
  const rows = decodeProfileBuffer(
    fromHex(`0103 0202 ${stamp} 0600000001 0202 00 0600000002 0202 00 0600000003`),
    layout,
    berlin,
  );
  expect(instants(rows)).toEqual(["2024-03-29T23:00:00.000Z", "2024-03-30T23:00:00.000Z", "2024-03-31T22:00:00.000Z"]);
});

test("profile: monthly rows go by the calendar", () => {
  const layout = hourly([CLOCK, IMPORT], { capturePeriodS: 0, capturePeriodMonths: 1 });
  const hex = "0103 0202 090c07e80101ff000000ff800000 0600000001 0202 00 0600000002 0202 00 0600000003";
  expect(instants(decodeProfileBuffer(fromHex(hex), layout, berlin))).toEqual([
    "2023-12-31T23:00:00.000Z",
    "2024-01-31T23:00:00.000Z",
    "2024-02-29T23:00:00.000Z",
  ]);
});

/** Stamps of half hours in local time around the hour that comes twice. */
const REPEATED = ["01:30", "02:00", "02:30", "02:00", "02:30", "03:00"] as const;

const REPEATED_INSTANTS = [
  "2024-10-26T23:30:00.000Z",
  "2024-10-27T00:00:00.000Z",
  "2024-10-27T00:30:00.000Z",
  "2024-10-27T01:00:00.000Z",
  "2024-10-27T01:30:00.000Z",
  "2024-10-27T02:00:00.000Z",
] as const;

test.for([
  ["says nothing of daylight saving", 0xff],
  ["never sets the daylight saving bit", 0x00],
  ["always sets the daylight saving bit", 0x80],
] as const)("profile: the repeated hour is told apart by the order of rows when the meter %s", ([, status]) => {
  const rows = REPEATED.map((time): Data => {
    const [hour = 0, minute = 0] = time.split(":").map(Number);
    const stamp = Uint8Array.of(0x07, 0xe8, 10, 27, 7, hour, minute, 0, 0xff, 0x80, 0x00, status);
    return { type: "structure", value: [{ type: "octet-string", value: stamp }] };
  });
  const fifo = decodeProfileBuffer({ type: "array", value: rows }, hourly([CLOCK]), berlin);
  expect(instants(fifo)).toEqual(REPEATED_INSTANTS);
  const newestFirst = hourly([CLOCK], { sortMethod: LIFO });
  const lifo = decodeProfileBuffer({ type: "array", value: rows.toReversed() }, newestFirst, berlin);
  expect(instants(lifo)).toEqual(REPEATED_INSTANTS.toReversed());
});

test("profile: deltas add up per column, beyond 53 bits too", () => {
  const layout = hourly([CLOCK, IMPORT]);
  const stamp = "090c07e80101ff000000ff000000";
  const narrow = decodeProfileBuffer(
    fromHex(`0104 0202 ${stamp} 0600000064 0202 00 1c05 0202 00 1cff 0202 00 1f03`),
    layout,
    utc,
  );
  expect(numbers(narrow.columns[1])).toEqual([100, 105, 104, 107]);
  const wide = decodeProfileBuffer(fromHex(`0102 0202 ${stamp} 157fffffffffffff00 0202 00 1c05`), layout, utc);
  expect(numbers(wide.columns[1])).toEqual([9223372036854775552n, 9223372036854775557n]);
});

test("profile: a delta without a value before it is kept as what was sent", () => {
  const decoded = decodeProfileBuffer(fromHex("0102 0201 1c05 0201 0600000009"), hourly([IMPORT]), utc);
  expect(numbers(decoded.columns[0])).toEqual([undefined, 9]);
  expect(decoded.columns[0]).toMatchObject({
    exceptions: new Map([[0, { type: "delta-double-long-unsigned", value: 5 }]]),
  });
});

test("profile: an unsigned integer beyond 63 bits is kept as it is", () => {
  const decoded = decodeProfileBuffer(fromHex("0102 0201 15ffffffffffffffff 0201 1101"), hourly([IMPORT]), utc);
  expect(numbers(decoded.columns[0])).toEqual([undefined, 1]);
  expect(decoded.columns[0]).toMatchObject({
    exceptions: new Map([[0, { type: "long64-unsigned", value: 18446744073709551615n }]]),
  });
});

test("profile: rows of another width are put aside, and nothing is carried over them", () => {
  const stamp = "090c07e80101ff000000ff000000";
  const hex = `0104 0202 ${stamp} 1105 0203 00 00 00 0202 00 00 1101`;
  const decoded = decodeProfileBuffer(fromHex(hex), hourly([CLOCK, IMPORT]), utc);
  expect(decoded.rowCount).toBe(2);
  expect(decoded.rejected.map(({ index, error }) => [index, error.code])).toEqual([
    [1, "PROFILE_ROW_WIDTH"],
    [3, "PROFILE_ROW_TYPE"],
  ]);
  expect(decoded.rejected[0]?.data).toMatchObject({ type: "structure", value: { length: 3 } });
  expect(instants(decoded)).toEqual(["2024-01-01T00:00:00.000Z", "open"]);
  expect(numbers(decoded.columns[1])).toEqual([5, undefined]);
});

test("profile: when nearly every row misfits, the layout is refused", () => {
  const rows: Data[] = Array.from({ length: 1100 }, () => ({ type: "structure", value: [{ type: "null-data" }] }));
  const buffer: Data = { type: "array", value: rows };
  expect(() => decodeProfileBuffer(dataToBytes(buffer), hourly([CLOCK, IMPORT]), utc)).toThrow(
    expect.objectContaining({ code: "PROFILE_ROW_WIDTH", fault: "peer" }),
  );
});

test("profile: a read that goes on continues the columns of the one before", () => {
  const layout = hourly([CLOCK, STATUS, IMPORT, EXPORT]);
  const first = decodeProfileBuffer(fromHex(COMPRESSED), layout, utc);
  const carry = carryOf(first);
  expect(carry).toBeDefined();
  const next = decodeProfileBuffer(fromHex("0101 0204 00 00 1c02 00"), layout, { ...utc, carry: carry ?? [] });
  expect(instants(next)).toEqual(["2024-01-01T02:00:00.000Z"]);
  expect(next.columns.slice(1).map(numbers)).toEqual([[8], [1521], [1621]]);
});

test("profile: an empty buffer has no rows", () => {
  for (const hex of ["0100", "00", "130202190600"]) {
    expect(decodeProfileBuffer(fromHex(hex), hourly([CLOCK, IMPORT]), utc).rowCount).toBe(0);
  }
});

test("profile: octets that break off give their whole rows when asked for", () => {
  const layout = hourly([CLOCK, STATUS, IMPORT, EXPORT]);
  const cut = fromHex(COMPRESSED).subarray(0, 50);
  expect(() => decodeProfileBuffer(cut, layout, utc)).toThrow(expect.objectContaining({ code: "DATA_TRUNCATED" }));
  const decoded = decodeProfileBuffer(cut, layout, { ...utc, keepWholeRows: true });
  expect(decoded.rowCount).toBe(2);
  expect(numbers(decoded.columns[2])).toEqual([1517, 1518]);
  expect(decoded.brokenOff?.code).toBe("DATA_TRUNCATED");
});

test("profile: every truncation is a typed error, and with whole rows kept never more than there are", () => {
  const layout = hourly([CLOCK, STATUS, IMPORT, EXPORT]);
  const whole = fromHex(COMPRESSED);
  for (let length = 0; length < whole.length; length++) {
    expect(() => decodeProfileBuffer(whole.subarray(0, length), layout, utc)).toThrow(DlmsError);
  }
  for (let length = 2; length <= whole.length; length++) {
    const cut = whole.subarray(0, length);
    const { rowCount } = decodeProfileBuffer(cut, layout, { ...utc, keepWholeRows: true });
    expect(rowCount).toBe([30, 45, 59, 66].filter((end) => end <= length).length);
  }
});

test("profile: a compact-array gives the columns of the array that it stands for", () => {
  const layout = hourly([CLOCK, STATUS, IMPORT]);
  const rows = "0c07e80101ff000000ff000000 06 00000001 0c07e80101ff010000ff000000 06 00000002";
  const compact = fromHex(`13 0203 09 11 06 24 ${rows}`);
  const array = fromHex(
    "0102 0203 090c07e80101ff000000ff000000 1106 0600000001 0203 090c07e80101ff010000ff000000 1106 0600000002",
  );
  expect(comparable(decodeProfileBuffer(compact, layout, utc))).toEqual(
    comparable(decodeProfileBuffer(array, layout, utc)),
  );
});

test("profile: a count before the contents of a compact-array is passed over", () => {
  const layout = hourly([STATUS, IMPORT]);
  const decoded = decodeProfileBuffer(fromHex("13 0202 12 11 07 02 00010a 00020b"), layout, utc);
  expect(numbers(decoded.columns[0])).toEqual([1, 2]);
  expect(numbers(decoded.columns[1])).toEqual([10, 11]);
});

test("profile: a compact-array that ends inside a row is a typed error", () => {
  expect(() => decodeProfileBuffer(fromHex("13 0202 12 11 05 00010a 0002"), hourly([STATUS, IMPORT]), utc)).toThrow(
    expect.objectContaining({ code: "DATA_TRUNCATED", fault: "peer" }),
  );
});

test("profile: scalers are joined by name from a scaler profile shorter than the rows", () => {
  const scalerObjects = [
    object(3, "1.0.12.27.0.255", 3),
    object(3, "1.0.1.29.0.255", 3),
    object(4, "1.0.1.6.0.255", 3),
  ];
  const row = dataFromBytes(fromHex("0203 0202 0ffe 1623 0202 0f00 161e 0202 0f01 161b"));
  const layout = hourly(
    [
      CLOCK,
      object(3, "1.0.1.29.0.255"),
      object(3, "1.0.12.27.0.255"),
      object(4, "1.0.1.6.0.255"),
      object(4, "1.0.1.6.0.255", 5),
    ],
    { scalers: scalersFromProfile(scalerObjects, row) },
  );
  expect(layout.columns.map((column) => column.scalerUnit)).toEqual([
    undefined,
    { scaler: 0, unit: 30 },
    { scaler: -2, unit: 35 },
    { scaler: 1, unit: 27 },
    undefined,
  ]);
  expect(layout.columns.map((column) => column.role)).toEqual(["clock", "value", "value", "value", "time"]);
  expect(() => scalersFromProfile(scalerObjects, dataFromBytes(fromHex("0200")))).toThrow(
    expect.objectContaining({ code: "PROFILE_ROW_WIDTH" }),
  );
});

function importScaler(scaler: number, unit: number): RegisterScaler[] {
  return [{ classId: 3, logicalName: "1.0.1.8.0.255", scalerUnit: { scaler, unit } }];
}

test("profile: the fingerprint changes with a capture object, a scaler or a unit, and with nothing else", () => {
  const base = hourly([CLOCK, IMPORT], { scalers: importScaler(0, 30) }).fingerprint;
  expect(base).toMatch(/^[0-9a-f]{16}$/);
  expect(hourly([CLOCK, IMPORT], { scalers: importScaler(0, 30), capturePeriodS: 900 }).fingerprint).toBe(base);
  const others = [
    hourly([CLOCK, IMPORT], { scalers: importScaler(1, 30) }),
    hourly([CLOCK, IMPORT], { scalers: importScaler(0, 32) }),
    hourly([CLOCK, IMPORT]),
    hourly([IMPORT, CLOCK], { scalers: importScaler(0, 30) }),
    hourly([CLOCK, EXPORT]),
  ].map((layout) => layout.fingerprint);
  expect(new Set([base, ...others]).size).toBe(6);
});

test("profile: the clock is found wherever it stands, the UNIX clock too", () => {
  const unix = decodeProfileBuffer(
    fromHex("0101 0202 1101 0665937580"),
    hourly([IMPORT, object(1, "0.0.1.1.0.255")]),
    utc,
  );
  expect(instants(unix)).toEqual(["2024-01-02T02:31:28.000Z"]);
  const billing = decodeProfileBuffer(
    fromHex("0101 0202 1101 090c07e80101ff000000ff000000"),
    hourly([IMPORT, object(3, "0.0.0.1.2.255")]),
    utc,
  );
  expect(instants(billing)).toEqual(["2024-01-01T00:00:00.000Z"]);
});
