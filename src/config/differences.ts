/** What differs between two configurations, place by place; elements of lists that have names are told by them. */
import { isDeepStrictEqual } from "node:util";
import type { Config } from "./schema.ts";

export interface ConfigDifference {
  /** As polling.concurrency or meters[feeder-7].connection.tcp. */
  readonly path: string;
  /** Undefined for what was not there, or is not there any more. */
  readonly before: unknown;
  readonly after: unknown;
}

type Section = Readonly<Record<string, unknown>>;

export function configDifferences(before: Config, after: Config): ConfigDifference[] {
  return differences("", before, after);
}

/** One line for people. Addresses of the web may hold what lets others in: they are not shown. */
export function differenceText({ path, before, after }: ConfigDifference): string {
  if (before === undefined) return `${path} added`;
  if (after === undefined) return `${path} removed`;
  const text = `${JSON.stringify(before)} -> ${JSON.stringify(after)}`;
  return text.length > LONGEST_SHOWN || text.includes("://") ? `${path} changed` : `${path}: ${text}`;
}

const LONGEST_SHOWN = 160;

function differences(path: string, before: unknown, after: unknown): ConfigDifference[] {
  if (isDeepStrictEqual(before, after)) return [];
  const [from, to] = [partsOf(before), partsOf(after)];
  if (from === undefined || to === undefined) return [{ path, before, after }];
  const keys = new Set([...Object.keys(from), ...Object.keys(to)]);
  const isList = Array.isArray(before);
  return [...keys].flatMap((key) => {
    const below = isList ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
    return differences(below, from[key], to[key]);
  });
}

/** Fields of a section, or elements of a list by name; undefined for what is told as a whole. */
function partsOf(value: unknown): Section | undefined {
  if (Array.isArray(value))
    return value.every(isNamed) ? Object.fromEntries(value.map((each) => [each.name, each])) : undefined;
  return isSection(value) ? value : undefined;
}

function isNamed(value: unknown): value is Section & { readonly name: string } {
  return isSection(value) && typeof value["name"] === "string";
}

function isSection(value: unknown): value is Section {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
