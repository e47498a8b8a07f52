/** The command line as people use it: real processes, their output, their exit codes. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, glob, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { stringify } from "yaml";
import { streetConfiguration } from "../../src/cli/demo/demo-street.ts";
import { type Street, startStreet } from "../../src/simulator/street.ts";
import { COMMAND, run } from "./command.ts";

let directory: string;
let street: Street;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "dlms-gateway-cli-"));
  await chmod(directory, 0o711);
  street = await startStreet({ count: 9, faults: { 6: "wrong-keys" } });
});
afterAll(async () => {
  await street.close();
  await rm(directory, { recursive: true, force: true });
});

test("demo --once: reads the street, prints queries with results, exits 0", async () => {
  const { code, out, err } = await run(["demo", "--once", "--meters", "5"]);
  expect(err).toBe("");
  expect(code).toBe(0);
  expect(out).toMatch(/5 of 5 meters read in [\d.]+ s: [\d,]+ rows/);
  expect(out.match(/^-- .*\?$/gm)).toHaveLength(3);
  expect(out).toMatch(/^D1 +\d+ +\d{3,} /m);
}, 120_000);

test("demo --once --faults: meters that fail are named with cause and next step, and the exit code says so", async () => {
  const { code, out, err } = await run(["demo", "--once", "--faults", "--meters", "6"]);
  expect(code).toBe(4);
  expect(out).toContain("3 of 6 meters read");
  expect(err).toMatch(/^d2-02: wrong .*\n {2}seen {2}.*\n {2}next {2}/m);
  expect(err).toMatch(/^idis-04: no answer\n/m);
  expect(err).toMatch(/^d1-06: association refused\n/m);
}, 120_000);

test("read --tcp: a meter without daemon or database, as table and as JSON", async () => {
  const [meter] = await streetConfiguration(street.meters.slice(8, 9), join(directory, "direct"));
  const { connection, association } = meter ?? {};
  const args = ["read", "--tcp", connection?.tcp ?? "", "--link", connection?.link ?? ""];
  if (connection?.physicalAddress !== undefined) args.push("--physical-address", `${connection.physicalAddress}`);
  args.push("--client-sap", `${association?.clientSap}`, "--auth", association?.mechanism ?? "none");
  const { secret, security } = association ?? {};
  if (secret !== undefined) args.push("--secret", secret);
  if (security !== undefined) {
    args.push("--block-cipher-key", security.blockCipherKey ?? "", "--client-title", security.clientSystemTitle);
    args.push("--authentication-key", security.authenticationKey ?? "", "--counter", security.invocationCounter ?? "");
    args.push("--protection", security.protection ?? "");
  }
  args.push("--companion", meter?.companion ?? "", "--time-zone", meter?.timeZone ?? "UTC");
  args.push("--counters", join(directory, "counters"), "--record", join(directory, "session.jsonl"));
  const table = await run([...args, "clock"]);
  expect(table.err).toContain("1 row from");
  expect(table.code).toBe(0);
  expect(table.out.split("\n")[0]).toMatch(/^meter clock +instant +ahead of ours \[s\]$/);
  const json = await run([...args, "block", "--from", new Date(Date.now() - 7_200_000).toISOString(), "--json"]);
  expect(json.err).toMatch(/the session was not recorded: EEXIST/);
  const answer: unknown = JSON.parse(json.out);
  expect(answer).toMatchObject({ what: "block", columns: expect.any(Array), rows: expect.any(Array) });
});

test("read: a dead port is named with cause and next step, exit code 4", async () => {
  const { code, err } = await run(["read", "--tcp", "127.0.0.1:1", "clock"]);
  expect(code).toBe(4);
  expect(err).toMatch(/port refused\n {2}seen +.*ECONNREFUSED.*\n {2}likely +.*most likely.*\n {2}next +/);
});

test.each([
  [["read"], 2, "say METER and WHAT"],
  [["raed"], 2, "Did you mean read?"],
  [["read", "--tcp", "127.0.0.1:1", "everything"], 1, "instant, block, block_load"],
  [["read", "m", "clock", "--auth", "lls", "--client-sap", "32"], 2, "--auth, --client-sap without --tcp or --serial"],
  [["demo", "--meters", "many"], 2, "a number from 1"],
  [["config", "check", "/nowhere.yaml"], 3, "can't be read (ENOENT)"],
  [["decode", "zz"], 2, "HEX_INVALID"],
] as const)("%j exits with %i and says what is wrong", async (args, wanted, message) => {
  const { code, out, err } = await run(args);
  expect(err + out).toContain(message);
  expect(code).toBe(wanted);
});

test("decode: a trace pasted with blanks becomes a tree, exit code 0", async () => {
  const { code, out } = await run(["decode", "C0 01", "C1 0008 0000010000FF 02 00"]);
  expect(code).toBe(0);
  expect(out).toMatch(/get-request/);
  expect(out).toMatch(/0-0:1\.0\.0\*255/);
});

test("run: polls, answers by name, drains on SIGTERM, and goes on where it was after a restart", async () => {
  const file = join(directory, "gateway.yaml");
  const socket = join(directory, "control.sock");
  const meters = await streetConfiguration(street.meters, join(directory, "keys"));
  await writeFile(file, stringify({ stateDirectory: directory, socket, log: { level: "debug" }, meters }));
  expect((await run(["config", "check", file])).out).toContain("good; 9 meters");
  const first = await startDaemon(file);
  await first.heard(`"event":"rowsStored"`, 60_000);
  const name = street.meters[0]?.name ?? "";
  const answer = await run(["read", name, "clock", "--socket", socket]);
  expect(answer.err).toContain(`1 row from ${name}`);
  const toMs = Date.now() - 86_400_000;
  const times = ["--from", new Date(toMs - 3 * 3_600_000).toISOString(), "--to", new Date(toMs).toISOString()];
  const hours = await run(["read", name, "block", ...times, "--csv", "--socket", socket]);
  // The header, and a row each half hour.
  expect(hours.out.trim().split("\n")).toHaveLength(1 + 6);
  const failed = await run(["read", street.meters[6]?.name ?? "", "clock", "--socket", socket]);
  expect(failed.code).toBe(4);
  expect(failed.err).toMatch(/wrong (block key|password|authentication key)/);
  expect(await first.stop()).toBe(0);
  expect(first.output()).toContain('"event":"gatewayStopped"');
  const second = await startDaemon(file);
  expect(await second.stop()).toBe(0);
}, 120_000);

test("run: SIGTERM while the database is being made ends daemon and database in order", async () => {
  const state = join(directory, "early");
  const file = join(directory, "early.yaml");
  await writeFile(file, stringify({ stateDirectory: state, socket: join(directory, "early.sock"), meters: [] }));
  const child = spawn(COMMAND, ["run", "--config", file], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const output = text(child.stdout);
  await vi.waitUntil(() => existsSync(state), { timeout: 30_000 });
  child.kill("SIGTERM");
  expect(await ended).toBe(0);
  expect(await output).toContain('"event":"gatewayStopped"');
  for await (const left of glob(join(state, "**/postmaster.pid"))) expect.fail(`${left} is left`);
});

test("run: a sealing key that can't be had is a fault of the configuration: exit code 3, the reference named", async () => {
  const file = join(directory, "no-secret.yaml");
  const secret = "env:DLMS_GATEWAY_NO_SUCH";
  const places = { stateDirectory: join(directory, "no-secret"), socket: join(directory, "no-secret.sock") };
  await writeFile(file, stringify({ ...places, keys: { sealingKey: secret } }));
  const { code, err } = await run(["run", "--config", file]);
  expect(err).toContain(`${secret}: the secret can't be read: the environment variable is not set`);
  expect(code).toBe(3);
});

interface Daemon {
  heard(text: string, timeoutMs: number): Promise<void>;
  output(): string;
  stop(): Promise<number | null>;
}

async function startDaemon(file: string): Promise<Daemon> {
  const child: ChildProcess = spawn(COMMAND, ["run", "--config", file], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout?.on("data", (chunk: Uint8Array) => {
    output += new TextDecoder().decode(chunk);
  });
  const errors = child.stderr === null ? Promise.resolve("") : text(child.stderr);
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const heard = async (wanted: string, timeoutMs: number) => {
    const deadline = Date.now() + timeoutMs;
    while (!output.includes(wanted)) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`no ${wanted}: ${output}${await errors}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  await heard('"event":"gatewayStarted"', 30_000);
  return {
    heard,
    output: () => output,
    stop: () => {
      child.kill("SIGTERM");
      return ended;
    },
  };
}
