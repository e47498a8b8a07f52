/** What a peer controls is bounded in one file: other bounds in protocol/ are facts of the standard, each named here. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const BOUND = /^const ([A-Z_]*(?:LIMIT|MAX|MOST|LARGEST|LONGEST)[A-Z_]*) = [\d(]/gmu;

/** Bounds that follow from an encoding or a formula, not from how much we are willing to take. */
const FACTS: ReadonlySet<string> = new Set([
  "LONGEST_PDU",
  "UNLIMITED_PDU",
  "DEFAULT_MAX_RECEIVE_PDU_SIZE",
  "MAX_DEVIATION",
  "MAX_FRAME_LENGTH",
  "MAX_INFO_LENGTH",
  "MAX_WINDOW",
  "WRAPPER_MAX_APDU_LENGTH",
  "MAX_UNUSED_BITS",
  "MAX_INTEGER_OCTETS",
  "LONGEST_LENGTH_FIELD",
  "MERCURY_LIMIT",
  // Of our own random numbers: no peer has a part in them.
  "MAX_DRAWS",
]);

test("limits: no other file of protocol/ bounds what a peer may send", () => {
  const files = globSync("protocol/**/*.ts", { cwd: ROOT }).filter((file) => !file.endsWith("limits.ts"));
  const found = files.flatMap((file) => {
    const text = readFileSync(join(ROOT, file), "utf8");
    return [...text.matchAll(BOUND)].flatMap(([, name = ""]) => (FACTS.has(name) ? [] : [`${file}: ${name}`]));
  });
  expect(files.length).toBeGreaterThan(100);
  expect(found).toEqual([]);
});
