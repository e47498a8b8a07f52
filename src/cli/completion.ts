/** Scripts with which shells complete the command line; each is made from what the verbs declare. */
import type { Command } from "commander";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

interface Word {
  readonly word: string;
  readonly says: string;
}

/** What may follow some verbs. */
interface Place {
  /** The verbs that lead here, each with a space before it; empty at the beginning. */
  readonly path: string;
  readonly verbs: readonly Word[];
  readonly options: readonly Word[];
}

/** The script for a shell; the program's own name is what is completed. */
export function completionScript(program: Command, shell: Shell): string {
  const places = placesOf(program);
  if (shell === "bash") return bashScript(program.name(), places);
  return shell === "zsh" ? zshScript(program.name(), places) : fishScript(program.name(), places);
}

function placesOf(command: Command, path = ""): Place[] {
  const verbs = command.commands.map((each) => ({ word: each.name(), says: each.description() }));
  const options = command.options.flatMap(({ long, description }) =>
    typeof long === "string" ? [{ word: long, says: description }] : [],
  );
  const below = command.commands.flatMap((each) => placesOf(each, `${path} ${each.name()}`));
  return [{ path, verbs, options: [...options, { word: "--help", says: "show help" }] }, ...below];
}

/** Names a function of the shell after the program. */
function functionName(program: string): string {
  return `_${program.replaceAll("-", "_")}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function pathPattern(places: readonly Place[]): string {
  return places
    .filter(({ path }) => path !== "")
    .map(({ path }) => quoted(path))
    .join("|");
}

function bashScript(program: string, places: readonly Place[]): string {
  const cases = places.map(({ path, verbs, options }) => {
    const words = [...verbs, ...options].map(({ word }) => word).join(" ");
    return `    ${quoted(path)}) words=${quoted(words)} ;;`;
  });
  return `# bash completion for ${program}
${functionName(program)}() {
  local path="" words="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $word" in ${pathPattern(places)}) path="$path $word" ;; esac
  done
  case "$path" in
${cases.join("\n")}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}")
}
complete -o default -F ${functionName(program)} ${program}
`;
}

function zshScript(program: string, places: readonly Place[]): string {
  const cases = places.map(
    ({ path, verbs, options }) =>
      `    ${quoted(path)}) verbs=(${verbs.map(described).join(" ")}); options=(${options.map(described).join(" ")}) ;;`,
  );
  return `#compdef ${program}
${functionName(program)}() {
  local place="" word
  local -a verbs options
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$place $word" in (${pathPattern(places)}) place="$place $word" ;; esac
  done
  case "$place" in
${cases.join("\n")}
  esac
  (( \${#verbs} )) && _describe verb verbs
  _describe option options
  (( \${#verbs} )) || _files
}
compdef ${functionName(program)} ${program}
`;
}

function described({ word, says }: Word): string {
  return quoted(`${word}:${says.replaceAll(":", "\\:")}`);
}

function fishScript(program: string, places: readonly Place[]): string {
  const name = `_${functionName(program)}_place`;
  const lines = places.flatMap(({ path, verbs, options }) => {
    const here = `complete -c ${program} -n 'test (${name}) = "at${path}"'`;
    return [
      ...verbs.map(({ word, says }) => `${here} -f -a ${word} -d ${fishQuoted(says)}`),
      ...options.map(({ word, says }) => `${here} -l ${word.slice(2)} -d ${fishQuoted(says)}`),
    ];
  });
  const patterns = places.filter(({ path }) => path !== "").map(({ path }) => quoted(path));
  return `# fish completion for ${program}
function ${name}
    set -l place ""
    for word in (commandline -opc)[2..-1]
        contains -- "$place $word" ${patterns.join(" ")}; and set place "$place $word"
    end
    echo "at$place"
end
${lines.join("\n")}
`;
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
