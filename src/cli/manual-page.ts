/** The manual page dlms-gateway(1) in roff, made from what the verbs declare. */
import type { Command } from "commander";
import { EXIT_CODES } from "./terminal/exit-code.ts";
import { CONFIG_FILE, SOCKET } from "./verbs/verb.ts";

const FILES = [
  [CONFIG_FILE, "the configuration that is read when nothing else is said"],
  [`${CONFIG_FILE}.d`, "drop-ins to it"],
  [SOCKET, "where the command line reaches the daemon"],
  ["/var/lib/dlms-gateway", "what must survive a restart: the spool, and the embedded database"],
  ["/usr/share/doc/dlms-gateway", "documentation and examples"],
] as const;

export function manualPage(program: Command): string {
  const name = program.name();
  const exits = Object.values(EXIT_CODES).map(({ code, meaning }) => term(`${code}`, meaning));
  return [
    `.TH ${name.toUpperCase()} 1 "" "${name} ${program.version() ?? ""}" "User Commands"`,
    ".SH NAME",
    `${name} \\- ${roff(program.description())}`,
    ".SH SYNOPSIS",
    `.B ${roff(name)}`,
    ".I verb",
    "[options]",
    ".SH VERBS",
    ...leavesOf(program).flatMap(verbSection),
    ".SH EXIT STATUS",
    ...exits,
    ".SH FILES",
    ...FILES.map(([path, says]) => term(path, says)),
    "",
  ].join("\n");
}

/** Verbs that do something, in the order of the help. */
function leavesOf(command: Command): Command[] {
  const visible = command.createHelp().visibleCommands(command);
  return visible
    .filter((each) => each.name() !== "help")
    .flatMap((each) => (each.commands.length > 0 ? leavesOf(each) : [each]));
}

function verbSection(verb: Command): string[] {
  const help = verb.createHelp();
  const places = help.visibleArguments(verb).map((each) => term(help.argumentTerm(each), each.description));
  const options = help
    .visibleOptions(verb)
    .filter((option) => option.long !== "--help")
    .map((option) => term(help.optionTerm(option), help.optionDescription(option)));
  const more = moreHelp(verb);
  const examples = more === "" ? [] : [".PP", ".nf", roff(more), ".fi"];
  return [`.SS "${roff(help.commandUsage(verb))}"`, roff(verb.description()), ...places, ...options, ...examples];
}

/** What stands below the options in the verb's help. */
function moreHelp(verb: Command): string {
  let text = "";
  const output = verb.configureOutput();
  verb.configureOutput({ ...output, writeOut: (part) => (text += part) });
  verb.outputHelp();
  verb.configureOutput(output);
  return text.slice(verb.helpInformation().length).trim();
}

function term(what: string, says: string): string {
  return `.TP\n.B ${roff(what)}\n${roff(says)}`;
}

/** A backslash begins a request inside a line, a dot or an apostrophe at its beginning; a hyphen is no minus; dots are ASCII. */
function roff(text: string): string {
  return text
    .replaceAll("…", "...")
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll(/^(?=[.'])/gm, "\\&");
}
