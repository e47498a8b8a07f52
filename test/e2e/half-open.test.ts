/** Connections of which one end has vanished without a word: told as that, ended, and the next one goes on. */
import { expect, test, vi } from "vitest";
import { tcpAddress } from "../../drivers/tcp/address.ts";
import { ReadRefusedError } from "../../src/api/read-answer.ts";
import type { GatewayEvent } from "../../src/observe/events.ts";
import { CuttableWay, WAIT } from "./fleet-daemon.ts";
import { gatewayOverStreet } from "./street.ts";

const LIMIT_MS = 120_000;
const HOST = "127.0.0.1";

function told<E extends GatewayEvent["event"]>(events: readonly GatewayEvent[], event: E) {
  return events.filter((each): each is Extract<GatewayEvent, { event: E }> => each.event === event);
}

test("half-open: a meter that vanishes in a session is told, let go, and read by the next", {
  timeout: LIMIT_MS,
}, async () => {
  const meter = { host: HOST, port: 0 };
  await using way = await CuttableWay.open(meter);
  await using over = await gatewayOverStreet(
    { count: 1, latencyMs: 20 },
    {
      responseTimeout: "5s",
      configure: (config) => {
        const [house] = config.meters ?? [];
        if (house === undefined) throw new Error("no house");
        meter.port = tcpAddress(house.connection.tcp ?? "").port;
        house.connection.tcp = `${HOST}:${way.port}`;
        config.plans = [{ profile: "block_load", every: "15m", history: "1d" }];
      },
    },
  );
  const polled = over.gateway.pollOnce();
  await vi.waitFor(() => expect(way.openCount).toBeGreaterThan(0), WAIT);
  way.silence();
  await polled;
  expect(told(over.events, "meterFailed")).toMatchObject([{ cause: "no answer" }]);
  await vi.waitFor(() => expect(way.openCount).toBe(0), WAIT);
  await over.gateway.pollOnce();
  // Half hours of a day.
  expect(told(over.events, "meterPolled")[0]?.rows).toBeGreaterThanOrEqual(47);
});

test("half-open: a call whose meter has vanished ends with the first try, and the next call is worked", {
  timeout: LIMIT_MS,
}, async () => {
  await using over = await gatewayOverStreet(
    { count: 1 },
    {
      responseTimeout: "5s",
      configure: (config) => {
        config.calls = { listen: [{ address: `${HOST}:0` }] };
        config.plans = [];
        for (const house of config.meters ?? []) house.connection = { callsIn: true, responseTimeout: "5s" };
      },
    },
  );
  const name = String(over.config.meters[0]?.name);
  const listener = tcpAddress(told(over.events, "callsAwaited")[0]?.address ?? "");
  await using way = await CuttableWay.open(listener);
  const vanishing = await over.street.call(name, { host: HOST, port: way.port });
  expect((await over.gateway.read(name, "clock", { waitMs: LIMIT_MS })).rows).toHaveLength(1);
  way.silence();
  const refused: unknown = await over.gateway.read(name, "clock").catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(ReadRefusedError);
  expect((refused as ReadRefusedError).refusal.cause).toBe("no answer");
  await vanishing.ended;
  const next = await over.street.call(name, listener);
  expect((await over.gateway.read(name, "clock", { waitMs: LIMIT_MS })).rows).toHaveLength(1);
  next.hangUp();
});
