import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { expect, test } from "vitest";
import { EXAMPLES } from "../../../src/cli/examples.ts";
import { cliProgram } from "../../../src/cli/program.ts";
import { EXIT_CODES, LASTING_REASONS } from "../../../src/cli/terminal/exit-code.ts";

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

/** What answers in words alone, and why no program wants JSON of it. */
const NO_JSON: Readonly<Record<string, string>> = {
  run: "the daemon: its log is JSON where the journal takes it",
  demo: "shown to people once",
  simulate: "a meter, until it is stopped",
  completion: "a script for a shell",
  manual: "a page for man",
  "config sample": "YAML for an editor",
};

/** What has JSON and is no list of rows. */
const NO_CSV: Readonly<Record<string, string>> = {
  probe: "a walk, and a description of one meter",
  trace: "trees of frames",
  replay: "trees of frames",
  decode: "a tree",
  support: "the file that was written",
  export: "the file that was written, which may be CSV",
  "db migrate": "what was done once",
  "db compat": "what was done once",
  "db import": "counts",
  "db coverage check": "words and progress, line by line",
  "db coverage rebuild": "words and progress, line by line",
  "db replay": "words and progress, line by line",
  "config explain": "one field",
  "keys new-sealing-key": "the file that was written",
  "keys reseal": "a count",
  "keys transfer": "what became of one key",
  "keys settle": "what became of one key",
  "certificates export": "one certificate",
  "certificates request": "one request",
  "counters raise": "one counter",
  "tokens create": "one token",
  "tokens revoke": "one token",
  "collections make": "what was done once",
  "collections add": "a count",
  "collections remove": "a count",
  "collections drop": "what was done once",
  "runs make": "what was done once",
  "runs freeze": "a digest",
  "runs release": "a time",
  "push replay": "counts",
  "push apply": "attributes before and after, meter by meter; `push history` lists them",
  "push stop": "what was done once",
  "gateways release": "one gateway",
  "notifications retry": "a count",
  "meters add": "one meter",
  "meters remove": "one meter",
  "meters release": "one meter",
  "meters adopt": "one meter",
  "meters disconnect": "one order",
  "meters reconnect": "one order",
  "meters activate-calendar": "one order",
  "meters firmware": "one order",
  "meters clock": "one value",
  write: "one order",
};

test.each([
  ["--json", NO_JSON],
  ["--csv", { ...NO_JSON, ...NO_CSV }],
])("options: every verb has %s, or a reason for none", (option, reasons) => {
  const without = verbs.filter(([, verb]) => verb.options.every(({ long }) => long !== option)).map(([path]) => path);
  expect(without.toSorted()).toEqual(Object.keys(reasons).toSorted());
});

test("options: a verb that others stand under has none, for they would take them and not heed them", () => {
  const above = new Set(verbs.flatMap(([, { parent }]) => (parent === null || parent === program ? [] : [parent])));
  expect([...above].filter(({ options }) => options.length > 0).map((verb) => verb.name())).toEqual([]);
});

test("options: `gateways release` refuses --csv; `gateways` and `notifications` alone list", async () => {
  const said: string[] = [];
  const fresh = cliProgram({
    output: { out: () => undefined, err: () => undefined, width: undefined },
    finish: () => undefined,
  });
  for (const verb of fresh.commands.flatMap(({ commands }) => commands))
    verb.configureOutput({ writeErr: (text) => void said.push(text) });
  const run = (...words: string[]) => fresh.parseAsync(["node", "dlms-gateway", ...words]);
  await expect(run("gateways", "release", "north-2", "--csv")).rejects.toThrow("unknown option '--csv'");
  for (const verb of ["gateways", "notifications"]) {
    await expect(run(verb, "--csv", "--socket", "/nowhere/control.sock")).rejects.toThrow(
      "no daemon answers on /nowhere",
    );
  }
  expect(said).toHaveLength(1);
});

test("docs: field-tools.md has every exit code in the words of the help", () => {
  const page = readFileSync(new URL("../../../docs/field-tools.md", import.meta.url), "utf8");
  for (const { code, meaning } of Object.values(EXIT_CODES)) expect(page).toContain(`| ${code} | ${meaning} |`);
});

test("systemd: the service is not started again after an end that a new start can't mend", () => {
  const unit = readFileSync(new URL("../../../systemd/daemon.conf", import.meta.url), "utf8");
  const codes = LASTING_REASONS.map((reason) => EXIT_CODES[reason].code);
  expect(unit).toContain(`\nRestart=always\n`);
  expect(unit).toContain(`\nRestartPreventExitStatus=${codes.join(" ")}\n`);
});
