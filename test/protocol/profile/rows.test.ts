import fc from "fast-check";
import { expect, test } from "vitest";
import type { Data } from "../../../protocol/axdr/data.ts";
import { dateTimeAt, encodeDateTime } from "../../../protocol/cosem/date-time.ts";
import { namedZone } from "../../../protocol/cosem/time-zone.ts";
import { type DecodedProfile, decodeProfileBuffer } from "../../../protocol/profile/decode.ts";
import { profileLayout } from "../../../protocol/profile/layout.ts";
import { filterRows, joinRows } from "../../../protocol/profile/rows.ts";

const UTC = namedZone("UTC");
const layout = profileLayout({
  captureObjects: [
    { classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 },
    { classId: 3, logicalName: "1.0.1.8.0.255", attributeId: 2, dataIndex: 0 },
    { classId: 1, logicalName: "0.0.96.1.0.255", attributeId: 2, dataIndex: 0 },
  ],
});

function decoded(values: readonly Data[]): DecodedProfile {
  const rows = values.map((value, index): Data => {
    const stamp = encodeDateTime(dateTimeAt(Date.UTC(2026, 0, 1) + index * 60_000, UTC));
    const text: Data = { type: "visible-string", value: Uint8Array.of(0x41 + (index % 26)) };
    return { type: "structure", value: [{ type: "octet-string", value: stamp }, value, text] };
  });
  return decodeProfileBuffer({ type: "array", value: rows }, layout, { clock: { deviation: "standard", zone: UTC } });
}

const value: fc.Arbitrary<Data> = fc.oneof(
  fc.nat(0xffff_ffff).map((number): Data => ({ type: "double-long-unsigned", value: number })),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((number): Data => ({ type: "long64", value: number })),
  fc.constant<Data>({ type: "float32", value: 1.5 }),
);

test("rows: any choice of rows has the cells of those rows", () => {
  fc.assert(
    fc.property(fc.array(value, { maxLength: 20 }), fc.infiniteStream(fc.boolean()), (values, choices) => {
      const whole = decoded(values);
      const chosen = values.map(() => choices.next().value === true);
      const expected = decoded(values);
      const kept = filterRows(whole, (row) => chosen[row] === true);
      const rows = chosen.flatMap((yes, row) => (yes ? [row] : []));
      expect(kept.rowCount).toBe(rows.length);
      for (const [to, from] of rows.entries()) {
        for (const [index, column] of kept.columns.entries()) {
          expect(cell(column, to)).toEqual(cell(expected.columns[index], from));
        }
      }
      expect(kept.clock?.instantsMs.length).toBe(rows.length);
    }),
    { numRuns: 100 },
  );
});

test("rows: all of them are the profile itself, and parts of other layouts don't join", () => {
  const one = decoded([{ type: "unsigned", value: 1 }]);
  expect(filterRows(one, () => true)).toBe(one);
  expect(
    joinRows(
      [one, one],
      [
        { part: 1, row: 0 },
        { part: 0, row: 0 },
      ],
    ).rowCount,
  ).toBe(2);
  const other = { ...one, layout: { ...one.layout, fingerprint: "other" } };
  expect(() => joinRows([one, other], [])).toThrow(expect.objectContaining({ code: "DATA_OUT_OF_RANGE" }));
  expect(() => joinRows([], [])).toThrow(expect.objectContaining({ code: "DATA_OUT_OF_RANGE" }));
});

test("rows: a column that is numbers in one part and texts in the other keeps both", () => {
  const numbers = decoded([{ type: "unsigned", value: 7 }]);
  const texts = decoded([{ type: "visible-string", value: Uint8Array.of(0x58) }]);
  const joined = joinRows(
    [numbers, texts],
    [
      { part: 0, row: 0 },
      { part: 1, row: 0 },
    ],
  );
  const [, column] = joined.columns;
  expect([cell(column, 0), cell(column, 1)]).toEqual([
    { type: "long64", value: 7n },
    { type: "visible-string", value: Uint8Array.of(0x58) },
  ]);
});

function cell(column: DecodedProfile["columns"][number] | undefined, row: number): unknown {
  if (column === undefined) return undefined;
  if (column.kind === "data") return column.values[row];
  const exception = column.exceptions.get(row);
  if (exception !== undefined) return exception;
  if (column.kind === "time") return [column.instantsMs[row], column.rules[row], column.sent[row]];
  return column.present[row] === 1 ? BigInt(column.mantissas[row] ?? 0) : undefined;
}
