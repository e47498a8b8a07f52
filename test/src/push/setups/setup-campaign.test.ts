import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { readable } from "../../../../protocol/cosem/plain-value.ts";
import { nameOfWish, wishesOf } from "../../../../src/push/setups/setup-wishes.ts";
import {
  campaigns,
  EVERYTHING,
  order,
  PORT,
  run,
  SCHEDULE,
  SCRIPTS,
  SETUP,
  SetupMeter,
  unsigned,
} from "../setup-meter.ts";

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

function namesOfWishes(at: string[]): string[] {
  return wishesOf({ ...EVERYTHING, schedule: { logicalName: SCHEDULE, at } }, 2).map(nameOfWish);
}

test("push setup: what is sent and how goes before where to, when comes last; towards one entry the entries go first", () => {
  const several = namesOfWishes(["*:00", "*:30"]);
  const at = (key: string) => several.indexOf(key);
  expect(at(`41:${PORT}:2`)).toBeLessThan(at(`40:${SETUP}:3`));
  expect(at(`40:${SETUP}:2`)).toBeLessThan(at(`40:${SETUP}:3`));
  expect(several.slice(-2)).toEqual([`22:${SCHEDULE}:3`, `22:${SCHEDULE}:4`]);
  expect(namesOfWishes(["06:00"]).slice(-2)).toEqual([`22:${SCHEDULE}:4`, `22:${SCHEDULE}:3`]);
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

test("push setup: where the ordered push stays away, the meter has what it had before", async () => {
  const meter = new SetupMeter();
  const before = new Map(meter.values);
  const { running } = campaigns({ meters: [meter], setup: { test: true }, arrives: false });
  expect(await run(running, order)).toMatchObject([{ state: "restored", testPush: "silent" }]);
  expect([meter.pushed, meter.values]).toEqual([1, before]);
});

test("push setup: where the line is cut behind the last write, the push is ordered in the second visit", async () => {
  const meter = new SetupMeter();
  const before = new Map(meter.values);
  const { running, kept } = campaigns({ meters: [meter], setup: { test: true }, arrives: false });
  let isCut = false;
  const get = meter.get.bind(meter);
  const last = `22:${SCHEDULE}:4`;
  meter.get = async (reference) => {
    if (!isCut && meter.written.includes(last)) {
      isCut = true;
      throw new Error("the line is cut");
    }
    return await get(reference);
  };
  expect(await run(running, order)).toMatchObject([{ state: "restored", testPush: "silent" }]);
  expect([meter.pushed, meter.values]).toEqual([1, before]);
  expect(kept).toMatchObject([{ state: "restored", testPush: "silent" }]);
});

test("push setup: what is ordered for a meter that calls in is done then, whoever looks at it meanwhile", async () => {
  const meter = new SetupMeter();
  const call = Promise.withResolvers<void>();
  let isConnected = false;
  const nextCall = () => (isConnected ? undefined : call.promise);
  const { running, kept } = campaigns({
    meters: [meter],
    nextCall,
    setup: { drift: "show" },
    execution: { checkEvery: "1s" },
  });
  await using _ = running;
  expect(await run(running, order)).toMatchObject([{ state: "unreached" }]);
  expect(await run(running, { ...order, dryRun: true })).toMatchObject([{ state: "unreached" }]);
  while (!kept.some(({ who }) => who === "gateway")) await sleep(20);
  expect(meter.written).toEqual([]);
  isConnected = true;
  call.resolve();
  while (!kept.some(({ state }) => state === "applied")) await sleep(5);
  expect(kept.find(({ state }) => state === "applied")).toMatchObject({ who: "somebody", why: "a test" });
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
