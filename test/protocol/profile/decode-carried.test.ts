import fc from "fast-check";
import { expect, test } from "vitest";
import { type Data, dataToBytes } from "../../../protocol/axdr/data.ts";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { TIME_RULE } from "../../../protocol/profile/column.ts";
import { decodeProfileBuffer } from "../../../protocol/profile/decode.ts";
import { berlin, CLOCK, hourly, IMPORT, numbers, STATUS, utc } from "./profile-examples.ts";

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
