/** Event logs of simulated meters, read by plan: each event once, with its meaning, its details and its end. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tcpAddress } from "../../drivers/tcp/address.ts";
import { eventMeaning } from "../../protocol/cosem/companion/event-meaning.ts";
import { PUSHES } from "../../src/simulator/models/is15959.ts";
import type { StreetMeter } from "../../src/simulator/street.ts";
import { query } from "../db/query.ts";
import { type GatewayOverStreet, gatewayOverStreet } from "./street.ts";

/** D1, D2 and D3, an IDIS and a DSMR meter, and D1 without ciphering. */
const COUNT = 6;
const HISTORY_DAYS = 400;

let over: GatewayOverStreet;
beforeAll(async () => {
  over = await gatewayOverStreet(
    { count: COUNT },
    {
      configure: (config) => {
        config.push = { listen: [{ address: "127.0.0.1:0" }] };
        config.plans = [{ profile: "events", every: "1h", history: `${HISTORY_DAYS}d` }];
      },
    },
  );
  await over.gateway.pollOnce();
}, 120_000);
afterAll(() => over[Symbol.asyncDispose]());

interface EventRow {
  readonly log: string;
  readonly code: number;
  readonly name: string | null;
  readonly kind: string | null;
  readonly condition: string | null;
  readonly severity: string;
  readonly occurred_at: Date;
  readonly restored_at: Date | null;
  readonly began_at: Date | null;
  readonly source: string;
  readonly details: unknown;
}

function eventsOf({ serial }: StreetMeter): Promise<EventRow[]> {
  return over.gateway.database.query<EventRow>(
    `select e.* from public.meter_events e join public.meters m on m.id = e.meter_id
     where m.meter_number = $1 and e.log <> 'gateway' order by e.occurred_at`,
    [serial],
  );
}

/** The events of the last months as the meter itself has them in its logs. */
function truth(meter: StreetMeter): Map<string, number> {
  const { model, objects } = over.street.meter(meter.name);
  const { description } = model;
  const counts = new Map<string, number>();
  const nowMs = objects.now().atMs;
  for (const { logicalName, capture, entries } of description.profiles) {
    if (capture.by !== "event") continue;
    const log = model.log(capture.log);
    const count = log.count(nowMs);
    for (let index = Math.max(0, count - entries); index < count; index++) {
      const { atMs, code } = log.event(index);
      if (atMs < nowMs - HISTORY_DAYS * 86_400_000) continue;
      counts.set(`${logicalName} ${code} ${new Date(atMs).toISOString()}`, code);
    }
  }
  return counts;
}

test("event logs: every event of every log of every meter is there, once, and nothing else", async () => {
  const companions = new Set<string>();
  for (const meter of over.street.meters) {
    const rows = await eventsOf(meter);
    const told = new Set(rows.map(({ log, code, occurred_at: at }) => `${log} ${code} ${at.toISOString()}`));
    const own = truth(meter);
    // What two logs tell within minutes is one event.
    const other = await query(
      over.gateway.databaseUrl,
      `select t ->> 'log', t ->> 'code', t ->> 'occurred_at' from public.meter_events e
       join public.meters m on m.id = e.meter_id, jsonb_array_elements(e.told_by) t where m.meter_number = $1`,
      [meter.serial],
    );
    for (const [log, code, at] of other)
      told.add(`${String(log)} ${String(code)} ${new Date(String(at)).toISOString()}`);
    expect([...told].sort()).toEqual([...own.keys()].sort());
    expect(rows.every(({ source }) => source === "poll")).toBe(true);
    companions.add(meter.companion);
  }
  expect(companions).toEqual(new Set(["is15959", "idis", "dsmr"]));
});

test("event logs: name, kind and severity are those of the companion, and ends are paired with beginnings", async () => {
  let paired = 0;
  for (const meter of over.street.meters) {
    for (const row of await eventsOf(meter)) {
      const meaning = eventMeaning(meter.companion, row.log, row.code);
      expect([row.name, row.kind, row.severity]).toEqual([
        meaning?.name ?? null,
        meaning?.kind ?? null,
        meaning?.severity ?? "info",
      ]);
      if (row.kind !== "occurrence" || row.restored_at === null) continue;
      paired += 1;
      expect(row.restored_at.getTime()).toBeGreaterThan(row.occurred_at.getTime());
    }
  }
  expect(paired).toBeGreaterThan(20);
});

test("event logs: what a log holds beside the code is kept with its unit", async () => {
  const rows = await over.gateway.database.query<{ details: Record<string, { value: string; unit?: string }> }>(
    "select details from public.meter_events where log = '0.0.99.98.0.255' and details is not null",
  );
  const [voltage] = rows.flatMap(({ details }) => details["3:1.0.12.7.0.255:2"] ?? []);
  expect(voltage).toEqual({ value: expect.stringMatching(/^\d+(\.\d+)?$/), unit: "V" });
});

test("event logs: reading them again brings nothing twice, and asks for the end of the logs only", async () => {
  const count = () => query(over.gateway.databaseUrl, "select count(*)::int from public.meter_events");
  const before = await count();
  await over.gateway.pollOnce();
  expect(await count()).toEqual(before);
  const reads = await query(
    over.gateway.databaseUrl,
    "select count(*)::int, bool_and(read_up_to between now() - interval '500 days' and now()) from dlms.event_log_reads",
  );
  expect(reads[0]?.[0]).toBeGreaterThan(COUNT);
  expect(reads[0]?.[1]).toBe(true);
});

test("event logs: an event that was read and is pushed then is told once", async () => {
  const count = () => query(over.gateway.databaseUrl, "select count(*)::int from public.meter_events");
  const [meter] = over.street.meters;
  const listening = over.events.find((each) => each.event === "pushListening");
  const before = await count();
  await over.street.push(meter!.name, PUSHES.event, { ...tcpAddress(listening?.address ?? ""), transport: "tcp" });
  while (!over.events.some(({ event }) => event === "pushReceived")) await sleep(10);
  const [[values] = []] = await query(
    over.gateway.databaseUrl,
    "select count(*)::int from dlms.push_values where capture_object = '1:0.0.96.11.4.255:2'",
  );
  expect(values).toBe(1);
  expect(await count()).toEqual(before);
});
