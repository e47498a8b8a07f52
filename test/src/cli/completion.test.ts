import { execFileSync } from "node:child_process";
import { Command } from "commander";
import { expect, test } from "vitest";
import { completionScript, SHELLS } from "../../../src/cli/completion.ts";

function program(): Command {
  const top = new Command("dlms-gateway");
  top.command("run").description("run the daemon").option("-c, --config <file>", "configuration file");
  const push = top.command("push").description("what meters' makers send: it's held");
  push
    .command("apply")
    .description("carry out")
    .option("--dry-run", "change nothing")
    .option("--meter <name>", "one only");
  return top;
}

/** What bash offers for a line whose last word is being typed. */
function offered(...line: string[]): string[] {
  const script = `${completionScript(program(), "bash")}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _dlms_gateway; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const said = execFileSync("bash", ["-c", script, "bash", "dlms-gateway", ...line], { encoding: "utf8" });
  return said.split("\n").filter((word) => word !== "");
}

test("completion: bash offers the verbs and options of the place", () => {
  expect(offered("")).toEqual(["run", "push", "--help"]);
  expect(offered("pu")).toEqual(["push"]);
  expect(offered("push", "")).toEqual(["apply", "--help"]);
  expect(offered("push", "apply", "--")).toEqual(["--dry-run", "--meter", "--help"]);
});

test("completion: a word that is no verb of the place leads nowhere else", () => {
  expect(offered("push", "apply", "--meter", "run", "--")).toEqual(["--dry-run", "--meter", "--help"]);
  expect(offered("run", "push", "")).toEqual(["--config", "--help"]);
});

test.each(SHELLS)("completion: the script for %s has each verb, its words quoted", (shell) => {
  const script = completionScript(program(), shell);
  for (const word of ["run", "push", "apply"]) expect(script).toContain(word);
  // In a quoted word the shell's own sign stands escaped.
  expect(script).not.toMatch(/[a-z]'s held/);
});
