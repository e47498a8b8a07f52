import { expect, test } from "vitest";
import { tableLines } from "../../../../src/cli/terminal/table.ts";

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

test("table: text is cut to fit the terminal, numbers are not", () => {
  const lines = tableLines(
    [{ title: "cause" }, { title: "value", align: "right" }],
    [["the meter closed the connection while associating", "123456.789"]],
    30,
  );
  expect(Math.max(...lines.map((line) => Array.from(line).length))).toBeLessThanOrEqual(30);
  expect(lines[2]).toMatch(/^the meter closed … {2}123456\.789$/);
});

test("table: no rows give a header alone", () => {
  expect(tableLines([{ title: "meter" }], [])).toEqual(["meter", "─────"]);
});

test("table: as many rows as a large fleet has meters", () => {
  const rows = Array.from({ length: 200_000 }, (_, at) => [`m${at}`]);
  expect(tableLines([{ title: "meter" }], rows)).toHaveLength(200_002);
});
