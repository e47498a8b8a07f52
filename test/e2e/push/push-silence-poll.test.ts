/** A meter that pushes its load profile, stops, is told as silent and polled for what is missing, and pushes again. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { tcpAddress } from "../../../drivers/tcp/address.ts";
import type { GatewayEvent } from "../../../src/observe/events.ts";
import { PUSHES } from "../../../src/simulator/models/is15959.ts";
import { query } from "../../db/query.ts";
import { type GatewayOverStreet, gatewayOverStreet } from "../street.ts";

const BLOCK = PUSHES.block;
/** More than a push would have brought. */
const MANY_SLOTS = 10;
const TIMEOUT_MS = 300_000;
/** A push that comes up to a minute early counts: of the minutes behind the first push, the second finds it missing. */
const EVERY_MINUTE = Array.from({ length: 60 }, (_, minute) => `*:${String(minute).padStart(2, "0")}`);

async function told(over: GatewayOverStreet, event: GatewayEvent["event"]): Promise<GatewayEvent> {
  for (;;) {
    const found = over.events.find((each) => each.event === event);
    if (found !== undefined) return found;
    await sleep(50);
  }
}

function push(over: GatewayOverStreet): Promise<void> {
  const listening = over.events.find((each) => each.event === "pushListening");
  const [meter] = over.street.meters;
  return over.street.push(meter!.name, BLOCK, { ...tcpAddress(listening?.address ?? ""), transport: "tcp" });
}

function slots(over: GatewayOverStreet): Promise<unknown[][]> {
  return query(
    over.gateway.databaseUrl,
    "select source, count(*)::int, count(distinct captured_at)::int from dlms.block_load_profile group by 1 order by 1",
  );
}

function alarms(over: GatewayOverStreet): Promise<unknown[][]> {
  return query(
    over.gateway.databaseUrl,
    `select kind, severity, condition, occurred_at, coalesce(restored_at, began_at) from public.meter_events
     where log = 'gateway' and condition is not null order by occurred_at`,
  );
}

test(
  "push silence: a meter that stops pushing is told and polled for its missing slots, until it pushes again",
  async () => {
    await using over = await gatewayOverStreet(
      { count: 1 },
      {
        configure: (config) => {
          // Nothing but the silence has the load profile polled.
          config.plans = [{ profile: "instant", every: "1d" }];
          config.push = {
            listen: [{ address: "127.0.0.1:0" }],
            expect: [{ pushSetup: BLOCK, at: EVERY_MINUTE, tolerance: "1s" }],
          };
        },
      },
    );
    // The first visit finds out what the meter's pushes are.
    await over.gateway.pollOnce();
    over.gateway.run();
    await push(over);
    await told(over, "pushReceived");
    expect(await slots(over)).toEqual([["push", 1, 1]]);

    const missing = await told(over, "pushMissing");
    expect(missing).toMatchObject({ pushSetup: BLOCK, expectedAt: expect.any(Date) });
    const expectedAt = missing.event === "pushMissing" ? missing.expectedAt : undefined;
    let rows = await slots(over);
    while (Number(rows[0]?.[1]) < MANY_SLOTS) {
      await sleep(100);
      rows = await slots(over);
    }
    expect(rows.map(([source]) => source)).toEqual(["backfill", "push"]);
    expect(rows[1]).toEqual(["push", 1, 1]);
    const condition = `no push of ${BLOCK}`;
    while ((await alarms(over)).length === 0) await sleep(50);
    expect(await alarms(over)).toEqual([["occurrence", "alarm", condition, expectedAt, null]]);

    await push(over);
    await told(over, "pushHeardAgain");
    while ((await alarms(over)).length < 2) await sleep(50);
    const [alarm, end] = await alarms(over);
    expect(alarm?.slice(0, 3)).toEqual(["occurrence", "alarm", condition]);
    expect(end?.slice(0, 3)).toEqual(["restoration", "info", condition]);
    expect([alarm?.[4], end?.[4]]).toEqual([end?.[3], alarm?.[3]]);
    const revisions = "select count(*)::int from dlms.profile_revisions where profile = 'block_load'";
    expect(await query(over.gateway.databaseUrl, revisions)).toEqual([[0]]);
  },
  TIMEOUT_MS,
);
