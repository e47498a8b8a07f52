import type { z } from "zod";
import { messageOf } from "../observe/message-of.ts";
import { ConfigError, type ConfigProblem } from "./config-error.ts";
import { withKnownModel, withModelQuirks } from "./model-quirks.ts";
import { nearestName } from "./nearest-name.ts";
import { type Config, configSchema, type MeterConfig, meterSchema } from "./schema.ts";
import { type ConfigPlace, ConfigSources, type Path, pathText } from "./sources.ts";

type Issue = z.core.$ZodIssue;

/** Reads and checks a configuration file with its drop-ins. Throws ConfigError with every problem, its line and path. */
export async function loadConfig(file: string): Promise<Config> {
  return checked(await ConfigSources.read(file), file);
}

/** Checks configuration text; `source` names it in errors. */
export function parseConfig(text: string, source: string): Config {
  return checked(new ConfigSources([{ file: source, text }]), source);
}

function checked(sources: ConfigSources, file: string): Config {
  const parsed = configSchema.safeParse(sources.value, { reportInput: false });
  if (!parsed.success) {
    throw new ConfigError(
      file,
      parsed.error.issues.flatMap((issue) => problemsOf(issue, (path) => sources.placeOf(path) ?? {})),
    );
  }
  checkNamesAreUnique(parsed.data, file);
  return withModelQuirks(parsed.data, file);
}

/** Checks a meter that is in no configuration; problems have their paths within it. */
export function checkMeter(
  value: unknown,
  models: Config["models"],
): { readonly meter: MeterConfig } | { readonly problems: readonly ConfigProblem[] } {
  const parsed = meterSchema.safeParse(value, { reportInput: false });
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => ({ ...issue, path: ["meters", 0, ...issue.path] }));
    const problems = issues.flatMap((issue) => problemsOf(issue, () => ({})));
    return { problems: problems.map(({ path, message }) => ({ path: path.replace(/^meters\[0\]\.?/, ""), message })) };
  }
  try {
    return { meter: withKnownModel(parsed.data, models) };
  } catch (error) {
    return { problems: [{ path: "model", message: messageOf(error) }] };
  }
}

function problemsOf(issue: Issue, position: (path: Path) => Partial<ConfigPlace>): ConfigProblem[] {
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
  const numbers = new Map(config.meters.map(({ number }, index) => [number, index]));
  for (const [index, { name }] of config.meters.entries()) {
    const other = numbers.get(name) ?? index;
    if (other === index) continue;
    // A meter is asked for by either, and what is asked may be to open its switch.
    problems.push({ path: `meters[${index}].name`, message: `the same as meters[${other}].number, another meter's` });
  }
  if (problems.length > 0) throw new ConfigError(source, problems);
}
