/** Stopping while the database hangs: within one deadline, and with everything that was acknowledged in the spool. */
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { configSchema } from "../../src/config/schema.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import type { GatewayEvent } from "../../src/observe/events.ts";
import { query } from "../db/query.ts";
import { useTestDatabase } from "../db/test-database.ts";
import { FaultSenders } from "./faults/fault-senders.ts";

const current = useTestDatabase();

/** A way to the database on which nothing moves any more once it is frozen. */
async function freezableWay(url: string) {
  const sockets = new Set<Socket>();
  let frozen = false;
  const server = createServer((near) => {
    const far = connect(Number(new URL(url).port), "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
      from.on("data", (octets) => void (frozen || to.write(octets)));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const way = new URL(url);
  way.port = String(typeof address === "object" ? address?.port : 0);
  return {
    url: way.href,
    freeze: () => {
      frozen = true;
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

test("stop: a database that hangs holds up neither the stop nor what was acknowledged", async () => {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-stop-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  await chmod(directory, 0o711);
  const way = stack.adopt(await freezableWay(current().url), (each) => each.close());
  process.env["DLMS_GATEWAY_STOP_TEST"] = way.url;
  const config = configSchema.parse({
    stateDirectory: directory,
    socket: join(directory, "control.sock"),
    database: { url: "env:DLMS_GATEWAY_STOP_TEST" },
    spool: { patience: "200ms" },
    plans: [],
    push: { listen: [{ address: "127.0.0.1:0" }] },
    meters: [{ name: "m", number: "1STP0000000001", companion: "idis", connection: { tcp: "192.0.2.1:4059" } }],
  });
  const events: GatewayEvent[] = [];
  const stopMs = { sessions: 1000, everything: 3000 };
  const start = () => Gateway.start({ config, version: "test", stopMs, events: (event) => events.push(event) });
  const listening = () => events.findLast((event) => event.event === "pushListening");
  const gateway = await start();
  const senders = new FaultSenders(Number(listening()?.address.split(":").at(-1)), ["1STP0000000001"]);
  while (senders.confirmed.size < 20) await sleep(5);
  way.freeze();
  const before = senders.confirmed.size;
  while (senders.confirmed.size < before + 20) await sleep(5);
  const stopping = senders.stop();
  const beganMs = performance.now();
  await gateway.stop("test");
  // A query may take 75 s; pushes that still come in are waited for ten.
  expect(performance.now() - beganMs).toBeLessThan(30_000);
  await stopping;
  expect((await readdir(join(directory, "spool"))).length).toBeGreaterThan(0);
  process.env["DLMS_GATEWAY_STOP_TEST"] = current().url;
  await using again = await start();
  while (!events.some((event) => event.event === "spoolDrained")) await sleep(5);
  const held = await query(
    current().url,
    "select value::int from dlms.push_values where capture_object like '3:1.0.1.8.0%'",
  );
  const numbers = new Set(held.map(([value]) => Number(value)));
  expect([...senders.confirmed].filter((number) => !numbers.has(number))).toEqual([]);
  expect(numbers.size).toBe(held.length);
  expect(again.databaseUrl).toBe(current().url);
});
