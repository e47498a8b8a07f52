/** Holds what was decoded against what a case says, and names each difference by its path. */
import { isFacts } from "./case.ts";

/** A fact that sources write in several ways; it fits when one of them does. */
export class OneOf {
  readonly forms: readonly unknown[];

  constructor(...forms: readonly unknown[]) {
    this.forms = forms;
  }
}

/** A fact that needs a rule of its own: gives the differences, each to be put behind the path. */
export class Fits {
  readonly differences: (expected: unknown) => readonly string[];

  constructor(differences: (expected: unknown) => readonly string[]) {
    this.differences = differences;
  }
}

/**
 * The differences between an expected and an actual value. Objects may hold more than was expected; what was expected
 * must be there. Hexadecimal text is compared without regard to case, everything else as it is.
 */
export function differences(expected: unknown, actual: unknown, path: string): string[] {
  if (actual instanceof Fits) return actual.differences(expected).map((each) => `${path}${each}`);
  if (actual instanceof OneOf) return oneOfDifferences(expected, actual, path);
  if (Array.isArray(expected)) return arrayDifferences(expected, actual, path);
  if (isFacts(expected)) {
    if (!isFacts(actual)) return [`${path}: expected ${brief(expected)}, got ${brief(actual)}`];
    return Object.keys(expected).flatMap((key) => differences(expected[key], actual[key], `${path}.${key}`));
  }
  if (Object.is(expected, actual) || sameText(expected, actual)) return [];
  // The JSON of a case has no negative zero.
  if (expected === 0 && actual === 0) return [];
  return [`${path}: expected ${brief(expected)}, got ${brief(actual)}`];
}

function oneOfDifferences(expected: unknown, { forms }: OneOf, path: string): string[] {
  const tried = forms.map((form) => differences(expected, form, path));
  return tried.find((each) => each.length === 0) ?? tried[0] ?? [];
}

function arrayDifferences(expected: readonly unknown[], actual: unknown, path: string): string[] {
  if (!Array.isArray(actual)) return [`${path}: expected ${expected.length} elements, got ${brief(actual)}`];
  if (expected.length !== actual.length) {
    return [`${path}: expected ${expected.length} elements, got ${actual.length}`];
  }
  return expected.flatMap((each, index) => differences(each, actual[index], `${path}[${index}]`));
}

function sameText(expected: unknown, actual: unknown): boolean {
  if (typeof expected !== "string" || typeof actual !== "string") return false;
  const hex = /^[0-9a-f]*$/i;
  return hex.test(expected) && hex.test(actual) && expected.toLowerCase() === actual.toLowerCase();
}

const BRIEF_LENGTH = 70;

function brief(value: unknown): string {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length > BRIEF_LENGTH ? `${text.slice(0, BRIEF_LENGTH)}…` : text;
}
