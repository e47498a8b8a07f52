import fc from "fast-check";
import { expect, test } from "vitest";
import { type Data, dataToBytes, expandCompactArray } from "../../../protocol/axdr/data.ts";
import { encodeDateTime } from "../../../protocol/cosem/date-time.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { type DecodedProfile, decodeProfileBuffer } from "../../../protocol/profile/decode.ts";
import { LIFO } from "../../../protocol/profile/layout.ts";
import { berlin, CLOCK, comparable, EXPORT, hourly, IMPORT, object, STATUS, utc } from "./profile-examples.ts";

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
