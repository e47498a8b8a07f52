import { queryObjects } from "node:v8";
import { expect, test } from "vitest";
import { fixedZone, namedZone, UTC } from "../../../../protocol/cosem/time-zone.ts";
import { type Expectation, PushExpectations } from "../../../../src/collect/silence/push-expectations.ts";
import { dailyEntry, type PushEntry } from "../../../../src/push/setups/push-schedule.ts";
import { nextPushMs } from "../../../../src/push/setups/push-times.ts";
import { JumpingClock } from "../jumping-clock.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const NOON = Date.UTC(2026, 0, 10, 12);

const any: PushEntry = {
  year: undefined,
  month: undefined,
  day: undefined,
  dayOfWeek: undefined,
  hour: undefined,
  minute: undefined,
  second: undefined,
};
const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());

test.each<[string, PushEntry[], string | undefined]>([
  ["every half hour", [dailyEntry("*:00"), dailyEntry("*:30")], "2026-01-10T12:30:00.000Z"],
  ["once a day, today", [dailyEntry("13:05")], "2026-01-10T13:05:00.000Z"],
  ["once a day, tomorrow", [dailyEntry("12:00")], "2026-01-11T12:00:00.000Z"],
  ["the first of each month", [{ ...any, day: 1, hour: 0, minute: 0 }], "2026-02-01T00:00:00.000Z"],
  ["the last of each month", [{ ...any, day: 0xfe, hour: 0, minute: 0 }], "2026-01-31T00:00:00.000Z"],
  ["Mondays", [{ ...any, dayOfWeek: 1, hour: 6, minute: 0 }], "2026-01-12T06:00:00.000Z"],
  ["a year that is over", [{ ...any, year: 2025, hour: 0 }], undefined],
  ["every minute", [any], "2026-01-10T12:01:00.000Z"],
])("push times: %s", (_, entries, next) => {
  expect(iso(nextPushMs(entries, UTC, NOON))).toBe(next);
});

test("push times: on the meter's own clock, which may be turned", () => {
  expect(iso(nextPushMs([dailyEntry("00:15")], fixedZone(330), NOON))).toBe("2026-01-10T18:45:00.000Z");
  const zone = namedZone("Europe/Vienna");
  // The night of 29 March 2026 has no 02:30; what falls into it comes with the clock of before.
  const before = Date.UTC(2026, 2, 29, 0, 30);
  expect(iso(nextPushMs([dailyEntry("02:30")], zone, before))).toBe("2026-03-29T01:30:00.000Z");
  expect(iso(nextPushMs([dailyEntry("*:00")], zone, before))).toBe("2026-03-29T01:00:00.000Z");
});

function expectation(changes: Partial<Expectation<string>> = {}): Expectation<string> {
  return {
    meter: "m1",
    meterId: "m1",
    pushSetup: "0.0.25.9.0.255",
    entries: [dailyEntry("*:00"), dailyEntry("*:30")],
    zone: UTC,
    toleranceMs: 10 * MINUTE_MS,
    onceHeard: false,
    ...changes,
  };
}

function watching() {
  const clock = new JumpingClock(NOON);
  const told: string[] = [];
  const expectations = new PushExpectations<string>({
    clock,
    onSilent: ({ meter, pushSetup, expectedMs, lastMs }) =>
      told.push(
        `${meter} ${pushSetup ?? "any"} silent since ${iso(expectedMs)?.slice(11, 16)}, last ${iso(lastMs)?.slice(11, 16)}`,
      ),
    onHeard: ({ meter, expectedMs }, heardMs) =>
      told.push(`${meter} heard at ${iso(heardMs)?.slice(11, 16)} after ${iso(expectedMs)?.slice(11, 16)}`),
  });
  return { clock, told, expectations };
}

test("push expectations: a push that does not come is told once after its tolerance, and so is the next that comes", () => {
  const { clock, told, expectations } = watching();
  expectations.expect(expectation());
  clock.advance(31 * MINUTE_MS);
  expectations.heard("m1", "0.0.25.9.0.255", clock.nowMs);
  clock.advance(30 * MINUTE_MS);
  expect(told).toEqual([]);
  clock.advance(10 * MINUTE_MS);
  expect(told).toEqual(["m1 0.0.25.9.0.255 silent since 13:00, last 12:31"]);
  clock.advance(5 * HOUR_MS);
  expect(told).toHaveLength(1);
  expect([...expectations.silent()]).toHaveLength(1);
  expectations.heard("m1", "0.0.25.9.0.255", clock.nowMs);
  expect(told.at(-1)).toBe("m1 heard at 18:11 after 13:00");
  expect([...expectations.silent()]).toEqual([]);
});

test("push expectations: a push that comes a little early is that of its slot", () => {
  const { clock, told, expectations } = watching();
  expectations.expect(expectation());
  clock.advance(30 * MINUTE_MS - 20_000);
  expectations.heard("m1", "0.0.25.9.0.255", clock.nowMs);
  clock.advance(30 * MINUTE_MS);
  expect(told).toEqual([]);
});

test("push expectations: pushes of other setups and meters do not count; any push does where no setup is named", () => {
  const { clock, told, expectations } = watching();
  expectations.expect(expectation());
  expectations.expect(expectation({ meter: "m2", meterId: "m2", pushSetup: undefined }));
  clock.advance(31 * MINUTE_MS);
  expectations.heard("m1", "0.4.25.9.0.255", clock.nowMs);
  expectations.heard("m2", "0.4.25.9.0.255", clock.nowMs);
  clock.advance(10 * MINUTE_MS);
  expect(told).toEqual(["m1 0.0.25.9.0.255 silent since 12:30, last undefined"]);
});

test("push expectations: what a meter says of itself counts from its first push on", () => {
  const { clock, told, expectations } = watching();
  expectations.expect(expectation({ onceHeard: true }));
  clock.advance(5 * HOUR_MS);
  expect(told).toEqual([]);
  expectations.heard("m1", "0.0.25.9.0.255", clock.nowMs);
  clock.advance(2 * HOUR_MS);
  expect(told).toEqual(["m1 0.0.25.9.0.255 silent since 17:30, last 17:00"]);
  expectations.forget("m1", "0.0.25.9.0.255");
  expect([...expectations.silent()]).toEqual([]);
});

test("push expectations: a silence that was told before a restart is not told again, but its end is", () => {
  const { clock, told, expectations } = watching();
  expectations.expect(expectation(), { silentSinceMs: NOON - HOUR_MS });
  clock.advance(5 * HOUR_MS);
  expect([told, [...expectations.silent()].length]).toEqual([[], 1]);
  expectations.heard("m1", "0.0.25.9.0.255", clock.nowMs);
  expect(told).toEqual(["m1 heard at 17:00 after 11:00"]);
});

test("push expectations: one timer serves a fleet, and a push costs no look at other meters", () => {
  const { clock, told, expectations } = watching();
  const meters = 2000;
  for (let at = 0; at < meters; at++) expectations.expect(expectation({ meter: `m${at}`, meterId: `m${at}` }));
  for (let at = 0; at < meters; at += 2) expectations.heard(`m${at}`, "0.0.25.9.0.255", clock.nowMs + 30 * MINUTE_MS);
  expect(clock.timerCount).toBe(1);
  clock.advance(45 * MINUTE_MS);
  expect(told).toHaveLength(meters / 2);
  expectations.close();
  expect(clock.timerCount).toBe(0);
});

test("push expectations: what is forgotten is listed no more", () => {
  const pushes = new PushExpectations<string>({
    clock: new JumpingClock(NOON),
    onSilent: () => undefined,
    onHeard: () => undefined,
  });
  const expected = expectation();
  pushes.expect(expected);
  expect([...pushes.all()]).toHaveLength(1);
  pushes.forget(expected.meterId, expected.pushSetup);
  expect([...pushes.all()]).toEqual([]);
  pushes.close();
});

test("expectations: of a meter that is gone nothing is expected any more, of others as before", () => {
  const expectations = new PushExpectations<string>({ onSilent: () => undefined, onHeard: () => undefined });
  for (const meter of ["m1", "m2"]) {
    for (const pushSetup of ["0.0.25.9.0.255", undefined]) {
      expectations.expect(expectation({ meter, meterId: meter, pushSetup, onceHeard: false }));
    }
  }
  expect(expectations.forgetAll("m1")).toEqual(["0.0.25.9.0.255", undefined]);
  expect(Array.from(expectations.all(), ({ meter }) => meter)).toEqual(["m2", "m2"]);
  expectations.close();
});

class Gone {
  readonly name = "gone";
}

test("expectations: nothing is held of meters that are gone, and those that come take their places", () => {
  const clock = new JumpingClock(NOON);
  const silent: unknown[] = [];
  const expectations = new PushExpectations<unknown>({
    clock,
    onSilent: ({ meter }) => silent.push(meter),
    onHeard: () => undefined,
  });
  for (let at = 0; at < 500; at++) {
    expectations.expect({ ...expectation(), meter: new Gone(), meterId: `g${at}` });
    expectations.forgetAll(`g${at}`);
    if (at % 100 === 0) expectations.expect({ ...expectation(), meter: at, meterId: `m${at}` });
  }
  expect(queryObjects(Gone, { format: "count" })).toBeLessThan(10);
  for (let at = 0; at < 500; at++) expectations.heard(`g${at}`, "0.0.25.9.0.255", NOON + 30 * MINUTE_MS);
  clock.advance(45 * MINUTE_MS);
  expect(new Set(silent)).toEqual(new Set([0, 100, 200, 300, 400]));
  expectations.close();
});
