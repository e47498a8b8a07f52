import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { AttributeReference, DataResult } from "../../../protocol/apdu/descriptors.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import { logicalNameFromOctets, logicalNameToOctets } from "../../../protocol/cosem/obis.ts";
import { readable } from "../../../protocol/cosem/plain-value.ts";
import { pushExecutionSchema, pushSetupSchema } from "../../../src/config/push-schema.ts";
import type { GatewayEvent } from "../../../src/observe/events.ts";
import { type CampaignOrder, type CampaignResult, SetupCampaigns } from "../../../src/push/setup-campaign.ts";
import { SetupDrift } from "../../../src/push/setup-drift.ts";
import type { SetupConnection } from "../../../src/push/setup-execution.ts";
import { SetupRepairs } from "../../../src/push/setup-repairs.ts";
import { nameOfWish, wishesOf } from "../../../src/push/setup-wishes.ts";
import type { NoticedEvent } from "../../../src/store/noticed-events.ts";
import type { SetupRecord } from "../../../src/store/push-setup-history.ts";

const SETUP = "0.0.25.9.0.255";
const SCHEDULE = "0.0.15.0.4.255";
const SCRIPTS = "0.0.10.0.108.255";
const PORT = "0.0.25.0.0.255";

const unsigned = (value: number): Data => ({ type: "unsigned", value });
const long = (value: number): Data => ({ type: "long-unsigned", value });
const octets = (text: string): Data => ({ type: "octet-string", value: new TextEncoder().encode(text) });
const name = (text: string): Data => ({ type: "octet-string", value: logicalNameToOctets(text) });
const structure = (...value: Data[]): Data => ({ type: "structure", value });
const array = (...value: Data[]): Data => ({ type: "array", value });
const enumerated = (value: number): Data => ({ type: "enum", value });

/** A meter with a push setup of version 2, its schedule, script table and port. */
class SetupMeter implements SetupConnection {
  readonly values = new Map<string, Data>([
    [`40:${SETUP}:2`, array()],
    [`40:${SETUP}:3`, structure(enumerated(0), octets("192.0.2.1:4059"), enumerated(0))],
    [`40:${SETUP}:4`, array()],
    [`40:${SETUP}:5`, long(0)],
    [`40:${SETUP}:6`, unsigned(1)],
    [`40:${SETUP}:7`, structure(long(10), long(100), long(10))],
    [`40:${SETUP}:8`, name("0.0.0.0.0.0")],
    [`40:${SETUP}:10`, array()],
    [`40:${SETUP}:11`, enumerated(0)],
    [`40:${SETUP}:12`, structure(octets("            "), { type: "double-long-unsigned", value: 0 })],
    [`9:${SCRIPTS}:2`, array(structure(long(1), array()), structure(long(2), array(structure(enumerated(1)))))],
    [`22:${SCHEDULE}:2`, structure(name(SCRIPTS), long(2))],
    [`22:${SCHEDULE}:3`, enumerated(1)],
    [`22:${SCHEDULE}:4`, array(structure({ type: "octet-string", value: Uint8Array.of(0, 0, 0, 0) }, octets("     ")))],
    [`41:${PORT}:2`, long(4059)],
  ]);
  readonly written: string[] = [];
  readonly refused = new Set<string>();
  /** Number of the write at which the line is cut. */
  cutAt = Infinity;
  pushed = 0;

  async get({ attribute }: AttributeReference): Promise<DataResult> {
    const data = this.values.get(keyOf(attribute));
    return data === undefined
      ? { type: "data-access-result", dataAccessResult: "object-undefined" }
      : { type: "data", data };
  }

  async set({ attribute }: AttributeReference, value: Data): Promise<string> {
    const key = keyOf(attribute);
    if (this.written.length >= this.cutAt) {
      this.cutAt = Infinity;
      throw new Error("the line is cut");
    }
    if (this.refused.has(key)) return "read-write-denied";
    this.written.push(key);
    this.values.set(key, value);
    return "success";
  }

  async action() {
    this.pushed += 1;
    return { result: "success", data: undefined } as never;
  }
}

function keyOf({ classId, logicalName, attributeId }: AttributeReference["attribute"]): string {
  return `${classId}:${logicalNameFromOctets(logicalName)}:${attributeId}`;
}

const EVERYTHING = pushSetupSchema.parse({
  name: "all",
  logicalName: SETUP,
  objects: ["8:0.0.1.0.0.255:2"],
  attributes: [{ attribute: `41:${PORT}:2`, value: 4060 }],
  destination: "192.0.2.9:4059",
  window: [{ from: "01:00", to: "05:00" }],
  randomisation: "30s",
  retries: 3,
  repetition: { least: "30s", exponent: 150, most: "10m" },
  portReference: PORT,
  operation: "confirmed",
  confirmation: { interval: "1d" },
  schedule: { logicalName: SCHEDULE, at: ["*:00", "*:30"], script: { logicalName: SCRIPTS, selector: 1 } },
  test: false,
});

interface Options {
  readonly setup?: Partial<typeof EVERYTHING>;
  readonly execution?: Record<string, unknown>;
  readonly meters?: readonly SetupMeter[];
  readonly visit?: (meter: SetupMeter) => Promise<void>;
  /** Whether ordered pushes arrive. */
  readonly arrives?: boolean;
}

function campaigns({ setup, execution = {}, meters = [new SetupMeter()], visit, arrives = true }: Options = {}) {
  const kept: SetupRecord[] = [];
  const told: string[] = [];
  const events = (event: GatewayEvent) => told.push(event.event);
  const noticed = { add: ({ event }: NoticedEvent) => told.push(`${event.kind} ${event.condition}`) };
  const setups = [{ ...EVERYTHING, ...setup }];
  const keep = async (record: SetupRecord, key = BigInt(kept.length)) => {
    kept[Number(key)] = record;
    return key;
  };
  const repairs = new SetupRepairs<SetupConnection>(
    { setups: () => setups, keep, relearn: async () => undefined, events },
    [],
  );
  const running = new SetupCampaigns({
    config: () => ({ setups, execution: pushExecutionSchema.parse({ perMinute: 6000, ...execution }) }),
    meters: () =>
      meters.map((meter, index) => ({
        meterId: `id-${index}`,
        name: `m${index}`,
        companion: "idis",
        visit: async (work) => {
          await visit?.(meter);
          return await work(meter);
        },
        relearn: async () => undefined,
      })),
    arrivals: { wait: async () => arrives },
    keep,
    drift: new SetupDrift({ noticed, events }),
    repairs,
    events,
  });
  return { running, kept, told, repairs };
}

async function run(running: SetupCampaigns<SetupConnection>, order: CampaignOrder): Promise<CampaignResult[]> {
  const results: CampaignResult[] = [];
  for await (const line of running.follow(order)) if (line.line === "result") results.push(line);
  return results;
}

const order = { dryRun: false, who: "somebody", why: "a test" };

test("push setup: all attributes of version 2, the schedule and its script are written, and found in order then", async () => {
  const meter = new SetupMeter();
  const { running } = campaigns({ meters: [meter] });
  const [first] = await run(running, order);
  expect([first?.state, first?.evidence]).toEqual(["applied", undefined]);
  const held = (key: string) => readable(meter.values.get(key) ?? unsigned(0));
  expect(held(`40:${SETUP}:2`)).toEqual([[8, "0x0000010000ff", 2, 0, [0, "null-data"], []]]);
  expect(held(`40:${SETUP}:7`)).toEqual([30, 150, 600]);
  expect([held(`40:${SETUP}:11`), held(`41:${PORT}:2`)]).toEqual([2, 4060]);
  expect(held(`40:${SETUP}:12`)).toEqual(["            ", 86_400]);
  expect(held(`22:${SCHEDULE}:2`)).toEqual(["0x00000a006cff", 1]);
  expect(held(`9:${SCRIPTS}:2`)).toEqual([
    [1, [[2, 40, "0x0000190900ff", 1, 0]]],
    [2, [[1]]],
  ]);
  expect(meter.values.get(`40:${SETUP}:6`)).toEqual(unsigned(3));
  const [again] = await run(running, order);
  expect([again?.state, again?.changes]).toEqual(["in-order", []]);
});

test("push setup: what is sent and how goes before where to, when comes last; towards one entry the entries go first", () => {
  const of = (at: string[]) => wishesOf({ ...EVERYTHING, schedule: { logicalName: SCHEDULE, at } }, 2).map(nameOfWish);
  const several = of(["*:00", "*:30"]);
  const at = (key: string) => several.indexOf(key);
  expect(at(`41:${PORT}:2`)).toBeLessThan(at(`40:${SETUP}:3`));
  expect(at(`40:${SETUP}:2`)).toBeLessThan(at(`40:${SETUP}:3`));
  expect(several.slice(-2)).toEqual([`22:${SCHEDULE}:3`, `22:${SCHEDULE}:4`]);
  expect(of(["06:00"]).slice(-2)).toEqual([`22:${SCHEDULE}:4`, `22:${SCHEDULE}:3`]);
});

test("push setup: whichever write is refused, the meter is as it was, and the state says so", async () => {
  const writes = new SetupMeter();
  await run(campaigns({ meters: [writes] }).running, order);
  for (const refused of writes.written) {
    const meter = new SetupMeter();
    const before = JSON.stringify([...meter.values].map(([key, value]) => [key, readable(value)]));
    meter.refused.add(refused);
    const { running, kept } = campaigns({ meters: [meter] });
    const [result] = await run(running, order);
    expect(result?.state).toBe(refused === writes.written[0] ? "refused" : "restored");
    expect(result?.evidence).toContain(refused);
    expect(JSON.stringify([...meter.values].map(([key, value]) => [key, readable(value)]))).toBe(before);
    expect(kept).toMatchObject([{ state: result?.state, who: "somebody", why: "a test" }]);
  }
});

test("push setup: whichever write the line is cut at, the next visit goes on and nothing is unknown", async () => {
  for (let cutAt = 0; cutAt < 10; cutAt++) {
    const meter = new SetupMeter();
    meter.cutAt = cutAt;
    const { running } = campaigns({ meters: [meter] });
    const [result] = await run(running, order);
    expect(result?.state).toBe("applied");
    expect(result?.changes.every(({ held }) => held === true)).toBe(true);
    expect((await run(running, order))[0]?.state).toBe("in-order");
  }
});

test("push setup: a stop lets those that run come to a named state, and begins no other", async () => {
  const meters = Array.from({ length: 20 }, () => new SetupMeter());
  const gate = Promise.withResolvers<void>();
  const begun: SetupMeter[] = [];
  const visit = async (meter: SetupMeter) => {
    begun.push(meter);
    await gate.promise;
  };
  const { running } = campaigns({ meters, visit, execution: { concurrency: 2 } });
  const results = run(running, order);
  while (begun.length < 2) await sleep(5);
  running.stop();
  gate.resolve();
  expect((await results).map(({ state }) => state)).toEqual(["applied", "applied"]);
  expect(meters.filter(({ written }) => written.length > 0)).toHaveLength(2);
  expect((await run(running, { ...order, meter: "m7" })).map(({ state }) => state)).toEqual(["applied"]);
});

test("push setup: meters are begun no faster, and no more at once, than allowed", async () => {
  const meters = Array.from({ length: 6 }, () => new SetupMeter());
  const begun: number[] = [];
  let atOnce = 0;
  let most = 0;
  const visit = async () => {
    begun.push(performance.now());
    most = Math.max(most, ++atOnce);
    await sleep(5);
    atOnce -= 1;
  };
  const { running } = campaigns({ meters, visit, execution: { concurrency: 3, perMinute: 1200 } });
  await run(running, order);
  // 1200 a minute is one in 50 ms.
  expect(begun.at(-1)! - begun[0]!).toBeGreaterThan(5 * 50 - 5);
  expect(most).toBeLessThanOrEqual(3);
});

test.each([
  ["mend", "applied", true],
  ["show", "differs", false],
] as const)("push setup: a meter that drifts is found on schedule; the policy %s", async (drift, state, mended) => {
  const meter = new SetupMeter();
  const { running, kept, told } = campaigns({ meters: [meter], setup: { drift }, execution: { checkEvery: "1s" } });
  await using _ = running;
  await run(running, order);
  expect(told).toEqual(["setupCarriedOut"]);
  meter.values.set(`40:${SETUP}:6`, unsigned(9));
  while (!kept.some((record) => record.who === "gateway")) await sleep(20);
  const found = kept.find((record) => record.who === "gateway");
  expect(found).toMatchObject({
    state,
    why: "drift check",
    changes: [{ attribute: `40:${SETUP}:6`, before: 9, after: 3 }],
  });
  expect(meter.values.get(`40:${SETUP}:6`)).toEqual(unsigned(mended ? 3 : 9));
  if (!mended) await run(running, order);
  const condition = "differs from push setup all";
  expect(told.filter((each) => each !== "setupCarriedOut")).toEqual([
    "setupDrifted",
    `occurrence ${condition}`,
    `restoration ${condition}`,
  ]);
});

test("push setup: an execution is told as it goes on, and when nobody listens no other meter is begun", async () => {
  const meters = Array.from({ length: 5 }, () => new SetupMeter());
  const { running } = campaigns({ meters, execution: { concurrency: 1 } });
  const lines: string[] = [];
  for await (const line of running.follow(order)) {
    lines.push(line.line === "result" ? `${line.meter} ${line.state}` : JSON.stringify(line));
  }
  expect(lines).toEqual([
    '{"line":"begun","executions":5}',
    ...meters.map((_, index) => `m${index} applied`),
    '{"line":"ended","left":0}',
  ]);
  const fresh = Array.from({ length: 5 }, () => new SetupMeter());
  const left = campaigns({ meters: fresh, execution: { concurrency: 1, perMinute: 60 } }).running;
  for await (const line of left.follow(order)) if (line.line === "result") break;
  await left[Symbol.asyncDispose]();
  expect(fresh.filter(({ written }) => written.length > 0).length).toBeLessThan(3);
});

/** A meter that was cut in two visits at its third write. */
async function leftMixed() {
  const meter = new SetupMeter();
  const before = new Map(meter.values);
  const all = campaigns({
    meters: [meter],
    visit: async () => {
      meter.cutAt = meter.written.length === 0 ? 2 : meter.written.length;
    },
  });
  const [result] = await run(all.running, order);
  expect(result?.state).toBe("mixed");
  meter.cutAt = Infinity;
  return { meter, before, ...all };
}

test("push setup: a meter that was left between two states goes forward when it is on the line again", async () => {
  const { meter, running, repairs, kept } = await leftMixed();
  await repairs.repair({ meterId: "id-0", name: "m0" }, meter);
  expect(kept.map(({ state, who }) => [state, who])).toEqual([
    ["mixed", "somebody"],
    ["applied", "gateway"],
  ]);
  const writes = meter.written.length;
  await repairs.repair({ meterId: "id-0", name: "m0" }, meter);
  expect(meter.written).toHaveLength(writes);
  expect((await run(running, order))[0]?.state).toBe("in-order");
});

test("push setup: where that is refused it goes back, also when the gateway was started anew in between", async () => {
  const { meter, before, kept } = await leftMixed();
  meter.refused.add(`22:${SCHEDULE}:4`);
  const [left] = kept;
  const later: SetupRecord[] = [];
  const repairs = new SetupRepairs<SetupConnection>(
    {
      setups: () => [EVERYTHING],
      keep: async (record) => later.push(record),
      relearn: async () => undefined,
      events: () => undefined,
    },
    [JSON.parse(JSON.stringify(left))],
  );
  await repairs.repair({ meterId: "id-0", name: "m0" }, meter);
  expect(later.map(({ state }) => state)).toEqual(["restored"]);
  expect(meter.values).toEqual(before);
});

test("push setup: where the ordered push stays away, the meter has what it had before", async () => {
  const meter = new SetupMeter();
  const before = new Map(meter.values);
  const { running } = campaigns({ meters: [meter], setup: { test: true }, arrives: false });
  expect(await run(running, order)).toMatchObject([{ state: "restored", testPush: "silent" }]);
  expect([meter.pushed, meter.values]).toEqual([1, before]);
});

test("push setup: where it stays away and the meter is gone, the next visit takes back what was written", async () => {
  const meter = new SetupMeter();
  const before = new Map(meter.values);
  const { running, repairs, kept } = campaigns({
    meters: [meter],
    setup: { test: true },
    arrives: false,
    visit: async () => {
      if (meter.pushed > 0) throw new Error("no answer");
    },
  });
  expect(await run(running, order)).toMatchObject([{ state: "mixed", testPush: "silent" }]);
  expect(meter.values).not.toEqual(before);
  await repairs.repair({ meterId: "id-0", name: "m0" }, meter);
  expect(kept.at(-1)).toMatchObject({ state: "restored", testPush: "silent", who: "gateway" });
  expect(meter.values).toEqual(before);
});

test("push setup: a process that ends in the middle leaves a record that says so", async () => {
  const meter = new SetupMeter();
  const gate = Promise.withResolvers<never>();
  const { running, kept } = campaigns({ meters: [meter] });
  const set = meter.set.bind(meter);
  meter.set = (reference, value) => (meter.written.length === 2 ? gate.promise : set(reference, value));
  const results = run(running, order);
  while (meter.written.length < 2) await sleep(1);
  expect(kept).toMatchObject([{ state: "mixed", evidence: "begun, and not known to have ended" }]);
  gate.reject(new Error("the line is cut"));
  meter.set = set;
  expect((await results).map(({ state }) => state)).toEqual(["applied"]);
  expect(kept.map(({ state }) => state)).toEqual(["applied"]);
});

test("push setup: a dry run writes nothing", async () => {
  const meter = new SetupMeter();
  const { running, kept } = campaigns({ meters: [meter] });
  const [result] = await run(running, { ...order, dryRun: true });
  expect([result?.state, meter.written, meter.pushed, kept.length]).toEqual(["differs", [], 0, 1]);
});

test("push setup: a check in a month is not due at once", async () => {
  const meter = new SetupMeter();
  const { running, kept } = campaigns({ meters: [meter], execution: { checkEvery: "30d" } });
  await using _ = running;
  await sleep(50);
  expect(kept).toEqual([]);
});
