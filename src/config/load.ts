import { readFile } from "node:fs/promises";
import { LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { ConfigError, type ConfigProblem } from "./config-error.ts";
import { withModelQuirks } from "./model-quirks.ts";
import { nearestName } from "./nearest-name.ts";
import { type Config, configSchema } from "./schema.ts";

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** Reads and checks a configuration file. Throws ConfigError with every problem, its line and its path. */
export async function loadConfig(file: string): Promise<Config> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw new ConfigError(
      file,
      [{ path: "", message: `can't be read (${reason}); \`dlms-gateway config sample\` prints one to start from` }],
      { cause },
    );
  });
  return parseConfig(text, file);
}

/** Checks configuration text; `source` names it in errors. */
export function parseConfig(text: string, source: string): Config {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    throw new ConfigError(
      source,
      document.errors.map((error) => {
        const { line, col } = lines.linePos(error.pos[0]);
        return { path: "", line, column: col, message: error.message };
      }),
    );
  }
  const value: unknown = document.toJS() ?? {};
  const parsed = configSchema.safeParse(value, { reportInput: false });
  if (!parsed.success) {
    const position = (path: Path) => {
      const node: unknown = document.getIn(path, true);
      const range = isRanged(node) ? node.range : undefined;
      if (range === undefined || range === null) return {};
      const { line, col } = lines.linePos(range[0]);
      return { line, column: col };
    };
    throw new ConfigError(
      source,
      parsed.error.issues.flatMap((issue) => problemsOf(issue, position)),
    );
  }
  checkNamesAreUnique(parsed.data, source);
  return withModelQuirks(parsed.data, source);
}

function isRanged(node: unknown): node is { range: [number, number, number] | null } {
  return typeof node === "object" && node !== null && "range" in node;
}

function problemsOf(issue: Issue, position: (path: Path) => { line?: number; column?: number }): ConfigProblem[] {
  if (issue.code !== "unrecognized_keys") {
    return [{ path: pathText(issue.path), ...position(issue.path), message: issue.message }];
  }
  const known = knownKeys(issue.path);
  return issue.keys.map((key) => {
    const near = nearestName(key, known);
    const hint = near === undefined ? `known here: ${known.join(", ")}` : `did you mean ${near}?`;
    const path = [...issue.path, key];
    return { path: pathText(path), ...position(path), message: `unknown key; ${hint}` };
  });
}

/** The keys that the schema knows at a path. */
function knownKeys(path: Path): string[] {
  let schema: unknown = configSchema;
  for (const step of [...path, undefined]) {
    schema = unwrapped(schema);
    if (step === undefined) break;
    schema = typeof step === "number" ? property(schema, "element") : property(property(schema, "shape"), String(step));
  }
  return Object.keys(Object(property(schema, "shape")));
}

function unwrapped(schema: unknown): unknown {
  let inner = schema;
  for (;;) {
    const def = property(inner, "def");
    // A pipe's input is what the file has.
    const type = property(def, "innerType") ?? property(def, "in");
    if (type === undefined) return inner;
    inner = type;
  }
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function pathText(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    return text === "" ? String(step) : `${text}.${String(step)}`;
  }, "");
}

function checkNamesAreUnique(config: Config, source: string): void {
  const problems: ConfigProblem[] = [];
  for (const field of ["name", "number"] as const) {
    const seen = new Map<string, number>();
    for (const [index, meter] of config.meters.entries()) {
      const first = seen.get(meter[field]);
      if (first === undefined) seen.set(meter[field], index);
      else problems.push({ path: `meters[${index}].${field}`, message: `the same as meters[${first}].${field}` });
    }
  }
  if (problems.length > 0) throw new ConfigError(source, problems);
}
