import { mkdtemp, rm, stat } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { ApiError } from "../../src/api/api-error.ts";
import { httpApi } from "../../src/api/http-api.ts";
import { sendLines } from "../../src/api/lines.ts";
import { askDaemon, askForLines, askForRead } from "../../src/api/local-client.ts";
import { LocalSocket } from "../../src/api/local-socket.ts";
import { MeterRequests, type RequestedRead } from "../../src/api/meter-requests.ts";
import { type ReadAnswer, ReadRefusedError, type ReadWishes } from "../../src/api/read-answer.ts";
import { readRequestResources } from "../../src/api/resources/read-request-resources.ts";
import type { EventLogEntry } from "../../src/store/records/event-log.ts";
import { outsiderMissing, shutOutOf } from "../outsider.ts";

const ANSWER: ReadAnswer = {
  meter: "house-1",
  what: "clock",
  readAt: "2026-01-01T00:00:00.000Z",
  columns: [{ name: "time", meaning: null, unit: null, numeric: false }],
  rows: [["2026-01-01T00:00:00Z"], [null]],
};

let directory: string;
let path: string;
const logged: EventLogEntry[] = [];
const closing: (() => unknown)[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "dlms-control-"));
  path = join(directory, "control.sock");
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await rm(directory, { recursive: true });
});

type Read = (meter: string, what: string, wishes: ReadWishes) => Promise<ReadAnswer>;

async function* threeLines() {
  yield { line: 1 };
  yield { line: 2 };
  throw new Error("the third is not to be had");
}

async function serve(read: Read): Promise<Server> {
  const local = new LocalSocket();
  const api = await httpApi({
    version: "test",
    callers: { of: async () => undefined, needsLookUp: () => false },
    local,
    log: async (entry) => void logged.push(entry),
    requestsPerMinute: 5,
    tls: undefined,
    behindProxy: false,
    onFault: () => undefined,
  });
  const requests = new MeterRequests(
    ({ meter, what, ...wishes }: RequestedRead) => read(meter, what, wishes),
    () => undefined,
  );
  readRequestResources(api, { meterNamed: (name) => name, checkWhat: () => undefined, requests, log: () => undefined });
  api.get("/v1/lines", { config: { needs: "admin" } }, (_, reply) => sendLines(reply, threeLines()));
  const change = { event: "thingChanged", message: "somebody changed a thing" };
  const schema = { body: z.object({ name: z.string() }), response: { 200: z.object({ name: z.string() }) } };
  api.put("/v1/things", { config: { needs: "admin", change }, schema }, async ({ body }) => body);
  const server = await local.listen(api, path);
  closing.push(
    () => server.close(),
    () => server.closeAllConnections(),
    () => api.close(),
  );
  return server;
}

test("control socket: a read goes through and the socket is closed to others", async () => {
  await serve(async (meter, what) => ({ ...ANSWER, meter, what }));
  expect(await askForRead(path, "house-1", "clock")).toEqual(ANSWER);
  expect((await stat(path)).mode & 0o777).toBe(0o660);
});

test("control socket: the range of a read reaches the daemon", async () => {
  await serve(async (_meter, _what, { range }) => ({
    ...ANSWER,
    rows: [[String(range?.fromMs), String(range?.toMs)]],
  }));
  expect((await askForRead(path, "house-1", "block", { range: { fromMs: 1000, toMs: 2000 } })).rows).toEqual([
    ["1000", "2000"],
  ]);
});

test("control socket: something else that answers there is told, not thrown about", async () => {
  const other = createServer((_, response) => response.end("page not found")).listen(path);
  closing.push(() => other.close());
  await expect(askForRead(path, "house-1", "clock")).rejects.toThrow("is no dlms-gateway");
});

test("control socket: a refusal keeps its cause and next step", async () => {
  const refusal = { meter: "house-1", cause: "port refused", evidence: "ECONNREFUSED", nextStep: "check the port" };
  await serve(() => Promise.reject(new ReadRefusedError(refusal)));
  await expect(askForRead(path, "house-1", "clock")).rejects.toMatchObject({ refusal });
});

test("control socket: a meter that nobody works is no fault of the gateway", async () => {
  await serve(() => Promise.reject(new ApiError("not-found", "there is no meter house-1")));
  const refusal = expect.objectContaining({ cause: "not worked", evidence: "there is no meter house-1" });
  await expect(askForRead(path, "house-1", "clock")).rejects.toMatchObject({ refusal });
});

test("control socket: who may not ask is told who may", async (context) => {
  context.skip(outsiderMissing !== undefined, outsiderMissing);
  await serve(async () => ANSWER);
  await shutOutOf(directory, () =>
    expect(askForRead(path, "house-1", "clock")).rejects.toThrow("members of its group (dlms-gateway) may ask"),
  );
});

test("control socket: a second daemon on the same socket is refused, a stale file is replaced", async () => {
  await serve(async () => ANSWER);
  await expect(serve(async () => ANSWER)).rejects.toThrow("another daemon listens here");
});

test("control socket: an order that is none is refused in words, and the daemon goes on", async () => {
  await serve(async () => ANSWER);
  await expect(askForRead(path, "m".repeat(70_000), "clock")).rejects.toThrow("meter: Too big");
  expect(await askForRead(path, "house-1", "clock")).toEqual(ANSWER);
});

test("control socket: what comes line by line tells at its end why it broke off; no limit of requests holds", async () => {
  await serve(async () => ANSWER);
  for (let round = 0; round < 10; round++) {
    const lines: unknown[] = [];
    const all = async () => {
      for await (const line of askForLines(path, { path: "/v1/lines" }, z.object({ line: z.int() }))) lines.push(line);
    };
    await expect(all()).rejects.toThrow("the third is not to be had");
    expect(lines).toEqual([{ line: 1 }, { line: 2 }]);
  }
});

test("control socket: who changes what is logged before it is done", async () => {
  await serve(async () => ANSWER);
  logged.length = 0;
  const order = {
    path: "/v1/things",
    method: "PUT",
    body: { name: "a" },
    answer: z.object({ name: z.string() }),
  } as const;
  await askDaemon(path, order);
  expect(logged).toEqual([
    expect.objectContaining({
      event: "thingChanged",
      actor: expect.stringMatching(/^local ./),
      subject: "a",
      after: { name: "a" },
    }),
  ]);
});

test("control socket: without a daemon the error says how to go on", async () => {
  await expect(askForRead(join(directory, "none.sock"), "m", "clock")).rejects.toThrow("is the daemon running?");
});
