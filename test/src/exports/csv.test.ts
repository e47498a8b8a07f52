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

test("csv: what is written is what is read", () => {
  const cell = fc.string({ unit: fc.constantFrom("a", ",", '"', ";", " ") }).map((text) => text.trim());
  fc.assert(
    fc.property(fc.array(cell, { minLength: 1 }), (cells) => {
      expect(csvTable("a,b").cellsOf(csvCells(cells))).toEqual(cells);
    }),
  );
});
