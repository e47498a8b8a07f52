import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { pseudonymSalt } from "../../../../src/cli/commands/pseudonym-salt.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "dlms-salt-"));
});
afterEach(() => rm(directory, { recursive: true }));

test("pseudonym salt: drawn once, the same for all that start at once, and for their user alone", async () => {
  const file = join(directory, "state", "pseudonyms");
  const salts = await Promise.all([1, 2, 3].map(() => pseudonymSalt(file)));
  expect(new Set(salts.map((salt) => Buffer.from(salt).toString("hex")))).toEqual(
    new Set([(await readFile(file, "utf8")).trim()]),
  );
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readdir(join(directory, "state"))).toEqual(["pseudonyms"]);
});

test.each([
  ["something else", "not a salt"],
  ["nothing, as after a crash,", ""],
  ["a part of it", "00112233"],
])("pseudonym salt: a file that holds %s is named, with what to do", async (_, content) => {
  const file = join(directory, "pseudonyms");
  await writeFile(file, content);
  await expect(pseudonymSalt(file)).rejects.toThrow(`${file} holds no salt for pseudonyms; take it away`);
  expect(await readFile(file, "utf8")).toBe(content);
});
