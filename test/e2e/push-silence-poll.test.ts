/** A meter that pushes its load profile, stops, is told as silent and polled for what is missing, and pushes again. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { tcpAddress } from "../../drivers/tcp/address.ts";
import type { GatewayEvent } from "../../src/observe/events.ts";
import { PUSHES } from "../../src/simulator/models/is15959.ts";
import { query } from "../db/query.ts";
import { type GatewayOverStreet, gatewayOverStreet } from "./street.ts";

const BLOCK = PUSHES.block;
const MINUTE_MS = 60_000;
/** A push that came up to a minute before its time is taken for it: the first one is to be an earlier one. */
const AHEAD_MS = 70_000;
/** More than a push would have brought. */
const MANY_SLOTS = 10;
const TIMEOUT_MS = 300_000;

/** The next full minute that is far enough ahead, on the meter's own clock. */
function expectedAt(timeZone: string): { readonly at: string; readonly ms: number } {
  const ms = Math.ceil((Date.now() + AHEAD_MS) / MINUTE_MS) * MINUTE_MS;
  const at = new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit", hour12: false });
  return { at: at.format(ms), ms };
}

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
    let expected = { at: "", ms: 0 };
    await using over = await gatewayOverStreet(
      { count: 1 },
      {
        configure: (config) => {
          expected = expectedAt(config.meters?.[0]?.timeZone ?? "UTC");
          // Nothing but the silence has the load profile polled.
          config.plans = [{ profile: "instant", every: "1d" }];
          config.push = {
            listen: [{ address: "127.0.0.1:0" }],
            expect: [{ pushSetup: BLOCK, at: [expected.at], tolerance: "1s" }],
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

    expect(await told(over, "pushMissing")).toMatchObject({ pushSetup: BLOCK, expectedAt: new Date(expected.ms) });
    let rows = await slots(over);
    while (Number(rows[0]?.[1]) < MANY_SLOTS) {
      await sleep(100);
      rows = await slots(over);
    }
    expect(rows.map(([source]) => source)).toEqual(["backfill", "push"]);
    expect(rows[1]).toEqual(["push", 1, 1]);
    const condition = `no push of ${BLOCK}`;
    while ((await alarms(over)).length === 0) await sleep(50);
    expect(await alarms(over)).toEqual([["occurrence", "alarm", condition, new Date(expected.ms), null]]);

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
