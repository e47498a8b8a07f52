import fc from "fast-check";
import { expect, test } from "vitest";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import {
  CLOCK_STATUS,
  DAYLIGHT_SAVINGS_BEGIN,
  dateTimeAt,
  decodeDate,
  decodeDateTime,
  decodeTime,
  deviationRuleFor,
  encodeDate,
  encodeDateTime,
  encodeTime,
  formatDateTime,
  LAST_DAY,
  resolveDateTime,
} from "../../../protocol/cosem/date-time.ts";
import {
  addCalendar,
  fixedZone,
  instantOfWallClock,
  namedZone,
  secondOccurrence,
  UTC,
  wallClockOfInstant,
} from "../../../protocol/cosem/time-zone.ts";

const berlin = namedZone("Europe/Berlin");
const kolkata = namedZone("Asia/Kolkata");
const standard = { deviation: "standard", zone: berlin } as const;

/** Blue Book layout; the values are those of the published examples of these octets. */
const STAMPS = [
  { name: "full", hex: "07e80a0f020c1e0000ffc400", iso: "2024-10-15T11:30:00.000Z", rule: "deviation" },
  { name: "daylight saving", hex: "07e8070f010c000000ff8880", iso: "2024-07-15T10:00:00.000Z", rule: "deviation" },
  { name: "leap day", hex: "07e8021d0417373b63000000", iso: "2024-02-29T23:55:59.990Z", rule: "deviation" },
  { name: "largest deviation", hex: "07e80101010000000002d000", iso: "2024-01-01T12:00:00.000Z", rule: "deviation" },
  { name: "no deviation, winter", hex: "07e8010aff0c0000ff8000ff", iso: "2024-01-10T11:00:00.000Z", rule: "zone" },
  { name: "no deviation, summer", hex: "07e8070aff0c0000ff8000ff", iso: "2024-07-10T10:00:00.000Z", rule: "zone" },
  { name: "24:00 ends the day", hex: "07e8010aff180000ff8000ff", iso: "2024-01-10T23:00:00.000Z", rule: "zone" },
  { name: "open seconds", hex: "07e8010aff0c1effff8000ff", iso: "2024-01-10T11:30:00.000Z", rule: "zone" },
] as const;

test.for(STAMPS)("date-time: resolves a stamp: $name", ({ hex, iso, rule }) => {
  const resolved = resolveDateTime(fromHex(hex), standard);
  expect(resolved?.rule).toBe(rule);
  expect(new Date(resolved?.instantMs ?? Number.NaN).toISOString()).toBe(iso);
});

test.for([
  ["every field open", "ffffffffffffffffff8000ff"],
  ["wildcard day", "07e802feff0c0000ff800000"],
  ["31 April", "07e8041fff0c0000ff800000"],
  ["29 February of a common year", "07e7021dff0c0000ff800000"],
  ["month 13", "07e80d01ff0c0000ff800000"],
  ["day 0", "07e80100ff0c0000ff800000"],
  ["open hour", "07e80101ffff0000ff800000"],
  ["open minute", "07e80101ff0cff00ff800000"],
  ["25:00", "07e80101ff190000ff800000"],
  ["24:01", "07e80101ff180100ff800000"],
])("date-time: a stamp that names no instant resolves to nothing: %s", ([, hex]) => {
  expect(resolveDateTime(fromHex(hex ?? ""), standard)).toBeUndefined();
});

test("date-time: an Indian meter that sends minutes ahead of UTC is read with the inverted rule", () => {
  const stamp = fromHex("07e90717 03 081e18ff 014a 00");
  const truth = Date.UTC(2025, 6, 23, 3, 0, 24);
  expect(resolveDateTime(stamp, { deviation: "inverted", zone: kolkata })?.instantMs).toBe(truth);
  expect(resolveDateTime(stamp, { deviation: "ignored", zone: kolkata })).toEqual({ instantMs: truth, rule: "zone" });
  expect(deviationRuleFor(stamp, { instantMs: truth + 20_000, toleranceMs: 60_000, zone: kolkata })).toBe("inverted");
  expect(deviationRuleFor(stamp, { instantMs: truth + 7_200_000, toleranceMs: 60_000, zone: kolkata })).toBeUndefined();
});

test("date-time: a deviation that leaves daylight saving out is corrected by the status bit", () => {
  const policy = { deviation: "without-daylight-saving", zone: berlin } as const;
  const summer = resolveDateTime(fromHex("07e8070f010c000000ffc480"), policy);
  expect(new Date(summer?.instantMs ?? 0).toISOString()).toBe("2024-07-15T10:00:00.000Z");
  const winter = resolveDateTime(fromHex("07e8010f010c000000ffc400"), policy);
  expect(new Date(winter?.instantMs ?? 0).toISOString()).toBe("2024-01-15T11:00:00.000Z");
});

test("date-time: the status bit decides between the two occurrences of an hour", () => {
  const first = resolveDateTime(fromHex("07e80a1b0702 1e00ff 8000 80"), standard);
  const second = resolveDateTime(fromHex("07e80a1b0702 1e00ff 8000 00"), standard);
  expect(new Date(first?.instantMs ?? 0).toISOString()).toBe("2024-10-27T00:30:00.000Z");
  expect(new Date(second?.instantMs ?? 0).toISOString()).toBe("2024-10-27T01:30:00.000Z");
});

test("date-time: wildcards stay what they are, decoded and encoded", () => {
  const value = decodeDateTime(fromHex("ffff fe fe ff 03 00 00 ff 8000 00"));
  expect(value).toMatchObject({ year: undefined, month: DAYLIGHT_SAVINGS_BEGIN, day: LAST_DAY, hour: 3 });
  expect(value.deviationMinutes).toBeUndefined();
  expect(formatDateTime(value)).toBe("****-dst-begin-last 03:00:00");
});

function octets(length: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: length, maxLength: length });
}

test("date-time: any 12, 5 and 4 octets decode and encode back to themselves", () => {
  fc.assert(
    fc.property(octets(12), octets(5), octets(4), (dateTime, date, time) => {
      expect(toHex(encodeDateTime(decodeDateTime(dateTime)))).toBe(toHex(dateTime));
      expect(toHex(encodeDate(decodeDate(date)))).toBe(toHex(date));
      expect(toHex(encodeTime(decodeTime(time)))).toBe(toHex(time));
    }),
  );
});

test("date-time: another number of octets is a typed error", () => {
  for (let length = 0; length < 12; length++) {
    expect(() => decodeDateTime(new Uint8Array(length))).toThrow(
      expect.objectContaining({ code: "DATA_TYPE_MISMATCH", fault: "peer" }),
    );
  }
});

test("date-time: what a clock shows at an instant resolves to that instant", () => {
  const zones = [berlin, kolkata, UTC, namedZone("America/New_York"), namedZone("Pacific/Auckland")];
  fc.assert(
    fc.property(
      fc.integer({ min: Date.UTC(2000, 0, 1) / 1000, max: Date.UTC(2040, 0, 1) / 1000 }),
      fc.constantFrom(...zones),
      (seconds, zone) => {
        const stamp = dateTimeAt(seconds * 1000, zone);
        expect(resolveDateTime(encodeDateTime(stamp), { deviation: "standard", zone: UTC })?.instantMs).toBe(
          seconds * 1000,
        );
        const open = encodeDateTime({ ...stamp, deviationMinutes: undefined });
        expect(resolveDateTime(open, { deviation: "standard", zone })?.instantMs).toBe(seconds * 1000);
      },
    ),
  );
});

test("date-time: a summer stamp carries the daylight saving bit", () => {
  const summer = dateTimeAt(Date.UTC(2024, 6, 15, 10), berlin);
  expect(summer).toMatchObject({ hour: 12, deviationMinutes: -120, clockStatus: CLOCK_STATUS.daylightSavingActive });
  expect(toHex(encodeDateTime(summer))).toBe("07e8070f010c000000ff8880");
});

test("time-zone: wall times that are skipped or repeated", () => {
  const skipped = Date.UTC(2024, 2, 31, 2, 30);
  expect(new Date(instantOfWallClock(skipped, berlin)).toISOString()).toBe("2024-03-31T01:30:00.000Z");
  const repeated = Date.UTC(2024, 9, 27, 2, 30);
  expect(new Date(instantOfWallClock(repeated, berlin)).toISOString()).toBe("2024-10-27T00:30:00.000Z");
  expect(new Date(secondOccurrence(repeated, berlin) ?? 0).toISOString()).toBe("2024-10-27T01:30:00.000Z");
  expect(secondOccurrence(skipped, berlin)).toBeUndefined();
  expect(secondOccurrence(repeated, kolkata)).toBeUndefined();
});

test("time-zone: wall clock and instant are inverse on every hour of a year", () => {
  const wrong: string[] = [];
  for (const zone of [berlin, namedZone("Australia/Lord_Howe"), fixedZone(345)]) {
    for (let hour = 0; hour < 366 * 24; hour++) {
      const instant = Date.UTC(2024, 0, 1, hour);
      const wall = wallClockOfInstant(instant, zone);
      const back = [instantOfWallClock(wall, zone, true), instantOfWallClock(wall, zone, false)];
      if (!back.includes(instant)) wrong.push(`${zone.name} ${new Date(instant).toISOString()}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("time-zone: calendar steps keep the wall clock and the end of the month", () => {
  const midnight = Date.UTC(2024, 2, 30, 23);
  expect(addCalendar(midnight, { months: 0, days: 1 }, berlin) - midnight).toBe(23 * 3_600_000);
  const january = instantOfWallClock(Date.UTC(2024, 0, 31), berlin);
  expect(wallClockOfInstant(addCalendar(january, { months: 1, days: 0 }, berlin), berlin)).toBe(Date.UTC(2024, 1, 29));
});

test("time-zone: an unknown name is a typed error", () => {
  expect(() => namedZone("Mars/Olympus")).toThrow(expect.objectContaining({ code: "DATA_OUT_OF_RANGE" }));
});
