/** Meters that should push and do not: told as silent, listed, polled for what is missing; and heard again. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { tcpAddress } from "../../../drivers/tcp/address.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import { UTC } from "../../../protocol/cosem/time-zone.ts";
import type { PolledMeter } from "../../../src/collect/polled-meter.ts";
import { SilenceWatch } from "../../../src/collect/silence/silence-watch.ts";
import { configSchema } from "../../../src/config/schema.ts";
import type { GatewayEvent } from "../../../src/observe/events.ts";
import { PUSHES } from "../../../src/simulator/models/is15959.ts";
import { NoticedEvents } from "../../../src/store/records/noticed-events.ts";
import { makeMeters } from "../../db/profile-batches.ts";
import { query } from "../../db/query.ts";
import { useTestDatabase } from "../../db/test-database.ts";
import { JumpingClock } from "../../src/collect/jumping-clock.ts";
import { gatewayOverStreet } from "../street.ts";

const current = useTestDatabase();
const MINUTE_MS = 60_000;
const NOON = Date.UTC(2026, 0, 10, 12);
const BLOCK = "0.5.25.9.0.255";

const { push } = configSchema.parse({
  push: {
    expect: [{ meters: ["name-SIL*"], pushSetup: BLOCK, at: ["*:00", "*:30"], tolerance: "10m" }],
  },
});

async function polledMeters(...numbers: readonly string[]): Promise<PolledMeter[]> {
  const keys = await makeMeters(current().database, numbers);
  const ids = await query(
    current().url,
    "select id::text from public.meters where meter_key = any ($1) order by meter_key",
    [keys],
  );
  return numbers.map((number, index): PolledMeter => {
    const target = { name: `name-${number}`, number, companion: "is15959", zone: UTC };
    // Only these members are looked at.
    return { meterId: String(ids[index]?.[0]), meterKey: keys[index] ?? 0, target: target as PolledMeter["target"] };
  });
}

async function watch(
  meters: readonly PolledMeter[],
  clock: JumpingClock,
  tells: (meter: PolledMeter) => boolean = () => true,
) {
  const events: GatewayEvent[] = [];
  const wanted: string[] = [];
  const noticed = new NoticedEvents(current().database, (error) => wanted.push(String(error)));
  const silence = await SilenceWatch.start({
    config: push,
    database: current().database,
    meters,
    noticed,
    want: (meter, readings) => wanted.push(`${meter.target.name} ${readings.join(" ")}`),
    tells,
    events: (event) => events.push(event),
    clock,
  });
  const end = async () => {
    silence[Symbol.dispose]();
    await noticed.stop(5000);
  };
  const heard = (meter: PolledMeter) =>
    silence.heard({
      meterId: meter.meterId,
      pushSetup: BLOCK,
      receivedAt: new Date(clock.nowMs),
      outcome: "stored",
    } as Parameters<SilenceWatch["heard"]>[0]);
  return { silence, events, wanted, end, heard };
}

function noticedOf(number: string): Promise<unknown[][]> {
  return query(
    current().url,
    `select e.occurred_at, e.kind, e.condition, e.severity, coalesce(e.restored_at, e.began_at)
     from public.meter_events e join public.meters m on m.id = e.meter_id
     where m.meter_number = $1 and e.log = 'gateway' order by 1`,
    [number],
  );
}

test("push silence: told once, with what is missing asked for, over a restart, until the meter is heard again", async () => {
  const clock = new JumpingClock(NOON);
  const [silent, talking] = await polledMeters("SIL1", "SIL2");
  const meters = [silent!, talking!];
  const first = await watch(meters, clock);
  clock.advance(31 * MINUTE_MS);
  first.heard(talking!);
  clock.advance(10 * MINUTE_MS);
  await first.silence.settled();
  expect(first.wanted).toEqual(["name-SIL1 block_load"]);
  expect(first.events).toMatchObject([{ event: "pushMissing", meter: "name-SIL1", pushSetup: BLOCK }]);
  await first.end();
  const since = new Date(NOON + 30 * MINUTE_MS);
  const condition = `no push of ${BLOCK}`;
  expect(await noticedOf("SIL1")).toEqual([[since, "occurrence", condition, "alarm", null]]);
  expect(await noticedOf("SIL2")).toEqual([]);

  const second = await watch(meters, clock);
  expect(second.silence.silent().map(({ meter }) => meter.target.name)).toEqual(["name-SIL1"]);
  clock.advance(5 * MINUTE_MS);
  second.heard(silent!);
  second.heard(talking!);
  expect(second.silence.silent()).toEqual([]);
  expect(second.events).toMatchObject([{ event: "pushHeardAgain", meter: "name-SIL1", silentMs: 16 * MINUTE_MS }]);
  await second.end();
  const until = new Date(clock.nowMs);
  expect(await noticedOf("SIL1")).toEqual([
    [since, "occurrence", condition, "alarm", until],
    [until, "restoration", condition, "info", since],
  ]);
});

test("push silence: what another gateway has heard, or has to work, is not told by this one", async () => {
  const clock = new JumpingClock(Date.now());
  const [heardElsewhere, notOurs] = await polledMeters("SIL8", "SIL9");
  const first = await watch([heardElsewhere!, notOurs!], clock, (meter) => meter !== notOurs);
  await query(
    current().url,
    `insert into dlms.push_history (received_at, peer, transport, meter_id, push_setup, outcome, octets)
     values (now() + interval '1 hour', 'elsewhere', 'tcp', $1, $2, 'stored', '')`,
    [heardElsewhere!.meterId, BLOCK],
  );
  clock.advance(55 * MINUTE_MS);
  await first.silence.settled();
  await first.end();
  expect([first.wanted, first.events]).toEqual([[], []]);
});

test("push silence: what is expected is in the tables, once however often the gateway starts", async () => {
  const clock = new JumpingClock(NOON);
  const meters = await polledMeters("SIL5");
  for (let start = 0; start < 2; start++) await (await watch(meters, clock)).end();
  const rows = await query(
    current().url,
    `select p.logical_name, s.kind, e.position, e.at_time, e.at_date from dlms.schedule_entries e
     join dlms.push_schedules s using (push_schedule_id) join dlms.push_setups p using (push_setup_id)
     join public.meters m on m.id = p.meter_id where m.meter_number = 'SIL5' order by e.position`,
  );
  expect(rows).toEqual([
    [BLOCK, "expectation", 1, "*:00:00", "*-*-*"],
    [BLOCK, "expectation", 2, "*:30:00", "*-*-*"],
  ]);
});

const COMMAND = join(import.meta.dirname, "..", "..", "..", "src", "cli", "main.ts");

function shown(...words: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, [COMMAND, "push", "silence", ...words], (_, out) => resolve(out));
  });
}

/** An hour of every day. */
function daily(hour: number): Data {
  return { type: "octet-string", value: Uint8Array.of(255, 255, 255, 255, 255, hour, 0, 0, 255, 0x80, 0, 255) };
}

test("push silence: schedules and windows that meters have are kept, and expected from the first push on", async () => {
  await using over = await gatewayOverStreet(
    { count: 1 },
    { configure: (config) => (config.push = { listen: [{ address: "127.0.0.1:0" }] }) },
  );
  const [meter] = over.street.meters;
  const { model } = over.street.meter(meter!.name);
  const window = { type: "structure", value: [daily(1), daily(5)] } satisfies Data;
  model.state.write(PUSHES.instant, 4, { type: "array", value: [window] });
  await over.gateway.pollOnce();
  const rows = await query(
    over.gateway.databaseUrl,
    `select p.logical_name, s.kind, s.logical_name, e.at_time, e.at_date, e.until_time from dlms.schedule_entries e
     join dlms.push_schedules s using (push_schedule_id) join dlms.push_setups p using (push_setup_id) order by 2`,
  );
  expect(rows).toEqual([
    [PUSHES.instant, "schedule", "0.0.15.0.4.255", "*:00:00", "*-*-*", null],
    [PUSHES.instant, "window", PUSHES.instant, "01:00:00", "*-*-*", "05:00:00"],
  ]);
  const socket = ["--socket", over.config.socket, "--json"];
  expect(JSON.parse(await shown("--all", ...socket))).toEqual([]);
  const listening = over.events.find((each) => each.event === "pushListening");
  await over.street.push(meter!.name, PUSHES.instant, { ...tcpAddress(listening?.address ?? ""), transport: "tcp" });
  while (!over.events.some(({ event }) => event === "pushReceived")) await sleep(10);
  expect(JSON.parse(await shown("--all", ...socket))).toMatchObject([
    { meter: meter!.name, pushSetup: PUSHES.instant, silent: false, lastAt: expect.any(String) },
  ]);
  expect(JSON.parse(await shown(...socket))).toEqual([]);
});
