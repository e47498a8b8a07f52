import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { expect, test } from "vitest";
import { EXAMPLES } from "../../../src/cli/examples.ts";
import { cliProgram } from "../../../src/cli/program.ts";
import { EXIT_CODES } from "../../../src/cli/terminal/exit-code.ts";

const program = cliProgram({
  output: { out: () => undefined, err: () => undefined, width: undefined },
  finish: () => undefined,
});

/** Verbs that do something, by their words. */
function leaves(command: Command, path: readonly string[] = []): [string, Command][] {
  if (command.commands.length === 0) return [[path.join(" "), command]];
  return command.commands.flatMap((each) => leaves(each, [...path, each.name()]));
}

function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  return text;
}

const verbs = leaves(program);

test.each(verbs)("help: %s has an example of itself", (path, command) => {
  const [, examples = ""] = /\nExamples?:\n([\s\S]*)/.exec(helpOf(command)) ?? [];
  expect(examples).toContain(path.split(" ")[0]);
});

test("help: every example is of a verb that there is, with options that it has", () => {
  const known = new Map(verbs);
  for (const [path, examples] of Object.entries(EXAMPLES)) {
    const options = known.get(path)?.options.flatMap(({ long, short }) => [long, short]);
    expect([path, options === undefined]).toEqual([path, false]);
    for (const example of examples) {
      expect([example, example.startsWith(path)]).toEqual([example, true]);
      for (const [option] of example.matchAll(/(?<= )--?[a-z][a-z-]*/g))
        expect([example, options]).toEqual([example, expect.arrayContaining([option])]);
    }
  }
});

test("docs: field-tools.md has every exit code in the words of the help", () => {
  const page = readFileSync(new URL("../../../docs/field-tools.md", import.meta.url), "utf8");
  for (const { code, meaning } of Object.values(EXIT_CODES)) expect(page).toContain(`| ${code} | ${meaning} |`);
});
