import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, stat, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { demoDirectory, keptDirectory } from "../../src/cli/demo/demo-directory.ts";
import { lockDirectory } from "../../src/store/server/directory-lock.ts";

const COMMAND = join(import.meta.dirname, "../../bin/dlms-gateway");
const LONG_AGO = new Date(Date.now() - 3_600_000);

async function oldDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-demo-"));
  await mkdir(join(directory, "data/postgres/data"), { recursive: true });
  await utimes(directory, LONG_AGO, LONG_AGO);
  return directory;
}

test("demo directory: what a killed demo left is cleared, what is in use or young stays", async () => {
  const abandoned = await oldDirectory();
  const used = await oldDirectory();
  const young = await mkdtemp(join(tmpdir(), "dlms-gateway-demo-"));
  const unlock = await lockDirectory(join(used, "data/postgres"));
  const stack = new AsyncDisposableStack();
  const directory = await demoDirectory(stack);
  expect([abandoned, used, young, directory].map((each) => existsSync(each))).toEqual([false, true, true, true]);
  await stack.disposeAsync();
  expect(existsSync(directory)).toBe(false);
  await unlock();
  await Promise.all([used, young].map((each) => rm(each, { recursive: true })));
});

test("demo directory: one that is to stay is made, and passable for the database's user whatever comes into it", async () => {
  const parent = await mkdtemp(join(tmpdir(), "dlms-gateway-test-"));
  const directory = await keptDirectory(join(parent, "kept/here"));
  await mkdir(join(directory, "keys"), { recursive: true, mode: 0o700 });
  for (const each of [directory, join(parent, "kept")]) expect((await stat(each)).mode & 0o011).toBe(0o011);
  expect(await keptDirectory(directory)).toBe(directory);
  await rm(parent, { recursive: true });
});

test("demo directory: a demo whose reader goes away ends in order and leaves nothing", async () => {
  const child = spawn(COMMAND, ["demo", "--meters", "1"], { stdio: ["ignore", "pipe", "ignore"] });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  let output = "";
  for await (const chunk of child.stdout) {
    output += String(chunk);
    if (output.includes("; data in ")) break;
  }
  expect(await ended).toBe(0);
  expect(existsSync(/; data in (\S+)/.exec(output)?.[1] ?? "/")).toBe(false);
});

test("demo directory: a demo that is stopped by a signal leaves nothing", async () => {
  const child = spawn(COMMAND, ["demo", "--meters", "1"], { stdio: ["ignore", "pipe", "ignore"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  let output = "";
  for await (const chunk of child.stdout) {
    output += String(chunk);
    if (output.includes("Ctrl-C")) break;
  }
  const directory = /; data in (\S+)/.exec(output)?.[1] ?? "";
  expect(existsSync(directory)).toBe(true);
  child.kill("SIGTERM");
  await ended;
  expect(existsSync(directory)).toBe(false);
});
