/** Looking on at a meter of the running daemon, with the command line as people use it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { z } from "zod";
import { parseRecording } from "../../drivers/recording/recording.ts";
import { frameLine } from "../../src/api/answers/traces.ts";
import type { configSchema } from "../../src/config/schema.ts";
import { COMMAND, type Ended, run } from "./command.ts";
import { type GatewayOverStreet, gatewayOverStreet } from "./street.ts";

/** Wrapper with HLS and ciphering, and HDLC with a password. */
const CIPHERED = 0;
const PASSWORD = 5;

let over: GatewayOverStreet;
/** As the file of the configuration says them. */
let meters: z.input<typeof configSchema>["meters"];
beforeAll(async () => {
  over = await gatewayOverStreet({ count: 6 }, { configure: (config) => (meters = structuredClone(config.meters)) });
}, 120_000);
afterAll(() => over[Symbol.asyncDispose]());

function nameOf(house: number): string {
  return over.street.meters[house]?.name ?? "";
}

function trace(...args: string[]): Promise<Ended> {
  return run(["trace", ...args, "--socket", over.config.socket]);
}

function secretsOf(house: number): string[] {
  const { secret, security } = over.street.meters[house] ?? {};
  const hex = [security?.blockCipherKey, security?.authenticationKey].filter((key) => key !== undefined);
  return [...hex.map((key) => key.toLowerCase()), ...(secret === undefined ? [] : [secret.toLowerCase()])];
}

test.each([CIPHERED, PASSWORD])(
  "trace: a session of house %i is shown, recorded and captured without secrets",
  async (house) => {
    const stem = join(over.directory, `trace-${house}`);
    const files = ["--to", `${stem}.jsonl`, "--pcapng", `${stem}.pcapng`, "--octets", "--all"];
    const { code, out, err } = await trace(nameOf(house), "--read", "clock", ...files);
    expect([code, err]).toEqual([0, expect.stringContaining("ended after")]);
    expect(out).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2}\d+ → \d+ {2}(wrapper|hdlc) {2}aarq$/m);
    expect(out).toMatch(/get-request normal 8 \(Clock\) 0-0:1\.0\.0\*255 2 \(time\)/);
    expect(out).toMatch(/data {2}octet-string 07[0-9a-f]{22} \d{4}-\d\d-\d\d/);
    const recorded = await readFile(`${stem}.jsonl`, "utf8");
    expect(parseRecording(recorded).entries.at(-1)).toMatchObject({ dir: "end" });
    const captured = await readFile(`${stem}.pcapng`);
    expect(captured.subarray(0, 4).toString("hex")).toBe("0a0d0d0a");
    const secrets = secretsOf(house);
    expect(secrets.length).toBeGreaterThan(0);
    for (const secret of secrets) {
      for (const [where, octets] of [
        ["out", out.replaceAll(" ", "")],
        ["recording", recorded],
        ["capture", captured.toString("hex")],
      ]) {
        expect([where, octets?.toLowerCase().includes(secret)]).toEqual([where, false]);
        expect([where, octets?.toLowerCase().includes(Buffer.from(secret).toString("hex"))]).toEqual([where, false]);
      }
    }
  },
);

test("trace: scheduled sessions too, as JSON a line", async () => {
  const tracing = trace(nameOf(1), "--sessions", "1", "--json");
  const lineForm = z.object({ type: z.string() });
  // The poll has to begin when the trace listens.
  await expect
    .poll(
      async () => {
        await over.gateway.pollOnce();
        return Promise.race([tracing.then(() => "ended"), new Promise((resolve) => setTimeout(resolve, 500, "waits"))]);
      },
      { timeout: 60_000 },
    )
    .toBe("ended");
  const { code, out } = await tracing;
  const lines = out
    .trimEnd()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
  expect(code).toBe(0);
  expect(lineForm.parse(lines[0]).type).toBe("listening");
  expect(lines.filter((line) => frameLine.safeParse(line).success).length).toBeGreaterThan(10);
});

test("trace: an unknown meter is told with the nearest name", async () => {
  expect(await trace(`${nameOf(1)}x`, "--sessions", "1")).toMatchObject({
    code: 1,
    err: expect.stringContaining(`did you mean ${nameOf(1)}?`),
  });
});

test("decode --pcap: what was captured is deciphered with the keys that are given", async () => {
  const file = join(over.directory, `trace-${CIPHERED}.pcapng`);
  const { blockCipherKey = "", authenticationKey = "" } = over.config.meters[CIPHERED]?.association.security ?? {};
  const keys = ["--block-cipher-key", blockCipherKey, "--authentication-key", authenticationKey];
  const told = await run(["decode", "--pcap", file, ...keys]);
  expect([told.code, told.err]).toEqual([0, expect.stringContaining("tcp from 192.0.2.1:49152")]);
  expect(told.out).toMatch(/glo-get-request: get-request normal 8 \(Clock\)/);
  const without = await run(["decode", "--pcap", file]);
  expect(without.out).toContain("SECURITY_KEY_MISSING");
});

/** The command deciphers what is captured with the keys that a configuration names. */
async function decodedBy(config: object, ...words: string[]): Promise<string> {
  const file = join(over.directory, "capture.yaml");
  await writeFile(file, stringify(config), { mode: 0o600 });
  const told = await run([
    "decode",
    "--pcap",
    join(over.directory, `trace-${CIPHERED}.pcapng`),
    "--config",
    file,
    ...words,
  ]);
  expect(told).toMatchObject({ code: 0 });
  return told.out;
}

test("decode --pcap --config: keys are those of the meter at the address, of references or of the key store", async () => {
  const meter = meters?.[CIPHERED];
  if (meter?.association?.security === undefined) throw new Error("the street has other houses");
  const deciphered = /glo-get-request: get-request normal 8 \(Clock\)/;
  expect(await decodedBy({ meters: [meter] })).toMatch(deciphered);
  // All houses of the street are at one host.
  expect(await decodedBy({ meters })).toContain("SECURITY_KEY_MISSING");
  expect(await decodedBy({ meters }, "--meter", meter.name)).toMatch(deciphered);
  const { association } = meter;
  const { clientSap = 0, security } = association;
  const [sealingKey, keys] = ["sealing-key", "keys.csv"].map((name) => join(over.directory, name));
  const [secret = "", ...hex] = [over.street.meters[CIPHERED]?.secret, ...secretsOf(CIPHERED)];
  const lines = [`hlsSecret,${secret}`, `blockCipherKey,${hex[0]}`, `authenticationKey,${hex[1]}`];
  const imported = lines.map((line) => `${meter.name},${clientSap},${line}`).join("\n");
  await writeFile(sealingKey ?? "", "5a".repeat(32), { mode: 0o600 });
  await writeFile(keys ?? "", `meter,client,role,key\n${imported}\n`);
  process.env["TRACE_DATABASE_URL"] = over.gateway.databaseUrl;
  const store = { database: { url: "env:TRACE_DATABASE_URL" }, keys: { sealingKey: `file:${sealingKey}` } };
  const stored = { blockCipherKey: "stored", authenticationKey: "stored" };
  const locked = { ...meter, association: { ...association, secret: "stored", security: { ...security, ...stored } } };
  const file = join(over.directory, "store.yaml");
  await writeFile(file, stringify({ ...store, meters: [locked] }), { mode: 0o600 });
  expect(await run(["keys", "import", keys ?? "", "--config", file])).toMatchObject({ code: 0 });
  expect(await decodedBy({ ...store, meters: [locked] })).toMatch(deciphered);
});

test("simulate --recording: the meter that a recording was made of is there again", async () => {
  const file = join(over.directory, `trace-${PASSWORD}.jsonl`);
  const words = ["simulate", "--recording", file, "--loose", "--listen", "127.0.0.1:0"];
  const meter = spawn(COMMAND, words, { stdio: ["ignore", "pipe", "inherit"] });
  const [chunk] = await once(meter.stdout, "data");
  const [, host = "", port = ""] = /on ([\d.]+):(\d+)$/.exec(String(chunk).trimEnd()) ?? [];
  const { entries } = parseRecording(await readFile(file, "utf8"));
  const [asked, answered] = (["tx", "rx"] as const).map((dir) => entries.find((entry) => entry.dir === dir));
  if (asked?.dir !== "tx" || answered?.dir !== "rx") throw new Error("nothing was recorded");
  const socket = connect(Number(port), host).end(asked.octets);
  const [heard] = await once(socket, "data");
  expect(heard).toEqual(Buffer.from(answered.octets));
  meter.kill("SIGTERM");
  await once(meter, "close");
});

test("replay: a recording is shown, and read again without the meter", async () => {
  const file = join(over.directory, "recorded.jsonl");
  const { connection, association } = over.config.meters[PASSWORD] ?? {};
  const { physicalAddress, link = "" } = connection ?? {};
  const place = ["--link", link, "--client-sap", String(association?.clientSap), "--auth", "lls"];
  place.push("--secret", association?.secret ?? "", "--counters", join(over.directory, "counters"));
  if (physicalAddress !== undefined) place.push("--physical-address", String(physicalAddress));
  const what = ["1.0.1.8.0.255", "--csv"];
  const read = await run(["read", "--tcp", connection?.tcp ?? "", ...place, ...what, "--record", file, "--trace"]);
  expect([read.code, read.err]).toEqual([0, expect.stringMatching(/hdlc {2}SNRM/)]);
  const shown = await run(["replay", file]);
  expect([shown.code, shown.out]).toEqual([0, expect.stringContaining("get-request normal 3 (Register)")]);
  const player = spawn(COMMAND, ["replay", file, "--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "inherit"] });
  const [chunk] = await once(player.stdout, "data");
  const port = /:(\d+)$/.exec(String(chunk).trimEnd())?.[1];
  const again = await run(["read", "--tcp", `127.0.0.1:${port}`, ...place, ...what]);
  expect(again).toMatchObject({ code: 0, out: read.out });
  player.kill("SIGTERM");
  await once(player, "close");
});

test.each([CIPHERED, PASSWORD])(
  "support: a session of house %i is kept without keys, serial numbers and addresses, and replays",
  async (house) => {
    const file = join(over.directory, `support-${house}.jsonl`);
    const kept = await run([
      "support",
      nameOf(house),
      "--out",
      file,
      "--read",
      "0.0.42.0.0.255",
      "--socket",
      over.config.socket,
    ]);
    expect(kept.code).toBe(0);
    const bundle = (await readFile(file, "utf8")).toLowerCase();
    const { name, number, connection, association } = over.config.meters[house] ?? {};
    const title = association?.security?.serverSystemTitle ?? "no title";
    const hex = [name, number].map((text) => Buffer.from(text ?? "").toString("hex"));
    const canaries = [name, number, connection?.tcp, title, ...hex, ...secretsOf(house)].map((text) =>
      text?.toLowerCase(),
    );
    expect(canaries.filter((text) => text !== undefined && text !== "" && bundle.includes(text))).toEqual([]);
    const { header } = parseRecording(await readFile(file, "utf8"));
    expect(header.settings).toMatchObject({
      "connection.link": connection?.link,
      "association.clientSap": association?.clientSap,
    });
    const shown = await run(["replay", file]);
    expect(shown.out).toMatch(/ aarq$/m);
    expect(shown.out).toMatch(/ aare/);
    expect(shown.code).toBe(0);
  },
);

test("support: why a session failed is in the bundle, with pseudonyms", async () => {
  const file = join(over.directory, "support-failed.jsonl");
  await run([
    "support",
    nameOf(PASSWORD),
    "--out",
    file,
    "--read",
    "3:1.0.99.99.99.255:2",
    "--socket",
    over.config.socket,
  ]);
  const { header } = parseRecording(await readFile(file, "utf8"));
  expect(header.settings).toMatchObject({ cause: "object missing", nextStep: expect.stringContaining("object list") });
  expect(JSON.stringify(header)).not.toContain(nameOf(PASSWORD));
});

test("support: a read that the daemon does not understand is told with its words, and no bundle is kept", async () => {
  const file = join(over.directory, "support-unclear.jsonl");
  const socket = ["--socket", over.config.socket];
  const { code, err } = await run(["support", nameOf(PASSWORD), "--out", file, "--read", "blok", ...socket]);
  expect(code).toBe(1);
  expect(err).toContain("blok");
  expect(err).not.toContain("    at ");
  await expect(readFile(file)).rejects.toThrow("ENOENT");
});
