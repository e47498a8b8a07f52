import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ownSystemTitle } from "../../../../src/cli/commands/own-title.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "dlms-title-"));
});
afterEach(() => rm(directory, { recursive: true }));

test("own title: drawn once for a counter file, another for another", async () => {
  const titles = await Promise.all(["a", "a", "b"].map((name) => ownSystemTitle(join(directory, name))));
  expect(titles[0]).toMatch(/^444c47[0-9a-f]{10}$/);
  expect(titles[1]).toBe(titles[0]);
  expect(await ownSystemTitle(join(directory, "a"))).toBe(titles[0]);
  expect(titles[2]).not.toBe(titles[0]);
});

test("own title: a file that holds something else is refused by name", async () => {
  await writeFile(join(directory, "a.title"), "not a title");
  await expect(ownSystemTitle(join(directory, "a"))).rejects.toThrow("holds no system title");
});
