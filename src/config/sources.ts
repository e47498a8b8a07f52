/**
 * The files of a configuration: one, and drop-ins in the directory of its name with `.d` after it, in the order of their
 * names. Sections are merged, lists are appended, anything else of a later file wins. Where each value came from is kept.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Document, LineCounter, parseDocument } from "yaml";
import { messageOf } from "../observe/message-of.ts";
import { ConfigError, type ConfigProblem } from "./config-error.ts";

export type Path = readonly PropertyKey[];

/** Where a value stands. */
export interface ConfigPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

interface ConfigSource {
  readonly file: string;
  readonly document: Document;
  readonly lines: LineCounter;
}

interface Origin {
  readonly source: ConfigSource;
  readonly path: Path;
}

export class ConfigSources {
  readonly value: unknown;
  readonly #origins = new Map<string, Origin>();
  /** What the value being merged stands in. */
  readonly #around = new Set<unknown>();

  /** Reads a file and its drop-ins. Throws ConfigError. */
  static async read(file: string): Promise<ConfigSources> {
    const texts = [{ file, text: await textOf(file) }];
    const directory = `${file}.d`;
    const names = await readdir(directory).catch((error: unknown) => {
      if (codeOf(error) === "ENOENT") return [];
      throw unreadable(directory, error);
    });
    for (const name of names.filter((each) => /^[^.].*\.ya?ml$/.test(each)).sort()) {
      texts.push({ file: join(directory, name), text: await textOf(join(directory, name)) });
    }
    return new ConfigSources(texts);
  }

  constructor(texts: readonly { readonly file: string; readonly text: string }[]) {
    let merged: unknown = {};
    for (const source of texts.map(parse)) {
      const value = valueOf(source);
      if (value !== null && value !== undefined) merged = this.#merge(merged, value, { source, path: [] }, []);
    }
    this.value = merged;
  }

  /** Where a value stands, or the nearest section around it; undefined for what no file has. */
  placeOf(path: Path): ConfigPlace | undefined {
    for (let length = path.length; length > 0; length--) {
      const origin = this.#origins.get(pathText(path.slice(0, length)));
      const place = origin && placeIn(origin, path.slice(length));
      if (place !== undefined) return place;
    }
    return undefined;
  }

  #merge(before: unknown, value: unknown, from: Origin, path: Path): unknown {
    this.#origins.set(pathText(path), from);
    if (typeof value !== "object" || value === null) return value;
    if (this.#around.has(value)) throw wrongAlias(from.source, placeIn(from, []), "an alias stands in what it repeats");
    this.#around.add(value);
    const merged = this.#mergeWithin(before, value, from, path);
    this.#around.delete(value);
    return merged;
  }

  #mergeWithin(before: unknown, value: object, from: Origin, path: Path): unknown {
    const within = (key: PropertyKey, at: PropertyKey) =>
      [{ source: from.source, path: [...from.path, key] }, [...path, at]] as const;
    if (Array.isArray(value)) {
      const earlier: unknown[] = Array.isArray(before) ? before : [];
      const added = value.map((each, index) => this.#merge(undefined, each, ...within(index, earlier.length + index)));
      return [...earlier, ...added];
    }
    const merged = isSection(before) ? { ...before } : {};
    for (const [key, each] of Object.entries(value)) merged[key] = this.#merge(merged[key], each, ...within(key, key));
    return merged;
  }
}

export function pathText(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    return text === "" ? String(step) : `${text}.${String(step)}`;
  }, "");
}

async function textOf(file: string): Promise<string> {
  return await readFile(file, "utf8").catch((error: unknown) => {
    throw unreadable(file, error);
  });
}

function unreadable(path: string, cause: unknown): ConfigError {
  const hint =
    codeOf(cause) === "EACCES"
      ? "this user may not; for the service, `chgrp dlms-gateway` and `chmod 640` let it"
      : "`dlms-gateway config sample` prints a configuration to start from";
  return new ConfigError(path, [{ path: "", message: `can't be read (${codeOf(cause)}); ${hint}` }], { cause });
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

function parse({ file, text }: { readonly file: string; readonly text: string }): ConfigSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problems = document.errors.map((error): ConfigProblem => {
    const { line, col } = lines.linePos(error.pos[0]);
    return { path: "", line, column: col, message: error.message };
  });
  if (problems.length > 0) throw new ConfigError(file, problems);
  return { file, document, lines };
}

/** Throws ConfigError for an alias of nothing, and for aliases of aliases that repeat without end. */
function valueOf(source: ConfigSource): unknown {
  try {
    return source.document.toJS();
  } catch (error) {
    throw wrongAlias(source, undefined, messageOf(error));
  }
}

function wrongAlias({ file }: ConfigSource, place: ConfigPlace | undefined, message: string): ConfigError {
  return new ConfigError(file, [{ path: "", ...place, message }]);
}

function placeIn({ source, path }: Origin, rest: Path): ConfigPlace | undefined {
  const node: unknown = source.document.getIn([...path, ...rest], true);
  const range = isRanged(node) ? node.range : undefined;
  if (range === undefined || range === null) return undefined;
  const { line, col } = source.lines.linePos(range[0]);
  return { file: source.file, line, column: col };
}

function isRanged(node: unknown): node is { range: [number, number, number] | null } {
  return typeof node === "object" && node !== null && "range" in node;
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
