/** The form of a case file (an array of cases), read without trust: a file that is not of it is a problem, not a crash. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { DlmsError } from "../../protocol/errors.ts";

/**
 * A layer below may read well what a layer above refuses. The error of above goes along under this key: a case that must
 * be refused is refused by it, a case that expects what is above has failed.
 */
export const ABOVE: unique symbol = Symbol("the error of the layer above");
export type Facts = Readonly<Record<string, unknown>> & { readonly [ABOVE]?: DlmsError | undefined };
type ExpectedOutcome = "accept" | "accept-lenient" | "reject";

export interface CorpusCase {
  readonly id: string;
  readonly group: string;
  readonly layer: string;
  readonly file: string;
  readonly input: Facts;
  /** Keys, titles and passwords in hex, as the case names them: guek, gak, gbek, dedicatedKey, kek, systemTitle … */
  readonly keys: Readonly<Record<string, string>>;
  readonly outcome: ExpectedOutcome;
  readonly reason: string | undefined;
  readonly tags: readonly string[];
  readonly stated: Facts;
  readonly derived: Facts;
}

export interface LoadedCases {
  readonly cases: readonly CorpusCase[];
  /** Files and elements that could not be read as cases. */
  readonly problems: readonly string[];
}

const OUTCOMES: ReadonlySet<string> = new Set(["accept", "accept-lenient", "reject"]);
/** Elements with these fields are flat vectors of AES-GCM, GMAC and CTR; they become cases of the layer `cipher`. */
const CIPHER_FIELDS = ["mode", "key", "iv"] as const;

export function isFacts(value: unknown): value is Facts {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function facts(value: unknown): Facts {
  return isFacts(value) ? value : {};
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** The JSON files of a directory (not below it), or the file itself. */
function jsonFiles(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => join(path, name));
}

export function loadCases(paths: readonly string[]): LoadedCases {
  const cases: CorpusCase[] = [];
  const problems: string[] = [];
  for (const path of paths) {
    if (!existsSync(path)) {
      problems.push(`${path}: no such file or directory`);
      continue;
    }
    const files = jsonFiles(path);
    if (files.length === 0) problems.push(`${path}: holds no .json file`);
    for (const file of files) loadFile(file, cases, problems);
  }
  return { cases, problems };
}

function loadFile(file: string, cases: CorpusCase[], problems: string[]): void {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    problems.push(`${file}: ${error instanceof Error ? error.message : String(error)}`);
    return;
  }
  if (!Array.isArray(content)) {
    problems.push(`${file}: is no array of cases`);
    return;
  }
  for (const [index, element] of content.entries()) {
    const found = toCase(file, facts(element));
    if (typeof found === "string") problems.push(`${file}[${index}]: ${found}`);
    else cases.push(found);
  }
}

function toCase(file: string, element: Facts): CorpusCase | string {
  if (CIPHER_FIELDS.every((field) => field in element)) return cipherCase(file, element);
  const [id, group, layer] = [text(element["id"]), text(element["group"]), text(element["layer"])];
  const expect = facts(element["expect"]);
  const outcome = text(expect["outcome"]);
  if (id === undefined || layer === undefined) return "has no id or layer";
  if (outcome === undefined || !OUTCOMES.has(outcome)) return `${id}: expect.outcome is ${outcome}`;
  return {
    id,
    group: group ?? "(none)",
    layer,
    file,
    input: facts(element["input"]),
    keys: Object.fromEntries(Object.entries(facts(element["keys"])).map(([name, value]) => [name, String(value)])),
    outcome: outcome as ExpectedOutcome,
    reason: text(expect["reason"]),
    tags: Array.isArray(element["tags"]) ? element["tags"].map(String) : [],
    stated: facts(expect["stated"]),
    derived: facts(expect["derived"]),
  };
}

function cipherCase(file: string, element: Facts): CorpusCase {
  const { plaintext, ciphertext, tag, ...input } = element;
  return {
    id: `${text(element["case"]) ?? "cipher"}-${text(element["mode"])}`,
    group: "cipher",
    layer: "cipher",
    file,
    input: { ...input, plaintext, ciphertext, tag },
    keys: {},
    outcome: "accept",
    reason: undefined,
    tags: [],
    stated: {},
    derived: { plaintext, ciphertext, tag },
  };
}
