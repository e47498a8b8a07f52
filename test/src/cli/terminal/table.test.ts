import { expect, test } from "vitest";
import { tableLines, uprightLines } from "../../../../src/cli/terminal/table.ts";

test("table: columns are aligned, numbers to the right", () => {
  expect(
    tableLines(
      [{ title: "meter" }, { title: "value", align: "right" }],
      [
        ["a", "1.5"],
        ["house-1", "230.25"],
      ],
    ),
  ).toEqual(["meter     value", "───────  ──────", "a           1.5", "house-1  230.25"]);
});

test("table: text is cut to fit the terminal; numbers, times and names are not", () => {
  const lines = tableLines(
    [{ title: "meter" }, { title: "when", isWhole: true }, { title: "cause" }, { title: "value", align: "right" }],
    [["feeder-7", "2026-01-31", "the meter closed the connection while associating", "123456.789"]],
    54,
  );
  expect(Math.max(...lines.map((line) => Array.from(line).length))).toBeLessThanOrEqual(54);
  expect(lines[2]).toMatch(/^feeder-7 {2}2026-01-31 {2}the meter closed th… {2}123456\.789$/);
});

test("table: rows from top to bottom, where no table fits", () => {
  const columns = [{ title: "meter" }, { title: "cause" }];
  expect(
    uprightLines(columns, [
      ["a", "no answer"],
      ["b", ""],
    ]),
  ).toEqual(["meter  a", "cause  no answer", "", "meter  b"]);
});

test("table: no rows give a header alone", () => {
  expect(tableLines([{ title: "meter" }], [])).toEqual(["meter", "─────"]);
});

test("table: as many rows as a large fleet has meters", () => {
  const rows = Array.from({ length: 200_000 }, (_, at) => [`m${at}`]);
  expect(tableLines([{ title: "meter" }], rows)).toHaveLength(200_002);
});
