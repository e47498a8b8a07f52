import fc from "fast-check";
import { expect, test } from "vitest";
import { type Data, dataFromBytes, dataToBytes, expandCompactArray } from "../../../protocol/axdr/data.ts";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import type { CaptureObject } from "../../../protocol/cosem/capture-object.ts";
import { encodeDateTime } from "../../../protocol/cosem/date-time.ts";
import { namedZone, UTC } from "../../../protocol/cosem/time-zone.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { type DecodedColumn, TIME_RULE } from "../../../protocol/profile/column.ts";
import { carryOf, type DecodedProfile, decodeProfileBuffer } from "../../../protocol/profile/decode.ts";
import {
  FIFO,
  type LayoutSource,
  LIFO,
  profileLayout,
  type RegisterScaler,
  scalersFromProfile,
} from "../../../protocol/profile/layout.ts";

const CLOCK = object(8, "0.0.1.0.0.255");
const STATUS = object(1, "0.0.96.10.1.255");
const IMPORT = object(3, "1.0.1.8.0.255");
const EXPORT = object(3, "1.0.2.8.0.255");
const utc = { clock: { deviation: "standard", zone: UTC } } as const;
const berlin = { clock: { deviation: "standard", zone: namedZone("Europe/Berlin") } } as const;

function object(classId: number, logicalName: string, attributeId = 2): CaptureObject {
  return { classId, logicalName, attributeId, dataIndex: 0 };
}

function hourly(captureObjects: readonly CaptureObject[], more: Partial<LayoutSource> = {}) {
  return profileLayout({ captureObjects, capturePeriodS: 3600, sortMethod: FIFO, ...more });
}

function numbers(column: DecodedColumn | undefined): (number | bigint | undefined)[] {
  if (column?.kind !== "number") throw new Error(`a ${column?.kind} column`);
  return Array.from(column.present, (present, row) => (present === 1 ? column.mantissas[row] : undefined));
}

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

/** What can be compared: the arrays' contents, without the views' places. */
function comparable(decoded: DecodedProfile): unknown {
  return {
    rowCount: decoded.rowCount,
    rejected: decoded.rejected.map(({ index, data, error }) => [index, toHex(dataToBytes(data)), error.code]),
    columns: decoded.columns.map((column) => {
      switch (column.kind) {
        case "number":
          return [numbers(column).map(String), exceptionsOf(column.exceptions)];
        case "time":
          return [
            [...column.instantsMs],
            [...column.rules],
            [...column.sent],
            [...column.sent].map((sent, row) =>
              sent === 1 ? toHex(column.stamps.subarray(12 * row, 12 * row + 12)) : "",
            ),
            exceptionsOf(column.exceptions),
          ];
        case "data":
          return column.values.map((value) => (value === undefined ? undefined : toHex(dataToBytes(value))));
      }
    }),
  };
}

function exceptionsOf(exceptions: ReadonlyMap<number, Data>): unknown {
  return [...exceptions].sort(([one], [other]) => one - other).map(([row, data]) => [row, toHex(dataToBytes(data))]);
}

const stampOctets = fc
  .record({ day: fc.integer({ min: 1, max: 31 }), hour: fc.integer({ min: 0, max: 24 }), open: fc.boolean() })
  .map(({ day, hour, open }) =>
    encodeDateTime({
      year: 2024,
      month: 10,
      day,
      dayOfWeek: undefined,
      hour,
      minute: 0,
      second: 0,
      hundredths: undefined,
      deviationMinutes: open ? undefined : -60,
      clockStatus: 0,
    }),
  );

const cell: fc.Arbitrary<Data> = fc.oneof(
  fc.constant<Data>({ type: "null-data" }),
  fc.constant<Data>({ type: "dont-care" }),
  fc.integer({ min: 0, max: 255 }).map((value): Data => ({ type: "unsigned", value })),
  fc.integer({ min: -128, max: 127 }).map((value): Data => ({ type: "integer", value })),
  fc.integer({ min: 0, max: 65_535 }).map((value): Data => ({ type: "long-unsigned", value })),
  fc.integer({ min: -32_768, max: 32_767 }).map((value): Data => ({ type: "long", value })),
  fc.integer({ min: 0, max: 0xffff_ffff }).map((value): Data => ({ type: "double-long-unsigned", value })),
  fc.integer().map((value): Data => ({ type: "double-long", value })),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value): Data => ({ type: "long64", value })),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value): Data => ({ type: "long64-unsigned", value })),
  fc.integer({ min: -128, max: 127 }).map((value): Data => ({ type: "delta-integer", value })),
  fc.integer({ min: 0, max: 65_535 }).map((value): Data => ({ type: "delta-long-unsigned", value })),
  fc.boolean().map((value): Data => ({ type: "boolean", value })),
  fc.constant<Data>({ type: "float32", value: 0.5 }),
  fc.constant<Data>({ type: "bit-string", bitCount: 9, value: Uint8Array.of(0xff, 0x80) }),
  fc.uint8Array({ maxLength: 13 }).map((value): Data => ({ type: "octet-string", value })),
  stampOctets.map((value): Data => ({ type: "octet-string", value })),
  stampOctets.map((value): Data => ({ type: "date-time", value })),
  fc.constant<Data>({ type: "structure", value: [{ type: "unsigned", value: 1 }] }),
);

const COLUMNS = 4;
/** Rows as meters send them: mostly like the row before, now and then another. */
const buffer = fc
  .array(
    fc.record({
      row: fc.oneof(
        { weight: 9, arbitrary: fc.array(cell, { minLength: COLUMNS, maxLength: COLUMNS }) },
        { weight: 1, arbitrary: fc.array(cell, { maxLength: 6 }) },
      ),
      repeat: fc.integer({ min: 1, max: 4 }),
    }),
    { maxLength: 8 },
  )
  .map((runs): Data => {
    const rows = runs.flatMap(({ row, repeat }) => Array.from({ length: repeat }, () => row));
    return { type: "array", value: rows.map((value): Data => ({ type: "structure", value })) };
  });

test("profile: octets and tree give the same columns", () => {
  const layouts = [
    hourly([CLOCK, STATUS, IMPORT, EXPORT]),
    hourly([IMPORT, object(4, "1.0.1.6.0.255", 5), CLOCK, EXPORT], { sortMethod: LIFO, capturePeriodS: 86_400 }),
  ];
  fc.assert(
    fc.property(buffer, fc.constantFrom(...layouts), (data, layout) => {
      const fromOctets = decodeProfileBuffer(dataToBytes(data), layout, berlin);
      expect(comparable(fromOctets)).toEqual(comparable(decodeProfileBuffer(data, layout, berlin)));
    }),
    { numRuns: 500 },
  );
});

test("profile: compact-array and the tree of its elements give the same columns", () => {
  const types = ["unsigned", "long", "double-long-unsigned", "long64", "octet-string", "null-data"] as const;
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...types), { minLength: 2, maxLength: 2 }),
      fc.uint8Array({ maxLength: 60 }),
      (elements, contents) => {
        const description = { type: "structure", elements: elements.map((type) => ({ type })) } as const;
        const data: Data = { type: "compact-array", description, contents };
        const layout = hourly([CLOCK, IMPORT]);
        const tree = outcome(() =>
          decodeProfileBuffer({ type: "array", value: expandCompactArray(data) }, layout, utc),
        );
        const octets = outcome(() => decodeProfileBuffer(dataToBytes(data), layout, utc));
        // Contents that begin with their number of rows are read from octets only.
        fc.pre(tree !== "DATA_TRUNCATED");
        expect(octets).toEqual(tree);
      },
    ),
    { numRuns: 500 },
  );
});

test("profile: any octets decode or raise a typed error", () => {
  const layout = hourly([CLOCK, IMPORT, EXPORT]);
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.uint8Array({ maxLength: 200 }).map((octets) => Uint8Array.of(1, 3, ...octets)),
    fc.uint8Array({ maxLength: 200 }).map((octets) => Uint8Array.of(1, 2, 2, 3, 9, 12, ...octets)),
    buffer.map(dataToBytes).chain((octets) => fc.nat(octets.length).map((length) => octets.subarray(0, length))),
  );
  fc.assert(
    fc.property(anything, fc.boolean(), (octets, keepWholeRows) => {
      expect(outcome(() => decodeProfileBuffer(octets, layout, { ...berlin, keepWholeRows }))).toBeDefined();
    }),
    { numRuns: 1000 },
  );
});

function outcome(decode: () => DecodedProfile): unknown {
  try {
    return comparable(decode());
  } catch (error) {
    if (error instanceof DlmsError) return error.code;
    throw error;
  }
}

test("profile: rows that alternate between two shapes do not cost their square", () => {
  const rows = Array.from({ length: 60_000 }, (_, row): Data => {
    return {
      type: "structure",
      value: [
        { type: "unsigned", value: 1 },
        { type: row % 2 === 0 ? "long" : "long-unsigned", value: 1 },
      ],
    };
  });
  const octets = dataToBytes({ type: "array", value: rows });
  const startMs = performance.now();
  expect(decodeProfileBuffer(octets, hourly([STATUS, IMPORT]), utc).rowCount).toBe(60_000);
  expect(performance.now() - startMs).toBeLessThan(2_000);
});

/** What a cell makes of the one before: what is known of it as a whole number, or nothing. */
function follow(cell: Data, before: bigint | undefined): bigint | undefined {
  if (cell.type === "null-data") return before;
  if (cell.type === "dont-care" || !("value" in cell)) return undefined;
  const said = BigInt(Number(cell.value));
  if (cell.type === "long64") return cell.value;
  if (!cell.type.startsWith("delta")) return said;
  return before === undefined ? undefined : before + said;
}

const compressedCell: fc.Arbitrary<Data> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Data>({ type: "null-data" }) },
  {
    weight: 4,
    arbitrary: fc.integer({ min: -128, max: 127 }).map((value): Data => ({ type: "delta-integer", value })),
  },
  { weight: 2, arbitrary: fc.nat(0xffff_ffff).map((value): Data => ({ type: "double-long-unsigned", value })) },
  { weight: 1, arbitrary: fc.constant<Data>({ type: "dont-care" }) },
  {
    weight: 1,
    arbitrary: fc
      .bigInt({ min: 2n ** 53n - 100n, max: 2n ** 53n + 100n })
      .map((value): Data => ({ type: "long64", value })),
  },
);

test("profile: whatever is left out or said as a difference comes out as adding it up by hand says, to the last digit", () => {
  fc.assert(
    fc.property(fc.array(compressedCell, { minLength: 1, maxLength: 40 }), (cells) => {
      const layout = hourly([STATUS, IMPORT]);
      const rows = cells.map((cell, row): Data => {
        return { type: "structure", value: [{ type: "long-unsigned", value: row }, cell] };
      });
      const decoded = decodeProfileBuffer(dataToBytes({ type: "array", value: rows }), layout, utc);
      let before: bigint | undefined;
      const expected = cells.map((cell) => {
        before = follow(cell, before);
        return before;
      });
      const [, column] = decoded.columns;
      const found =
        column?.kind === "number"
          ? numbers(column).map((value) => (value === undefined ? undefined : BigInt(value)))
          : cells.map(() => undefined);
      expect(found).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

test("profile: a clock that is reckoned beyond the end of time is open from there on", () => {
  // 49710 days: the longest period of whole days that its attribute can say.
  const layout = hourly([CLOCK, IMPORT], { capturePeriodS: 49_710 * 86_400 });
  const rows = 2100;
  const first = "0202 090c07e70c1f0717000000ffc400 1101";
  const { clock } = decodeProfileBuffer(
    fromHex(`01 820834 ${first} ${"0202 00 1101".repeat(rows - 1)}`),
    layout,
    berlin,
  );
  expect([clock?.instantsMs[1], clock?.instantsMs[rows - 1]]).toEqual([expect.any(Number), Number.NaN]);
  expect([clock?.rules[1], clock?.rules[rows - 1]]).toEqual([TIME_RULE.deviation, TIME_RULE.none]);
});

test("profile: a compact-array that ends inside a row is cut off, whatever its first octet looks like", () => {
  const layout = hourly([STATUS]);
  for (const contents of ["ffffff", "84ffffffff", "80aabb"])
    expect(() =>
      decodeProfileBuffer(fromHex(`13 0201 12 ${toHex(Uint8Array.of(contents.length / 2))} ${contents}`), layout, utc),
    ).toThrow(expect.objectContaining({ code: "DATA_TRUNCATED" }));
});
