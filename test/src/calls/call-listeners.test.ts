import { connect, type Socket } from "node:net";
import { expect, test, vi } from "vitest";
import { tcpAddress } from "../../../drivers/tcp/address.ts";
import { CallListeners } from "../../../src/calls/call-listeners.ts";
import { Calls } from "../../../src/calls/calls.ts";
import type { GatewayEvent } from "../../../src/observe/events.ts";
import { PUSH_MAPPING } from "../../../src/profiles/push-mapping.ts";
import { PushIntake } from "../../../src/push/receive/push-intake.ts";

const NOBODY = { bySystemTitle: () => [], byIdentity: () => [], byHost: () => [], countAt: () => 0 };
const WAIT = { timeout: 5000, interval: 5 };

function called(address: string): Promise<Socket> {
  const socket = connect(tcpAddress(address));
  socket.resume();
  return new Promise((resolve) => socket.once("connect", () => resolve(socket)));
}

test("call listeners: of callers that nobody knows so many are held as may be; the oldest makes room", async () => {
  const events: GatewayEvent[] = [];
  const noted: string[] = [];
  const store = {
    putPush: async () => ({ written: Promise.resolve("kept" as const) }),
    putRows: async () => ({ written: Promise.resolve() }),
  };
  const sink = (event: GatewayEvent) => events.push(event);
  const intake = new PushIntake({ directory: NOBODY, store, mapping: PUSH_MAPPING, events: sink });
  await using listeners = await CallListeners.start([{ address: "127.0.0.1:0", link: "wrapper" }], {
    calls: new Calls([]),
    directory: NOBODY,
    intake,
    ask: async ({ peer }) => ({ names: [`meter at ${peer.port}`] }),
    noteUnknown: async ({ names }) => void noted.push(...names),
    events: sink,
    limits: { strangers: 3, quietMs: 1 },
  });
  const [awaited] = events;
  const address = awaited?.event === "callsAwaited" ? awaited.address : "";
  const sockets: Socket[] = [];
  for (let count = 1; count <= 5; count++) {
    sockets.push(await called(address));
    await vi.waitFor(() => expect(noted).toHaveLength(count), WAIT);
  }
  await vi.waitFor(() => expect(listeners.strangerCount).toBe(3), WAIT);
  await vi.waitFor(
    () => expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true, true, false, false, false]),
    WAIT,
  );
  expect(events.filter(({ event }) => event === "callerUnknown")).toHaveLength(5);
  for (const socket of sockets) socket.destroy();
});
