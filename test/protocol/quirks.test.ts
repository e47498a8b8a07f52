/** A quirk that nothing tests is a claim: each name has to stand in a test. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ALL_QUIRKS, METER_QUIRK_NAMES, NO_QUIRKS } from "../../protocol/quirks.ts";

const TESTS = join(import.meta.dirname, "..");

function testText(): string {
  const files = globSync("**/*.{ts,json}", { cwd: TESTS }).filter((file) => !file.endsWith("quirks.test.ts"));
  return files.map((file) => readFileSync(join(TESTS, file), "utf8")).join("\n");
}

test("quirks: each is met by a test, those of octets and those of meters", () => {
  const text = testText();
  const untested = [...ALL_QUIRKS, ...METER_QUIRK_NAMES].filter((name) => !text.includes(`"${name}"`));
  expect(untested).toEqual([]);
  expect(NO_QUIRKS.size).toBe(0);
});
