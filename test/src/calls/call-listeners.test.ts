import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { tcpAddress } from "../../../drivers/tcp/address.ts";
import { CallListeners, type CallListenersOptions } from "../../../src/calls/call-listeners.ts";
import { Calls } from "../../../src/calls/calls.ts";
import type { GatewayEvent } from "../../../src/observe/events.ts";
import { PUSH_MAPPING } from "../../../src/profiles/push-mapping.ts";
import { PushIntake } from "../../../src/push/receive/push-intake.ts";

const NOBODY = { bySystemTitle: () => [], byIdentity: () => [], byHost: () => [], countAt: () => 0 };
const WAIT = { timeout: 20_000, interval: 5 };
const STORE = {
  putPush: async () => ({ written: Promise.resolve("kept" as const) }),
  putRows: async () => ({ written: Promise.resolve() }),
};

/** Listens for meters of which none is known. */
function listenForNobody(
  options: Pick<CallListenersOptions, "ask" | "noteUnknown" | "limits" | "events">,
): Promise<CallListeners> {
  const { events } = options;
  const intake = new PushIntake({ directory: NOBODY, store: STORE, mapping: PUSH_MAPPING, events });
  const rest = { calls: new Calls([]), directory: NOBODY, intake };
  return CallListeners.start([{ address: "127.0.0.1:0", link: "wrapper" }], { ...rest, ...options });
}

function addressIn([awaited]: readonly GatewayEvent[]): string {
  return awaited?.event === "callsAwaited" ? awaited.address : "";
}

function called(address: string): Promise<Socket> {
  const socket = connect(tcpAddress(address));
  socket.resume();
  return new Promise((resolve) => socket.once("connect", () => resolve(socket)));
}

test("call listeners: of callers that nobody knows so many are held as may be; the oldest makes room", async () => {
  const events: GatewayEvent[] = [];
  const noted: string[] = [];
  await using listeners = await listenForNobody({
    ask: async ({ peer }) => ({ names: [`meter at ${peer.port}`] }),
    noteUnknown: async ({ names }) => void noted.push(...names),
    events: (event) => events.push(event),
    limits: { strangers: 3, quietMs: 1 },
  });
  const sockets: Socket[] = [];
  for (let count = 1; count <= 5; count++) {
    sockets.push(await called(addressIn(events)));
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

test("call listeners: they end while callers wait to be asked", async () => {
  const events: GatewayEvent[] = [];
  const asked: number[] = [];
  const { promise: never } = Promise.withResolvers<never>();
  const listeners = await listenForNobody({
    ask: ({ peer }) => {
      asked.push(peer.port);
      return never;
    },
    noteUnknown: async () => undefined,
    events: (event) => events.push(event),
    limits: { askedAtOnce: 1, quietMs: 1 },
  });
  const sockets = [await called(addressIn(events)), await called(addressIn(events))];
  await vi.waitFor(() => expect(listeners.strangerCount).toBe(2), WAIT);
  // A timer that is set later, and for as long, fires later than theirs.
  await sleep(1);
  await listeners[Symbol.asyncDispose]();
  expect(asked).toHaveLength(1);
  for (const socket of sockets) socket.destroy();
});
