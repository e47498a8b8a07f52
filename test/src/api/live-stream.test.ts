import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { expect, test, vi } from "vitest";
import { Callers } from "../../../src/api/callers.ts";
import { LiveStream, liveResources } from "../../../src/api/live-stream.ts";
import type { ApiToken } from "../../../src/api/tokens.ts";
import { apiFor } from "./api-for.ts";

const TOKEN: ApiToken = {
  id: "1",
  name: "tester",
  role: "reader",
  collections: ["street"],
  createdAt: new Date(0),
  createdBy: "test",
  expiresAt: new Date(1),
  revokedAt: undefined,
};

test("live stream: a meter that leaves the caller's collections is heard no more, one that joins is", async () => {
  vi.useFakeTimers({ toFake: ["setInterval"] });
  const keys = new Map([
    ["a", 1],
    ["b", 2],
  ]);
  let members = new Set([1]);
  let nowMs = 0;
  const callers = new Callers({
    verify: async () => TOKEN,
    collectionMeters: async () => members,
    now: () => nowMs,
  });
  const live = new LiveStream();
  const api = await apiFor(callers);
  liveResources(api, { live, meterKeyOf: (name) => keys.get(name) });
  const address = await api.listen({ host: "127.0.0.1", port: 0 });
  const call = get(`${address}/v1/live`, { headers: { authorization: "Bearer dgw_x" } });
  const [response]: [IncomingMessage] = (await once(call, "response")) as [IncomingMessage];
  let heard = "";
  response.setEncoding("utf8").on("data", (text: string) => void (heard += text));
  const tellBoth = () => {
    for (const meter of keys.keys()) live.tell({ event: "meterReturned", meter });
  };
  tellBoth();
  await expect.poll(() => heard).toContain('"meter":"a"');
  expect(heard).not.toContain('"meter":"b"');
  members = new Set([2]);
  nowMs += 60_000;
  await vi.advanceTimersByTimeAsync(15_000);
  const heardAgain = () => {
    tellBoth();
    return heard;
  };
  await expect.poll(heardAgain).toContain('"meter":"b"');
  heard = "";
  await expect.poll(heardAgain).toContain('"meter":"b"');
  expect(heard).not.toContain('"meter":"a"');
  response.destroy();
  live.close();
  await api.close();
  vi.useRealTimers();
});
