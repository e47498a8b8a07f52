import { mkdtemp, rm, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { askForRead } from "../../src/api/control-client.ts";
import { startControlServer } from "../../src/api/control-server.ts";
import { type ReadAnswer, type ReadRange, ReadRefusedError } from "../../src/api/read-answer.ts";

const ANSWER: ReadAnswer = {
  meter: "house-1",
  what: "clock",
  readAt: "2026-01-01T00:00:00.000Z",
  columns: [{ name: "time", meaning: null, unit: null, numeric: false }],
  rows: [["2026-01-01T00:00:00Z"], [null]],
};

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "dlms-control-"));
});
afterEach(() => rm(directory, { recursive: true }));

test("control socket: a read goes through and the socket is closed to others", async () => {
  const path = join(directory, "control.sock");
  const server = await startControlServer(path, { read: async (meter, what) => ({ ...ANSWER, meter, what }) });
  expect(await askForRead(path, "house-1", "clock")).toEqual(ANSWER);
  expect((await stat(path)).mode & 0o777).toBe(0o660);
  server.close();
});

async function rangeAsRow(_meter: string, _what: string, range?: ReadRange): Promise<ReadAnswer> {
  return { ...ANSWER, rows: [[String(range?.fromMs), String(range?.toMs)]] };
}

test("control socket: the range of a read reaches the daemon", async () => {
  const path = join(directory, "control.sock");
  const server = await startControlServer(path, { read: rangeAsRow });
  expect((await askForRead(path, "house-1", "block", { fromMs: 1000, toMs: 2000 })).rows).toEqual([["1000", "2000"]]);
  server.close();
});

test("control socket: something else that answers there is told, not thrown about", async () => {
  const path = join(directory, "other.sock");
  const other = createServer((_, response) => response.end("page not found")).listen(path);
  await expect(askForRead(path, "house-1", "clock")).rejects.toThrow("is no dlms-gateway");
  other.close();
});

test("control socket: a refusal keeps its cause and next step", async () => {
  const path = join(directory, "control.sock");
  const refusal = { meter: "house-1", cause: "port refused", evidence: "ECONNREFUSED", nextStep: "check the port" };
  const server = await startControlServer(path, { read: () => Promise.reject(new ReadRefusedError(refusal)) });
  await expect(askForRead(path, "house-1", "clock")).rejects.toMatchObject({ refusal });
  server.close();
});

test("control socket: a second daemon on the same socket is refused, a stale file is replaced", async () => {
  const path = join(directory, "control.sock");
  const service = { read: async () => ANSWER };
  const server = await startControlServer(path, service);
  await expect(startControlServer(path, service)).rejects.toThrow("another daemon listens here");
  server.close();
});

test("control socket: an order over the limit is refused and the daemon goes on", async () => {
  const path = join(directory, "control.sock");
  const server = await startControlServer(path, { read: async () => ANSWER });
  await expect(askForRead(path, "m".repeat(70_000), "clock")).rejects.toThrow("longer than 65536 octets");
  expect(await askForRead(path, "house-1", "clock")).toEqual(ANSWER);
  server.close();
});

test("control socket: without a daemon the error says how to go on", async () => {
  await expect(askForRead(join(directory, "none.sock"), "m", "clock")).rejects.toThrow("is the daemon running?");
});
