/** From a seed to all that will happen in a run, but for what follows from it. */
import { namedZone } from "../../../protocol/cosem/time-zone.ts";
import type { PlanConfig } from "../../../src/config/schema.ts";
import { Random } from "../../fuzz/random.ts";
import { showsDamage } from "./house-site.ts";
import type { DatabaseState } from "./model-connections.ts";
import type { OffTime, RowMeterOptions } from "./row-meter.ts";
import { drawWeather, TROUBLES, type Trouble, type Weather } from "./weather.ts";

/** `octets`: few meters with their whole protocol; `rows`: some without it; `day`: a thousand of these for a day. */
export type Level = "octets" | "rows" | "day";

export interface RowPlace {
  readonly meter: RowMeterOptions;
  readonly weather: Weather;
  readonly latencyMs: number;
  /** When it sends its newest row by itself; `written` by then is told to it. */
  readonly pushesAtMs: readonly number[];
}

export interface HousePlace {
  readonly house: number;
  readonly number: number;
  readonly weather: Weather;
  readonly latencyMs: number;
  readonly sockets: number;
}

export interface DatabaseSpell {
  readonly fromMs: number;
  readonly toMs: number;
  readonly state: DatabaseState;
}

/** How a process ends before its time. */
export interface Ending {
  readonly atMs: number;
  readonly how: "kill" | "power" | "stop";
  readonly downMs: number;
}

/** A meter that this gateway does not work for a while. */
export interface Absence {
  readonly fromMs: number;
  readonly toMs: number;
  /** Its number in the fleet. */
  readonly meter: number;
  /** Another gateway has it, there is no way to it, or it has called another gateway and been given to that. */
  readonly how: "given" | "unreachable" | "lent";
}

/** Something is asked of a meter, by its number in the fleet, by so many people at once. */
export interface Ask {
  readonly atMs: number;
  readonly meter: number;
  readonly people: number;
}

export interface Scenario {
  readonly seed: number;
  readonly level: Level;
  readonly startMs: number;
  /** From here on nothing goes wrong any more. */
  readonly quietMs: number;
  readonly endMs: number;
  readonly plans: PlanConfig[];
  readonly polling: {
    readonly concurrency: number;
    readonly connectsPerSecond: number;
    readonly sessionTimeoutMs: number;
  };
  readonly spool: { readonly quota: number; readonly patienceMs: number };
  readonly rowPlaces: readonly RowPlace[];
  readonly housePlaces: readonly HousePlace[];
  readonly database: readonly DatabaseSpell[];
  readonly endings: readonly Ending[];
  readonly absences: readonly Absence[];
  readonly asks: readonly Ask[];
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const SOON_MS = 10_000;
const DAY_MS = 86_400_000;
/** Retries after any trouble of the way come within this. */
const TAIL_MS = 3 * HOUR_MS;
const ZONES = ["UTC", "Asia/Kolkata", "Europe/Vienna", "America/New_York"].map(namedZone);
/** Days with a change of the clock are among them more often than in life. */
const DAYS = ["2026-03-28", "2026-10-24", "2026-11-01", "2026-12-31", "2026-02-28", "2026-05-05", "2026-07-17"];
const SHORT_INTERVALS_S = [300, 900, 900, 1800, 3600] as const;

const SIZES = {
  octets: { meters: [1, 3], hours: [1, 3] },
  rows: { meters: [3, 12], hours: [2, 6] },
  day: { meters: [1000, 1000], hours: [21, 21] },
} as const;

/** One seed in so many is a whole day of a thousand meters; of the others, every other one has its octets. */
const DAYS_ONE_IN = 1000;

function levelOf(seed: number): Level {
  if (seed % DAYS_ONE_IN === 0) return "day";
  return seed % 2 === 0 ? "octets" : "rows";
}

export function drawScenario(seed: number): Scenario {
  const random = new Random(seed * 7919 + 13);
  const level = levelOf(seed);
  const size = SIZES[level];
  const startMs = Date.parse(`${random.pick(DAYS)}T00:00:00Z`) + random.below(24) * HOUR_MS + random.below(HOUR_MS);
  const busyMs = between(random, size.hours) * HOUR_MS;
  const quietMs = startMs + busyMs;
  const endMs = quietMs + TAIL_MS;
  const meters = between(random, size.meters);
  const span = { random, startMs, quietMs, endMs };
  const endings = drawEndings(span, level);
  const beginningsMs = [startMs, ...endings.map(({ atMs, downMs }) => atMs + downMs)];
  const everyMs = random.pick([15, 30, 60]) * MINUTE_MS;
  return {
    seed,
    level,
    startMs,
    quietMs,
    endMs,
    plans: drawPlans(random, level === "day" ? HOUR_MS : everyMs),
    polling: {
      concurrency: level === "day" ? 200 : random.pick([1, 2, 5, 50, 200]),
      connectsPerSecond: level === "day" ? 200 : random.pick([1, 3, 20, 200]),
      sessionTimeoutMs: 5 * MINUTE_MS,
    },
    spool: { quota: random.pick([200_000, 2_000_000, 50_000_000]), patienceMs: random.pick([2000, 10_000]) },
    rowPlaces: level === "octets" ? [] : Array.from({ length: meters }, (_, at) => drawRowPlace(at + 1, level, span)),
    housePlaces: level === "octets" ? Array.from({ length: meters }, (_, at) => drawHousePlace(at + 1, span)) : [],
    database: drawDatabase(span),
    endings,
    absences: drawAbsences({ ...span, random: new Random(seed * 104_729 + 5) }, beginningsMs, meters),
    asks: drawAsks(span, meters, level),
  };
}

interface Span {
  readonly random: Random;
  readonly startMs: number;
  readonly quietMs: number;
  readonly endMs: number;
}

function drawPlans(random: Random, every: number): PlanConfig[] {
  const order = random.pick(["oldest-first", "newest-first"] as const);
  const history = random.pick([HOUR_MS, 6 * HOUR_MS, 2 * DAY_MS]);
  const blockLoad: PlanConfig = { profile: "block_load", every, deadline: every, history, order };
  const dailyLoad: PlanConfig = { profile: "daily_load", every: 6 * HOUR_MS, history: 3 * DAY_MS, order };
  return random.oneIn(3) ? [blockLoad, dailyLoad] : [blockLoad];
}

function drawRowPlace(number: number, level: Level, span: Span): RowPlace {
  const { random, startMs, quietMs, endMs } = span;
  const isPlain = level === "day" && !random.oneIn(5);
  const intervalS = level === "day" ? 900 : random.pick(SHORT_INTERVALS_S);
  const pushes = !isPlain && random.oneIn(4) ? random.below(8) : 0;
  return {
    meter: {
      number,
      zone: random.pick(ZONES),
      installedMs: startMs - random.below(10 * DAY_MS),
      intervalS,
      entries: random.pick([Math.ceil((6 * 3600) / intervalS), 500, 5000]),
      offTimes: isPlain || !random.oneIn(3) ? [] : drawOffTimes(span),
    },
    weather: drawWeather(random, { fromMs: startMs, toMs: quietMs, most: isPlain ? 0 : 4, troubles: TROUBLES }),
    latencyMs: 1 + random.below(200),
    pushesAtMs: Array.from({ length: pushes }, () => startMs + random.below(endMs - startMs)),
  };
}

/** Of a wrapper without a tag nobody can tell that an octet was changed: TCP does that for it. */
const HARMLESS: readonly Trouble[] = ["silent", "refusing", "slow", "cutting", "half-open", "splitting"];

function drawHousePlace(number: number, { random, startMs, quietMs }: Span): HousePlace {
  const house = random.below(24);
  const troubles = random.oneIn(2) && showsDamage(house) ? TROUBLES : HARMLESS;
  return {
    house,
    number,
    weather: drawWeather(random, { fromMs: startMs, toMs: quietMs, most: 4, troubles }),
    latencyMs: 1 + random.below(600),
    sockets: random.pick([1, 1, 4]),
  };
}

function drawOffTimes({ random, startMs, quietMs }: Span): OffTime[] {
  const fromMs = startMs + random.below(quietMs - startMs);
  return [{ fromMs, toMs: Math.min(quietMs, fromMs + random.below(4 * HOUR_MS)) }];
}

const STATES: readonly DatabaseState[] = ["down", "down", "hung", "full"];

function drawDatabase({ random, startMs, quietMs }: Span): DatabaseSpell[] {
  return Array.from({ length: random.below(4) }, () => {
    const fromMs = startMs + random.below(quietMs - startMs);
    const lengthMs = random.pick([3000, MINUTE_MS, 10 * MINUTE_MS, 2 * HOUR_MS]);
    return { fromMs, toMs: Math.min(quietMs, fromMs + random.below(lengthMs)), state: random.pick(STATES) };
  });
}

function drawEndings({ random, startMs, quietMs }: Span, level: Level): Ending[] {
  const count = random.below(level === "day" ? 3 : 6);
  const times = Array.from({ length: count }, () => startMs + random.below(quietMs - startMs));
  return times
    .sort((a, b) => a - b)
    .map((atMs) => ({
      atMs,
      how: random.pick(["kill", "kill", "power", "stop"] as const),
      downMs: random.pick([1000, 30_000, 20 * MINUTE_MS]),
    }));
}

function drawAsks({ random, startMs, endMs }: Span, meters: number, level: Level): Ask[] {
  return Array.from({ length: random.below(level === "day" ? 200 : 8) }, () => {
    const atMs = startMs + random.below(endMs - startMs);
    return { atMs, meter: random.below(meters), people: random.pick([1, 1, 3]) };
  });
}

/** Most of them soon after a process has begun, when all meters are due and most jobs wait for a place. */
function drawAbsences({ random, startMs, quietMs }: Span, beginningsMs: readonly number[], meters: number): Absence[] {
  return Array.from({ length: random.below(3 + meters) }, () => {
    const atMs = random.oneIn(4) ? startMs + random.below(quietMs - startMs) : random.pick(beginningsMs);
    const fromMs = atMs + random.below(SOON_MS);
    const lengthMs = random.pick([1, 5000, MINUTE_MS, HOUR_MS]);
    return {
      fromMs,
      toMs: Math.max(fromMs, Math.min(quietMs, fromMs + random.below(lengthMs))),
      meter: random.below(meters),
      how: random.pick(["given", "unreachable", "lent"] as const),
    };
  });
}

function between(random: Random, [least, most]: readonly [number, number]): number {
  return least + random.below(most - least + 1);
}
