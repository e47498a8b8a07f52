/** Plans for a collection of the configuration, over a street of simulated meters. */
import { expect, test } from "vitest";
import { gatewayOverStreet } from "./street.ts";

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
