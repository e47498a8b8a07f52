import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const USER = join(import.meta.dirname, "counter-user.ts");
const KILLS = 52;
const AT_ONCE = 3;
const LONGEST_LIFE_MS = 40;

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "dlms-gateway-kill-"));
});
afterAll(async () => rm(directory, { recursive: true, force: true }));

/** Runs a user of counters, kills it with signal 9 some time after its first counter; the counters that it used. */
async function killedUser(path: string): Promise<number[]> {
  const child = spawn(process.execPath, [USER, path], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8");
  child.stdout.once("data", () => setTimeout(() => child.kill("SIGKILL"), Math.random() * LONGEST_LIFE_MS));
  child.stdout.on("data", (text: string) => {
    output += text;
  });
  const signal = await new Promise((resolve) => child.once("close", (_code, by) => resolve(by)));
  expect(signal).toBe("SIGKILL");
  return output.split("\n").slice(0, -1).map(Number);
}

test("counters: processes killed at any moment, several at once, never use one twice", async () => {
  const path = join(directory, "counters");
  const used: number[][] = [];
  const runner = async (): Promise<void> => {
    while (used.length < KILLS) used.push(await killedUser(path));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, runner));
  const counters = used.flat();
  expect(used.length).toBeGreaterThanOrEqual(KILLS);
  expect(counters.length).toBeGreaterThan(KILLS);
  expect(counters.every((counter) => Number.isInteger(counter))).toBe(true);
  expect(counters.length - new Set(counters).size).toBe(0);
});
