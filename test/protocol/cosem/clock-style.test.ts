import { expect, test } from "vitest";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { clockStampLike } from "../../../protocol/cosem/clock-style.ts";
import type { DeviationRule } from "../../../protocol/cosem/date-time.ts";
import { namedZone } from "../../../protocol/cosem/time-zone.ts";

const VIENNA = namedZone("Europe/Vienna");
/** A Wednesday in summer, 12:30:15 in Vienna, a little after the second. */
const SUMMER_MS = Date.parse("2026-07-15T10:30:15.120Z");
/** A Friday in winter, 08:00:00 in Vienna. */
const WINTER_MS = Date.parse("2026-01-16T06:59:59.700Z");

/** What the clock shows, an hour slow or so; what it is given then. Made after the formats of date-time of the Blue Book. */
const STYLES: readonly {
  readonly name: string;
  readonly shown: string;
  readonly rule?: DeviationRule;
  readonly atMs?: number;
  readonly given: string;
}[] = [
  { name: "every field", shown: "07ea070f030b1e0f21ff8880", given: "07ea070f030c1e0f00ff8880" },
  { name: "no weekday", shown: "07ea070fff0b1e0f21ff8880", given: "07ea070fff0c1e0f00ff8880" },
  { name: "a weekday that is another day's", shown: "07ea070f020b1e0f21ff8880", given: "07ea070fff0c1e0f00ff8880" },
  { name: "no deviation", shown: "07ea070f030b1e0f21800080", given: "07ea070f030c1e0f00800080" },
  { name: "no hundredths", shown: "07ea070f030b1e0fffff8880", given: "07ea070f030c1e0fffff8880" },
  { name: "no status", shown: "07ea070f030b1e0fff8000ff", given: "07ea070f030c1e0fff8000ff" },
  { name: "no daylight saving bit in summer", shown: "07ea070f030b1e0f00800000", given: "07ea070f030c1e0f00800000" },
  { name: "the bit, from winter on", shown: "07ea0110050b1e0f00ffc400", given: "07ea070f030c1e0f00ff8880" },
  {
    name: "minutes ahead of UTC",
    rule: "inverted",
    shown: "07ea070f030b1e0f00007880",
    given: "07ea070f030c1e0f00007880",
  },
  {
    name: "a deviation without the season",
    rule: "without-daylight-saving",
    shown: "07ea070f030b1e0f00ffc480",
    given: "07ea070f030c1e0f00ffc480",
  },
  {
    name: "a deviation not to be believed",
    rule: "ignored",
    shown: "07ea070f030b1e0f00014a80",
    given: "07ea070f030c1e0f00014a80",
  },
  { name: "UTC whatever the zone", shown: "07ea070f03091e0f00000000", given: "07ea070f030a1e0f00000000" },
  {
    name: "the next second, and winter",
    atMs: WINTER_MS,
    shown: "07ea070f030b1e0f00ff8880",
    given: "07ea0110050800 0000ffc400",
  },
];

test.each(STYLES)("clock style: $name", ({ shown, rule = "standard", atMs = SUMMER_MS, given }) => {
  const stamp = clockStampLike(fromHex(shown), atMs, { deviation: rule, zone: VIENNA });
  expect(toHex(stamp)).toBe(given.replaceAll(" ", ""));
});
