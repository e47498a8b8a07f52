import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { type Output, printTable } from "../../../../src/cli/terminal/output.ts";
import { coloured, showsColours } from "../../../../src/cli/terminal/styles.ts";

const COLUMNS = [{ title: "meter" }, { title: "result" }, { title: "cause" }];
const ROWS = [
  ["feeder-7", "read", ""],
  ["feeder-8", "failed", "no answer"],
];

function printed(colours?: Output["colours"]): string {
  const lines: string[] = [];
  const output = { out: (line: string) => lines.push(line), err: () => undefined, width: 40 };
  printTable(colours === undefined ? output : { ...output, colours }, COLUMNS, ROWS);
  return lines.join("\n");
}

test("colours: states and causes have them on a terminal, and the columns stay as they are", () => {
  const plain = printed();
  expect(plain).toBe(stripVTControlCharacters(plain));
  expect(printed({ out: false, err: true })).toBe(plain);
  const shown = printed({ out: true, err: false });
  expect(stripVTControlCharacters(shown)).toBe(plain);
  expect(shown).toContain("\u001B[31mfailed");
  expect(shown).toContain("\u001B[31mno answer");
  expect(shown).toContain("\u001B[32mread");
  expect(coloured("feeder-7")).toBe("feeder-7");
});

test.each([
  [{ isTTY: true }, {}, true],
  [{ isTTY: true }, { NO_COLOR: "" }, true],
  [{ isTTY: true }, { NO_COLOR: "1" }, false],
  [{ isTTY: true }, { TERM: "dumb" }, false],
  [{}, {}, false],
])("colours: where nobody looks, or nobody wants them, there are none: %j %j", (stream, environment, wanted) => {
  expect(showsColours(stream, environment)).toBe(wanted);
});
