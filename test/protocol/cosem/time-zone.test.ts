import { expect, test } from "vitest";
import { namedZone } from "../../../protocol/cosem/time-zone.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** What the platform's calendar says, without anything remembered. */
function offsetByCalendar(timeZone: string, instantMs: number): number {
  const format = new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" });
  const text = format.formatToParts(instantMs).find((part) => part.type === "timeZoneName")?.value ?? "";
  const [, sign, hours = "0", minutes = "0"] = /^GMT([+-])?(\d+)?:?(\d+)?/.exec(text) ?? [];
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

/** A day on which the clock is changed, by an hour, by half of one, at midnight, or by a new law. */
const CHANGES = [
  ["Europe/Vienna", "2026-03-29"],
  ["Europe/Vienna", "2026-10-25"],
  ["America/New_York", "2026-11-01"],
  ["Australia/Lord_Howe", "2026-04-05"],
  ["Asia/Kolkata", "2026-10-25"],
  ["America/Caracas", "2016-05-01"],
  ["Pacific/Apia", "2011-12-30"],
] as const;

test.each(CHANGES)("time zone: %s has the calendar's offsets in every minute around the change of %s", (name, day) => {
  const zone = namedZone(name);
  const noon = Date.parse(`${day}T12:00:00Z`);
  const wrong: string[] = [];
  for (let instantMs = noon - 30 * HOUR_MS; instantMs < noon + 30 * HOUR_MS; instantMs += 7 * MINUTE_MS) {
    const isRight = zone.offsetMinutes(instantMs) === offsetByCalendar(name, instantMs);
    if (!isRight) wrong.push(new Date(instantMs).toISOString());
  }
  expect(wrong).toEqual([]);
});

test("time zone: the minute of a change, and the zone of a name that was asked for before", () => {
  const zone = namedZone("Europe/Vienna");
  const change = Date.parse("2026-03-29T01:00:00Z");
  expect([change - 1, change].map((instantMs) => zone.offsetMinutes(instantMs))).toEqual([60, 120]);
  expect(namedZone("Europe/Vienna")).toBe(zone);
});
