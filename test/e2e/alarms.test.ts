/** Alarms of IDIS and DSMR meters through a whole gateway: pushed as words, told again by the logs, each once. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tcpAddress } from "../../drivers/tcp/address.ts";
import type { StreetMeter } from "../../src/simulator/street.ts";
import { acknowledgeAlarms, type MeterAlarm, raiseAlarm } from "./meter-alarm.ts";
import { sendTcp } from "./push/push-station.ts";
import { type GatewayOverStreet, gatewayOverStreet } from "./street.ts";

const IDIS_DESCRIPTORS = ["0.0.97.98.20.255", "0.0.97.98.21.255"] as const;
const DSMR_REGISTER = "0.0.97.98.0.255";
const CONDITION = "phase 1 voltage missing";

let over: GatewayOverStreet;
beforeAll(async () => {
  over = await gatewayOverStreet(
    { count: 5 },
    {
      configure: (config) => {
        config.meters = (config.meters ?? []).filter(({ companion }) => companion === "idis" || companion === "dsmr");
        // What DSMR 4 says is never ciphered.
        for (const meter of config.meters) if (meter.companion === "dsmr") meter.push = { least: "none" };
        config.push = { listen: [{ address: "127.0.0.1:0" }] };
        config.plans = [{ profile: "events", every: "1h", history: "1d" }];
      },
    },
  );
  await over.gateway.pollOnce();
}, 120_000);
afterAll(() => over[Symbol.asyncDispose]());

function meterOf(companion: string): StreetMeter {
  const meter = over.street.meters.find((each) => each.companion === companion);
  if (meter === undefined) throw new Error(`no ${companion} meter in the street`);
  return meter;
}

const received = () => over.events.filter(({ event }) => event === "pushReceived").length;

async function pushed(meter: StreetMeter): Promise<void> {
  const before = received();
  const listening = over.events.find((each) => each.event === "pushListening");
  const [setup = ""] = meter.pushSetups;
  await over.street.push(meter.name, setup, { ...tcpAddress(listening?.address ?? ""), transport: "tcp" });
  while (received() === before) await sleep(10);
}

async function happens(meter: StreetMeter, alarm: MeterAlarm): Promise<void> {
  // Stamps of logs are of whole seconds.
  await sleep(1100);
  raiseAlarm(over.street.meter(meter.name), alarm);
}

interface Told {
  readonly log: string;
  readonly code: number;
  readonly source: string;
}

interface EventRow extends Told {
  readonly kind: string;
  readonly name: string;
  readonly severity: string;
  readonly occurred_at: Date;
  readonly restored_at: Date | null;
  readonly began_at: Date | null;
  readonly told_by: readonly Told[];
}

function eventsOf({ serial }: StreetMeter, condition: string): Promise<EventRow[]> {
  return over.gateway.database.query<EventRow>(
    `select e.* from public.meter_events e join public.meters m on m.id = e.meter_id
     where m.meter_number = $1 and e.condition = $2 order by e.occurred_at, e.kind`,
    [serial, condition],
  );
}

function expectOnePair(rows: readonly EventRow[], tellers: { readonly first: Told; readonly last: Told }): void {
  const [began, ended, ...more] = rows;
  expect(more).toEqual([]);
  expect(began).toMatchObject({ kind: "occurrence", name: CONDITION, severity: "warning" });
  expect(ended).toMatchObject({ kind: "restoration", severity: "info" });
  expect(began?.restored_at).toEqual(ended?.occurred_at);
  expect(ended?.began_at).toEqual(began?.occurred_at);
  expect([began, ...(began?.told_by ?? [])]).toEqual(
    expect.arrayContaining([expect.objectContaining(tellers.first), expect.objectContaining({ source: "poll" })]),
  );
  expect([ended, ...(ended?.told_by ?? [])]).toEqual(
    expect.arrayContaining([expect.objectContaining(tellers.last), expect.objectContaining({ source: "poll" })]),
  );
}

test("alarms: bits of IDIS descriptors begin and end a condition, and the log tells the same two events", async () => {
  const meter = meterOf("idis");
  const [, descriptor] = IDIS_DESCRIPTORS;
  await happens(meter, { log: "power-quality", code: 82, sets: { [descriptor]: 2 } });
  await pushed(meter);
  await happens(meter, { log: "power-quality", code: 85, sets: { [descriptor]: 5 } });
  await pushed(meter);
  // Nobody has acknowledged: the third push says both bits again, beside a new one of the other descriptor.
  await happens(meter, { log: "standard", code: 6, sets: { [IDIS_DESCRIPTORS[0]]: 0 } });
  await pushed(meter);
  await over.gateway.pollOnce();
  expectOnePair(await eventsOf(meter, CONDITION), {
    first: { log: descriptor, code: 2, source: "push" },
    last: { log: descriptor, code: 5, source: "push" },
  });
  expect(await eventsOf(meter, "clock invalid")).toMatchObject([
    {
      kind: "occurrence",
      severity: "alarm",
      source: "push",
      restored_at: null,
      told_by: [{ code: 6, source: "poll" }],
    },
  ]);
});

test("alarms: what happens again after the descriptor was acknowledged is another pair", async () => {
  const meter = meterOf("idis");
  const [, descriptor] = IDIS_DESCRIPTORS;
  for (const each of IDIS_DESCRIPTORS) acknowledgeAlarms(over.street.meter(meter.name), each);
  await happens(meter, { log: "power-quality", code: 82, sets: { [descriptor]: 2 } });
  await pushed(meter);
  await happens(meter, { log: "power-quality", code: 85 });
  await over.gateway.pollOnce();
  const rows = await eventsOf(meter, CONDITION);
  expect(rows.map(({ kind, source }) => [kind, source])).toEqual([
    ["occurrence", "push"],
    ["restoration", "push"],
    ["occurrence", "push"],
    ["restoration", "poll"],
  ]);
  expect(rows[2]?.restored_at).toEqual(rows[3]?.occurred_at);
});

test("alarms: a bit of the DSMR register that is set and cleared is a condition with its end, told by the log as well", async () => {
  const meter = meterOf("dsmr");
  await happens(meter, { log: "power-quality", code: 86, sets: { [DSMR_REGISTER]: 28 } });
  await pushed(meter);
  await pushed(meter);
  await happens(meter, { log: "power-quality", code: 90, clears: { [DSMR_REGISTER]: 28 } });
  await pushed(meter);
  await over.gateway.pollOnce();
  const teller = { log: DSMR_REGISTER, code: 28, source: "push" };
  const rows = await eventsOf(meter, CONDITION);
  expect(rows).toHaveLength(2);
  expectOnePair(rows, { first: teller, last: teller });
});

test("alarms: a DSMR 4 meter says its register without any APDU", async () => {
  const { serial } = meterOf("dsmr");
  const before = received();
  const listening = over.events.find((each) => each.event === "pushListening");
  await sendTcp(listening?.address ?? "", [Buffer.concat([Buffer.from(`${serial},`), Buffer.of(0, 1, 0x20, 0)])]);
  await expect.poll(received).toBe(before + 1);
  expect(over.events.filter(({ event }) => event === "pushRejected")).toEqual([]);
  expect(await eventsOf(meterOf("dsmr"), "fraud attempt")).toMatchObject([
    { kind: "occurrence", severity: "alarm", log: DSMR_REGISTER, code: 13, source: "push" },
  ]);
});
