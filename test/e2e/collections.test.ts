/** Plans for a collection of the configuration, over a street of simulated meters. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { z } from "zod";
import { askDaemon } from "../../src/api/local-client.ts";
import { gatewayOverStreet } from "./street.ts";

const WAIT = { timeout: 60_000, interval: 20 };

test("collections: a plan for one reads the meters that are in it, and no others", async () => {
  await using over = await gatewayOverStreet(
    { count: 3 },
    {
      configure: (config) => {
        for (const [house, meter] of (config.meters ?? []).entries()) meter.attributes = { feeder: String(house % 2) };
        config.collections = [{ name: "feeder-1", attributes: { feeder: "1" } }];
        config.plans = [{ profile: "instant", group: "feeder-1", every: "15m" }];
      },
    },
  );
  await over.gateway.pollOnce();
  const rows = await over.gateway.database.query<{ meter_number: string }>(
    "select distinct meter_number from dlms.instant_profile",
  );
  expect(rows).toEqual([{ meter_number: over.street.meters[1]?.serial }]);
  const members = await over.gateway.database.query("select member from dlms_api.collection_members('feeder-1')");
  expect(members).toEqual([{ member: over.street.meters[1]?.serial }]);
}, 120_000);

test("collections: who joins one while the gateway runs gets its plan, and who leaves it loses it", async () => {
  await using over = await gatewayOverStreet(
    { count: 3 },
    {
      configure: (config) => {
        const [, second, third] = config.meters ?? [];
        if (second !== undefined) second.attributes = { feeder: "1" };
        config.collections = [
          { name: "feeder-1", attributes: { feeder: "1" } },
          { name: "by-hand", meters: [third?.name ?? ""] },
        ];
        config.plans = [
          { profile: "instant", group: "feeder-1", every: "1s" },
          { profile: "instant", group: "by-hand", every: "1s" },
        ];
      },
    },
  );
  const [first, second, third] = over.street.meters.map(({ name }) => name);
  const { database } = over.gateway;
  over.gateway.run();
  const polledSince = (from: number) =>
    new Set(over.events.slice(from).flatMap((event) => (event.event === "meterPolled" ? [event.meter] : [])));
  const untilPolled = async (...names: (string | undefined)[]) => {
    // What was on its way when the change came is no answer to it.
    for (let round = 0; round < 2; round++) {
      const from = over.events.length;
      await vi.waitFor(() => expect(polledSince(from)).toEqual(new Set(names)), WAIT);
    }
  };
  await untilPolled(second, third);
  await database.query(
    `insert into dlms.meter_attributes (meter_id, name, value) select id, 'feeder', '1' from public.meters where name = $1`,
    [first],
  );
  await untilPolled(first, second, third);
  await database.query("delete from dlms.collection_meters");
  await database.query("update dlms.meter_attributes set value = '2' where value = '1'");
  await vi.waitFor(async () => {
    const from = over.events.length;
    await sleep(2500);
    expect(polledSince(from)).toEqual(new Set());
  }, WAIT);
  await database.query("update dlms.collections set attributes = '{\"feeder\": \"2\"}' where name = 'feeder-1'");
  await untilPolled(first, second);
}, 120_000);

test("collections: no plan is for one of series", async () => {
  await using over = await gatewayOverStreet({ count: 1 });
  await over.gateway.database.query(
    "insert into dlms.collections (owner, name, holds, pattern) values (current_user, 'of-series', 'series', '.')",
  );
  const put = askDaemon(over.config.socket, {
    path: "/v1/plans",
    method: "PUT",
    body: { profile: "instant", group: "of-series", every: "1s" },
    answer: z.unknown(),
  });
  await expect(put).rejects.toThrow("there is no group or collection of meters of-series");
}, 120_000);
