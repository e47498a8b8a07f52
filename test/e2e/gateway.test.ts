import { afterAll, beforeAll, expect, test } from "vitest";
import { askForRead } from "../../src/api/local-client.ts";
import type { GatewayEvent } from "../../src/observe/events.ts";
import { type GatewayOverStreet, gatewayOverStreet } from "./street.ts";

const HOUR_MS = 3_600_000;
/** One of each model, over wrapper and HDLC, with every mechanism of the street; some with faults. */
const COUNT = 12;
const FAULTS = {
  5: "wrong-keys",
  6: "answers-nothing",
  7: "refuses-association",
  8: "busy",
  9: "missing-object",
  10: "null-data-rows",
  11: "compact-array-rows",
} as const;

let over: GatewayOverStreet;
beforeAll(async () => {
  over = await gatewayOverStreet({ count: COUNT, faults: FAULTS }, { responseTimeout: "3s" });
  await over.gateway.pollOnce();
}, 120_000);
afterAll(() => over[Symbol.asyncDispose]());

function told<E extends GatewayEvent["event"]>(event: E): Extract<GatewayEvent, { event: E }>[] {
  return over.events.filter((each): each is Extract<GatewayEvent, { event: E }> => each.event === event);
}

function nameOf(house: number): string {
  return over.street.meters[house]?.name ?? "";
}

test("gateway: every meter that works is read, every other one is named with its cause", () => {
  const causes = new Map(told("meterFailed").map(({ meter, cause }) => [meter, cause]));
  expect(told("meterPolled").map(({ meter }) => meter)).toHaveLength(COUNT - causes.size);
  expect(causes.get(nameOf(5))).toMatch(/wrong (block key|password|authentication key)/);
  expect(causes.get(nameOf(6))).toBe("no answer");
  expect(causes.get(nameOf(7))).toBe("association refused");
  expect(causes.get(nameOf(8))).toBe("meter busy");
  for (const house of [0, 1, 2, 3, 4, 9, 10, 11]) expect(causes.has(nameOf(house))).toBe(false);
});

test("gateway: a profile that a meter lacks is told, and its other profiles are read", async () => {
  const refused = told("profileRefused").filter(({ meter }) => meter === nameOf(9));
  expect(refused.map(({ profile }) => profile)).toEqual(["daily_load"]);
  const rows = await over.gateway.database.query<{ count: bigint }>(
    "select count(*) from dlms.block_load_profile where meter_number = $1",
    [over.street.meters[9]?.serial],
  );
  expect(Number(rows[0]?.count)).toBeGreaterThan(300);
});

test("gateway: a week of block load has every slot once, whatever compression the meter uses", async () => {
  const rows = await over.gateway.database.query<{
    meter_number: string;
    slots: bigint;
    gaps: bigint;
    interval_s: number;
  }>(
    `select meter_number, interval_s, count(*) as slots,
       count(*) filter (where step is distinct from interval_s * interval '1 second' and step is not null) as gaps
     from (select *, captured_at - lag(captured_at) over (partition by meter_number order by captured_at) as step
       from dlms.block_load_profile) as steps
     group by meter_number, interval_s`,
  );
  const read = new Set(told("meterPolled").map(({ meter }) => meter));
  const serials = over.street.meters.filter(({ name }) => read.has(name)).map(({ serial }) => serial);
  expect(serials).toHaveLength(COUNT - 4);
  for (const serial of serials) {
    const row = rows.find((each) => each.meter_number === serial);
    expect({ serial, gaps: row?.gaps }).toEqual({ serial, gaps: 0n });
    expect(Number(row?.slots)).toBeGreaterThanOrEqual((7 * 86_400) / (row?.interval_s ?? 1) - 1);
  }
});

test("gateway: the sum of a day's intervals is the difference of its midnight registers, exactly", async () => {
  const rows = await over.gateway.database.query<{ difference: string; intervals: string }>(
    `with days as (
       select meter_number, captured_at, active_import_total_wh
         - lag(active_import_total_wh) over (partition by meter_number order by captured_at) as difference,
         lag(captured_at) over (partition by meter_number order by captured_at) as since
       from dlms.daily_load_captures)
     select trim_scale(days.difference)::text as difference, trim_scale(sum(active_import_wh))::text as intervals
     from days join dlms.block_load_profile as block using (meter_number)
     where block.captured_at > days.since and block.captured_at <= days.captured_at and active_import_wh is not null
     group by meter_number, days.captured_at, days.difference
     having count(*) = 86400 / min(interval_s)`,
  );
  expect(rows.length).toBeGreaterThan(20);
  // A register in steps of 10 Wh and intervals in Wh may differ by less than one step.
  for (const { difference, intervals } of rows) {
    expect(Math.abs(Number(difference) - Number(intervals))).toBeLessThan(20);
  }
});

test("gateway: days are summed in each meter's own zone, and no meter's sums disagree with its registers", async () => {
  const { database } = over.gateway;
  const [days] = await database.query<{ complete: bigint; compared: bigint; zones: bigint }>(
    `select (select count(*) from dlms.daily_load_profile where complete and active_import_wh is not null) as complete,
       (select count(*) from dlms.daily_load_comparison where complete) as compared`,
  );
  expect(Number(days?.complete)).toBeGreaterThan(20);
  expect(Number(days?.compared)).toBeGreaterThan(20);
  expect(await database.query("select * from dlms.daily_load_disagreements")).toEqual([]);
});

test("gateway: what every meter read has is in the catalogue, and a series reads the same values as the view", async () => {
  const rows = await over.gateway.database.query<{ meter_number: string; same: boolean; count: bigint }>(
    `select p.meter_number, count(*) as count, bool_and(s.value = p.active_import_wh) as same
     from dlms.block_load_profile p
     join dlms_api.read_series(array(select key from dlms_api.find_series('\\.active_import\\.block_load$'))) s
       on s.key = 'm.' || p.meter_number || '.active_import.block_load' and s.at = p.captured_at
     where p.active_import_wh is not null group by p.meter_number`,
  );
  expect(rows.length).toBeGreaterThan(3);
  expect(new Set(rows.map(({ same }) => same))).toEqual(new Set([true]));
  const missing = await over.gateway.database.query(
    `select distinct meter_number from dlms.block_load_profile
     except select meter_number from dlms_api.find_series('\\.block_load$')`,
  );
  expect(missing).toEqual([]);
});

test("gateway: stamps of meters that turn the deviation's sign round become the right instants", async () => {
  const rows = await over.gateway.database.query<{ ahead: number }>(
    `select extract(epoch from max(captured_at) - now())::float8 as ahead from dlms.block_load_profile group by meter_number`,
  );
  for (const { ahead } of rows) {
    expect(ahead).toBeLessThan(60);
    expect(ahead).toBeGreaterThan(-2 * 3600);
  }
});

test("gateway: polled again, nothing is doubled and only what is new is asked for", async () => {
  const before = await over.gateway.database.query<{ count: bigint }>("select count(*) from dlms.block_load_profile");
  const polled = told("meterPolled").length;
  await over.gateway.pollOnce();
  const after = await over.gateway.database.query<{ count: bigint }>("select count(*) from dlms.block_load_profile");
  expect(Number(after[0]?.count) - Number(before[0]?.count)).toBeLessThanOrEqual(COUNT);
  const again = told("meterPolled").slice(polled);
  expect(again.length).toBeGreaterThan(0);
  const revisions = await over.gateway.database.query<{ count: bigint }>(
    "select count(*) from dlms.profile_revisions where profile = 'block_load'",
  );
  expect(revisions[0]?.count).toBe(0n);
});

test("gateway: someone who asks by name gets the meter's clock, and for a wrong name a hint", async () => {
  const answer = await askForRead(over.config.socket, nameOf(1), "clock");
  expect(answer.rows).toHaveLength(1);
  expect(Math.abs(Date.parse(answer.rows[0]?.[1] ?? "") - Date.now())).toBeLessThan(HOUR_MS);
  await expect(askForRead(over.config.socket, `${nameOf(1)}x`, "clock")).rejects.toThrow(
    `there is no meter ${nameOf(1)}x; did you mean ${nameOf(1)}?`,
  );
});

test("gateway: every try is on record, with cause and next step where it failed", async () => {
  await expect
    .poll(
      async () => {
        const rows = await over.gateway.database.query<{ cause: string; next_step: string }>(
          `select distinct cause, next_step from dlms.read_attempts join public.meters on meters.id = meter_id
           where name = $1 and not succeeded`,
          [nameOf(6)],
        );
        return rows.map(({ cause }) => cause);
      },
      { timeout: 10_000 },
    )
    .toEqual(["no answer"]);
});

async function loggedEvents(): Promise<string[]> {
  const rows = await over.gateway.database.query<{ event: string }>("select distinct event from dlms.event_logs");
  return rows.map(({ event }) => event);
}

test("gateway: its own log in the database says that it started, and leaves tries to their table", async () => {
  await expect.poll(loggedEvents, { timeout: 10_000 }).toContain("gatewayStarted");
  expect(await loggedEvents()).not.toContain("meterFailed");
});
