import fc from "fast-check";
import { expect, test } from "vitest";
import { csvCells, csvTable } from "../../../src/exports/csv.ts";

test.each([
  ["", [""]],
  [",", ["", ""]],
  [",b,c", ["", "b", "c"]],
  ["a,", ["a", ""]],
  ["a,,c", ["a", "", "c"]],
  ['"a, b", c ,"say ""x"""', ["a, b", "c", 'say "x"']],
  ['a "b",c', ['a "b"', "c"]],
  ['"never closed,c', ['"never closed', "c"]],
])("csv: the cells of %j", (line, cells) => {
  expect(csvTable("a,b").cellsOf(line)).toEqual(cells);
});

test("csv: semicolons where the first line has them, and no mark of an encoding", () => {
  const { titles, cellsOf } = csvTable("\uFEFFmeter;time; 1-0:1.8.0 kWh");
  expect(titles).toEqual(["meter", "time", "1-0:1.8.0 kWh"]);
  expect(cellsOf(';"a;b";1,5')).toEqual(["", "a;b", "1,5"]);
});

test.each([
  ["=HYPERLINK(1)", "'=HYPERLINK(1)"],
  ["+49 1", "'+49 1"],
  ["@SUM(A1)", "'@SUM(A1)"],
  ["-2+3", "'-2+3"],
  ["\t=1,2", '"\'\t=1,2"'],
  ["-230.125", "-230.125"],
  ["+1", "+1"],
  ["-1e-7", "-1e-7"],
  ["-infinity", "-infinity"],
  ["a=b", "a=b"],
])("csv: a cell that a spreadsheet would work out is text to it: %j", (cell, written) => {
  expect(csvCells([cell])).toBe(written);
});

test("csv: what is written is what is read", () => {
  const cell = fc
    .string({ unit: fc.constantFrom("a", "1", ",", '"', ";", " ", "=", "-", "@", "'") })
    .map((text) => text.trim());
  fc.assert(
    fc.property(fc.array(cell, { minLength: 1 }), (cells) => {
      expect(csvTable("a,b").cellsOf(csvCells(cells))).toEqual(cells);
    }),
  );
});
