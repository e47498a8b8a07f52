import { randomBytes } from "node:crypto";
import { appendFile, mkdtemp, readFile, rm, stat, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { systemTitle } from "../../../protocol/security/system-title.ts";
import { CounterFile } from "../../../src/keys/counter-file.ts";
import type { CounterName } from "../../../src/keys/counter-reservations.ts";

const TITLE = systemTitle(fromHex("4d4d4d0000000001"));
const NAME: CounterName = { keyId: "meter 1/blockCipherKey/1", systemTitle: TITLE, association: "48" };
const OTHER: CounterName = { ...NAME, association: "" };
const randomOctets = (length: number) => new Uint8Array(randomBytes(length));

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "dlms-gateway-counters-"));
});
afterAll(async () => rm(directory, { recursive: true, force: true }));

const pathOf = (name: string) => join(directory, name, "counters");

test("counter file: reservations follow one another, each name for itself, also after a new start", async () => {
  const path = pathOf("restart");
  {
    await using file = await CounterFile.open({ path, randomOctets });
    expect(await file.reserve(NAME, 100, 0)).toBe(0);
    expect(await file.reserve(OTHER, 10, 7)).toBe(7);
    expect(await file.reserve(NAME, 100, 0)).toBe(100);
  }
  await using again = await CounterFile.open({ path, randomOctets });
  expect(await again.reserve(NAME, 1, 50)).toBe(200);
  expect(await again.reserve(OTHER, 1, 0)).toBe(17);
  expect((await stat(path)).mode & 0o077).toBe(0);
});

test("counter file: many at once, from two openings, get ranges that do not touch", async () => {
  const path = pathOf("many");
  await using one = await CounterFile.open({ path, randomOctets });
  await using two = await CounterFile.open({ path, randomOctets });
  const firsts = await Promise.all(
    Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? one : two).reserve(NAME, 10, i === 31 ? 1000 : 0)),
  );
  const sorted = [...firsts].sort((a, b) => a - b);
  for (const [i, first] of sorted.entries()) expect(first - (sorted[i - 1] ?? -10)).toBeGreaterThanOrEqual(10);
});

test("counter file: a line torn at any octet costs counters at most, and never gives one out twice", async () => {
  const path = pathOf("torn");
  const file = await CounterFile.open({ path, randomOctets });
  await file.reserve(NAME, 100, 0);
  const whole = (await stat(path)).size;
  await file.reserve(NAME, 100, 0);
  await file.close();
  const octets = await readFile(path);
  for (let length = whole; length < octets.length; length++) {
    await truncate(path, whole);
    await appendFile(path, octets.subarray(whole, length));
    await using again = await CounterFile.open({ path, randomOctets });
    expect([100, 200]).toContain(await again.reserve(NAME, 5, 0));
    expect([105, 205]).toContain(await again.reserve(NAME, 5, 0));
  }
});

test("counter file: what is known goes into the line, so a lost line before it takes nothing back", async () => {
  const path = pathOf("lost");
  const file = await CounterFile.open({ path, randomOctets });
  await file.reserve(NAME, 100, 0);
  const first = (await stat(path)).size;
  await file.reserve(NAME, 100, 0);
  await file.close();
  const octets = await readFile(path);
  await truncate(path, 0);
  await appendFile(path, new Uint8Array(first));
  await appendFile(path, octets.subarray(first));
  await using again = await CounterFile.open({ path, randomOctets });
  expect(await again.reserve(NAME, 1, 0)).toBe(200);
});

test("counter file: counts and floors that cannot be are refused; so are those beyond the highest counter", async () => {
  await using file = await CounterFile.open({ path: pathOf("range"), randomOctets });
  for (const [count, floor] of [
    [0, 0],
    [1.5, 0],
    [1, -1],
    [1, Number.NaN],
  ] as const)
    await expect(file.reserve(NAME, count, floor)).rejects.toMatchObject({ code: "DATA_OUT_OF_RANGE" });
  expect(await file.reserve(NAME, 16, 0xffff_fff0)).toBe(0xffff_fff0);
  await expect(file.reserve(NAME, 1, 0)).rejects.toMatchObject({ code: "SECURITY_COUNTER_EXHAUSTED" });
});

test("counter file: a path that cannot be says so and what to do", async () => {
  const path = join(pathOf("range"), "below a file");
  await expect(CounterFile.open({ path, randomOctets })).rejects.toMatchObject({
    code: "COUNTER_FILE_UNUSABLE",
    nextStep: expect.stringContaining("directory"),
  });
});
