/**
 * Every secret of a gateway that works, searched for in whatever somebody else may see: what it logs, answers, keeps and
 * writes, and what its commands print. Some meters have wrong keys, so that failures are among it.
 */
import { execFile } from "node:child_process";
import { chmod, glob, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test, vi } from "vitest";
import { z } from "zod";
import { fromHex, toHex } from "../../protocol/bytes/hex.ts";
import { streetConfiguration } from "../../src/cli/demo/demo-street.ts";
import { type StreetMeter, startStreet } from "../../src/simulator/street.ts";
import { query } from "../db/query.ts";
import { useTestDatabase } from "../db/test-database.ts";
import { Canaries } from "../protocol/security/canaries.ts";
import { type ConfigInput, FleetDaemon, WAIT } from "./fleet-daemon.ts";

const CLI = join(import.meta.dirname, "../../src/cli/main.ts");
/** Ciphered with its keys in the store; ciphered with wrong ones in files; with a password. */
const [STORED, WRONG, PASSWORD] = [0, 1, 5] as const;
const COUNT = 6;
const ARGUMENTS: Readonly<Record<string, string>> = { id: "1", kind: "block-load", name: "canary" };
/** They stay open; what they tell is in the log, and in what `trace` prints. */
const STREAMS = new Set(["/v1/live", "/v1/meters/{meter}/trace", "/v1/pushes/trace"]);
const current = useTestDatabase();
const run = promisify(execFile);

function textOctets(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Keys by any part of them, passwords as a whole: those of the street are numbers. */
function watchMeter(canaries: Canaries, { secret, security }: StreetMeter): void {
  for (const key of [security?.blockCipherKey, security?.authenticationKey]) {
    if (key !== undefined) canaries.watch(fromHex(key));
  }
  if (secret !== undefined) canaries.watch(textOctets(secret), secret.length);
}

async function everyRow(url: string): Promise<string> {
  const tables = await query(
    url,
    "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname in ('public', 'dlms')",
  );
  const rows = await Promise.all(
    tables.map(([table]) => query(url, `select '${String(table)} ' || t::text from ${String(table)} t`)),
  );
  return rows.flat().join("\n");
}

/** What the API answers to everything that can be got of it. */
async function everyAnswer(address: string, token: string, meter: string): Promise<string> {
  const headers = { authorization: `Bearer ${token}` };
  const got = async (path: string) => {
    const response = await fetch(`${address}${path}`, { headers });
    return { path, status: response.status, body: await response.text() };
  };
  const document = z.object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) });
  const { paths } = document.parse(JSON.parse((await got("/openapi.json")).body));
  const gettable = Object.keys(paths).filter((path) => "get" in (paths[path] ?? {}) && !STREAMS.has(path));
  const answers = await Promise.all(
    [...gettable, "/metrics"].map((path) =>
      got(path.replaceAll(/\{(\w+)\}/g, (_, name: string) => (name === "meter" ? meter : (ARGUMENTS[name] ?? "")))),
    ),
  );
  expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(answers.length / 2);
  return answers.map(({ path, body }) => `${path} ${body}`).join("\n");
}

test("canary: a gateway shows no secret in logs, answers, tables, files and what its commands print", async () => {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-canary-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  await chmod(directory, 0o711);
  const street = stack.use(await startStreet({ count: COUNT }));
  const meters = await streetConfiguration(street.meters, join(directory, "keys"));
  const canaries = new Canaries();
  for (const meter of street.meters) watchMeter(canaries, meter);
  const houses = [STORED, WRONG, PASSWORD].map((house) => street.meters[house]?.name ?? "");
  const [stored = "", wrong = "", password = ""] = houses;
  const { url } = current();
  canaries.watch(textOctets(new URL(url).password));
  const secretFile = async (name: string, text: string) => {
    await writeFile(join(directory, "keys", name), text, { mode: 0o600 });
    return `file:${join(directory, "keys", name)}`;
  };
  const sealingKey = await secretFile("sealing-key", toHex(canaries.octets(32)));
  const wrongKey = await secretFile("wrong-key", toHex(canaries.octets(16)));
  const ofStored = meters[STORED]?.association;
  const ofWrong = meters[WRONG]?.association;
  if (ofStored?.security === undefined || ofWrong?.security === undefined)
    throw new Error("the street has other houses");
  Object.assign(ofStored, { secret: "stored" });
  Object.assign(ofStored.security, { blockCipherKey: "stored", authenticationKey: "stored" });
  Object.assign(ofWrong.security, { blockCipherKey: wrongKey });
  const config: ConfigInput = {
    database: { url: await secretFile("url", url) },
    keys: { sealingKey },
    api: { listen: { port: 0 } },
    plans: [
      { profile: "instant", every: "1s" },
      { profile: "block_load", every: "15m", history: "1d" },
    ],
    meters,
  };
  const shown = new Map<string, string>();
  const daemon = stack.use(await FleetDaemon.start("canary", { directory, config }));
  await daemon.untilTold("gatewayStarted");
  const place = { config: join(directory, "canary/gateway.yaml"), socket: daemon.socket };
  /** What a command prints, whatever becomes of it. */
  const command = async (...words: string[]): Promise<string> => {
    const { stdout, stderr } = await run(process.execPath, [CLI, ...words]).catch((failed) => failed);
    shown.set(words.slice(0, 2).join(" "), `${stdout}${stderr}`);
    return stdout;
  };
  const { secret = "", clientSap, security } = street.meters[STORED] ?? {};
  const lines = [
    "meter,client,role,key",
    `${stored},${clientSap},password,${secret}`,
    `${stored},,guek,${security?.blockCipherKey}`,
    `${stored},${clientSap},authenticationKey,${security?.authenticationKey}`,
  ];
  await secretFile("delivery.csv", lines.join("\n"));
  expect(await command("keys", "import", join(directory, "keys/delivery.csv"), "--config", place.config)).toContain(
    "blockCipherKey",
  );
  const told = (event: string) => new Set(daemon.told(event).map(({ meter }) => meter));
  await vi.waitFor(() => {
    expect([...told("meterPolled")]).toContain(password);
    expect([...told("meterFailed")]).toContain(wrong);
  }, WAIT);

  const made = await command("tokens", "create", "--name", "canary", "--role", "admin", "--config", place.config);
  shown.delete("tokens create");
  const token = made.trim();
  canaries.watch(textOctets(token), token.length);
  await command("keys", "list", "--config", place.config);
  await command("counters", "list", "--config", place.config);
  await command("doctor", "--config", place.config);
  await command("config", "explain", "keys.sealingKey", "--config", place.config);
  await command("config", "check", place.config);
  await command("meters", "list", "--json", "--socket", place.socket);
  await command("tokens", "list", "--config", place.config);
  for (const meter of houses) {
    const to = (name: string) => join(directory, "canary", `${meter}.${name}`);
    const answer = await command("read", meter, "clock", "--socket", place.socket);
    expect(answer.includes("meter clock")).toBe(meter !== wrong);
    const files = ["--to", to("jsonl"), "--pcapng", to("pcapng"), "--octets", "--all", "--read", "clock"];
    await command("trace", meter, ...files, "--socket", place.socket);
    await command("support", meter, "--out", to("support"), "--socket", place.socket);
  }
  const address = String(daemon.told("apiListening")[0]?.["address"]);
  shown.set("answers", await everyAnswer(address, token, stored));
  shown.set("rows", await everyRow(url));
  daemon.signal("SIGTERM");
  expect(await daemon.ended()).toBe(0);
  shown.set("log", `${daemon.errors}${daemon.lines.map((line) => JSON.stringify(line)).join("\n")}`);
  for await (const file of glob("canary/**/*.*", { cwd: directory })) {
    const octets = await readFile(join(directory, file)).catch(() => undefined);
    if (octets !== undefined) shown.set(file, `${octets.toString("latin1")}${octets.toString("hex")}`);
  }

  expect(canaries.leaksIn(lines.join("\n"))).not.toEqual([]);
  const found = [...shown].map(([where, text]) => [where, canaries.leaksIn(text)] as const);
  expect(found.filter(([, leaks]) => leaks.length > 0)).toEqual([]);
}, 180_000);
