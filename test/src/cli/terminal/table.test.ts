import { expect, test } from "vitest";
import { printTable } from "../../../../src/cli/terminal/output.ts";
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

const NARROW = [
  { title: "meter" },
  { title: "number" },
  { title: "when" },
  { title: "cause", isProse: true },
  { title: "value", align: "right" },
] as const;
const FAILED = ["feeder-7", "SMT100000007", "2026-01-31", "the meter closed the connection", "123456.789"];

test("table: words are cut to fit the terminal; names, numbers and times are not", () => {
  const lines = tableLines(NARROW, [FAILED], 68);
  expect(Math.max(...lines.map((line) => Array.from(line).length))).toBeLessThanOrEqual(68);
  expect(lines[2]).toMatch(/^feeder-7 {2}SMT100000007 {2}2026-01-31 {2}the meter closed th… {2}123456\.789$/);
});

test("table: where too little is left of words, rows are shown from top to bottom", () => {
  const shown: string[] = [];
  printTable({ out: (line) => void shown.push(line), err: () => undefined, width: 53 }, NARROW, [FAILED]);
  expect(shown).toContain("number  SMT100000007");
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
