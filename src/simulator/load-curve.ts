/**
 * A meter's energy as a closed form of time. The energy at each midnight is a straight line bent by weekday, season and
 * bounded noise; between two midnights it follows the shape of a day, with noise at every quarter of an hour that
 * vanishes where the tariff changes. So every register of every tariff at any instant costs the same few operations, it
 * never falls, and no history has to be kept. An interval's energy is the difference of two registers.
 */
import { jitter } from "./noise.ts";

export interface LoadShape {
  /** Mean energy of a day in watt-hours. */
  readonly dayWh: number;
  /** Relative energy of the 24 hours of a day. */
  readonly hours: readonly number[];
  /** Relative energy of the days from Monday to Sunday. */
  readonly weekdays: readonly number[];
  /** By which part summer's days exceed the mean (negative: winter's). */
  readonly season: number;
  /** By which part of a mean day a midnight register may be away from its line; below 0.4. */
  readonly dayNoise: number;
  /** By which part of the energy of a quarter of an hour its ends may be off; below 0.5. */
  readonly quarterNoise: number;
}

const DAY_MS = 86_400_000;
const QUARTERS = 96;
const QUARTER_MS = DAY_MS / QUARTERS;
const YEAR_DAYS = 365.2425;
/** 1970-01-01 was a Thursday. */
const EPOCH_WEEKDAY = 3;
/** Day of the year, from the epoch, that is the warmest. */
const SUMMER_DAY = 190;

export interface LoadCurveOptions {
  readonly seed: number;
  readonly shape: LoadShape;
  /** The tariff of each hour of the day, 0 … tariffCount − 1. */
  readonly tariffOfHour: readonly number[];
  /** Minutes that local standard time is ahead of UTC. */
  readonly zoneMinutes: number;
  /** The instant, ms since 1970, at which the registers stood at 0. */
  readonly installedMs: number;
}

/** What is worked out once for a day; the curve remembers one day. */
interface CurveDay {
  readonly day: number;
  readonly startMs: number;
  readonly midnightWh: number;
  readonly growthWh: number;
  /** By which part of the day's energy the curve is off its shape at the start of each quarter. */
  readonly bends: Float64Array;
}

export class LoadCurve {
  readonly #seed: number;
  readonly #shape: LoadShape;
  readonly #zoneMs: number;
  readonly #installedDay: number;
  readonly #weights: Float64Array;
  readonly #tariffOfQuarter: Uint8Array;
  /** Per tariff, the sum of the weights of its quarters before each quarter. */
  readonly #passed: readonly Float64Array[];
  readonly #weekdaySums: Float64Array;
  readonly #origin: number;
  #day: CurveDay | undefined;

  constructor(options: LoadCurveOptions) {
    this.#seed = options.seed;
    this.#shape = options.shape;
    this.#zoneMs = options.zoneMinutes * 60_000;
    this.#weights = quarterWeights(options.shape.hours);
    this.#tariffOfQuarter = Uint8Array.from({ length: QUARTERS }, (_, quarter) => {
      return options.tariffOfHour[quarter >> 2] ?? 0;
    });
    this.#passed = passedWeights(this.#weights, this.#tariffOfQuarter);
    this.#weekdaySums = weekdaySums(options.shape.weekdays);
    this.#installedDay = Math.floor((options.installedMs + this.#zoneMs) / DAY_MS);
    this.#origin = this.#line(this.#installedDay);
  }

  get tariffCount(): number {
    return this.#passed.length;
  }

  /** Adds the energy of each tariff since the installation, in watt-hours times `factor`, to `sums`. */
  addTariffs(atMs: number, factor: number, sums: Float64Array): void {
    const day = this.#dayOf(atMs);
    if (day === undefined) return;
    const quarters = (atMs - day.startMs) / QUARTER_MS;
    const quarter = Math.floor(quarters);
    const tariff = this.#tariffOfQuarter[quarter];
    for (let index = 0; index < this.#passed.length; index++) {
      const passed = this.#passed[index] ?? NOTHING;
      let share = passed[quarter] ?? 0;
      if (index === tariff) {
        const start = day.bends[quarter] ?? 0;
        const weight = (this.#weights[quarter] ?? 0) + (day.bends[quarter + 1] ?? 0) - start;
        share += start + (quarters - quarter) * weight;
      }
      const wh = (passed[QUARTERS] ?? 0) * day.midnightWh + day.growthWh * share;
      sums[index] = (sums[index] ?? 0) + factor * wh;
    }
  }

  /** Mean power of the quarter of an hour around an instant, in watts. */
  powerW(atMs: number): number {
    const day = this.#dayOf(atMs);
    if (day === undefined) return 0;
    const quarter = Math.floor((atMs - day.startMs) / QUARTER_MS);
    const share = (this.#weights[quarter] ?? 0) + (day.bends[quarter + 1] ?? 0) - (day.bends[quarter] ?? 0);
    return day.growthWh * share * 4;
  }

  /** Undefined before the installation. */
  #dayOf(atMs: number): CurveDay | undefined {
    const day = Math.floor((atMs + this.#zoneMs) / DAY_MS);
    if (day < this.#installedDay) return undefined;
    if (this.#day?.day !== day) this.#day = this.#makeDay(day);
    return this.#day;
  }

  #makeDay(day: number): CurveDay {
    const midnightWh = this.#midnightWh(day);
    return {
      day,
      startMs: day * DAY_MS - this.#zoneMs,
      midnightWh,
      growthWh: this.#midnightWh(day + 1) - midnightWh,
      bends: Float64Array.from({ length: QUARTERS + 1 }, (_, quarter) => this.#bend(day, quarter)),
    };
  }

  /** Vanishes at midnight and where the tariff changes. */
  #bend(day: number, quarter: number): number {
    if (quarter === 0 || quarter >= QUARTERS) return 0;
    if (this.#tariffOfQuarter[quarter] !== this.#tariffOfQuarter[quarter - 1]) return 0;
    const least = Math.min(this.#weights[quarter - 1] ?? 0, this.#weights[quarter] ?? 0);
    return least * this.#shape.quarterNoise * jitter(this.#seed, day, quarter);
  }

  #midnightWh(day: number): number {
    const noise = day === this.#installedDay ? 0 : this.#shape.dayNoise * jitter(this.#seed, day, QUARTERS);
    return this.#shape.dayWh * (this.#line(day) - this.#origin + noise);
  }

  /** Mean days of energy from the epoch to the start of a day. */
  #line(day: number): number {
    const weekday = (((day + EPOCH_WEEKDAY) % 7) + 7) % 7;
    const angle = (2 * Math.PI * (day - SUMMER_DAY)) / YEAR_DAYS;
    const season = (this.#shape.season * YEAR_DAYS * Math.sin(angle)) / (2 * Math.PI);
    return day - weekday + (this.#weekdaySums[weekday] ?? 0) + season;
  }
}

const NOTHING = new Float64Array(0);

function quarterWeights(hours: readonly number[]): Float64Array {
  const total = hours.reduce((sum, hour) => sum + hour, 0);
  return Float64Array.from({ length: QUARTERS }, (_, quarter) => (hours[quarter >> 2] ?? 0) / (4 * total));
}

function passedWeights(weights: Float64Array, tariffOfQuarter: Uint8Array): Float64Array[] {
  const count = Math.max(...tariffOfQuarter) + 1;
  const passed = Array.from({ length: count }, () => new Float64Array(QUARTERS + 1));
  for (const [tariff, sums] of passed.entries()) {
    for (let quarter = 0; quarter < QUARTERS; quarter++) {
      const own = tariffOfQuarter[quarter] === tariff ? (weights[quarter] ?? 0) : 0;
      sums[quarter + 1] = (sums[quarter] ?? 0) + own;
    }
  }
  return passed;
}

/** Sums of the weekdays' weights before each weekday; a whole week counts 7. */
function weekdaySums(weekdays: readonly number[]): Float64Array {
  const total = weekdays.reduce((sum, weight) => sum + weight, 0);
  const sums = new Float64Array(7);
  for (let weekday = 1; weekday < 7; weekday++) {
    sums[weekday] = (sums[weekday - 1] ?? 0) + ((weekdays[weekday - 1] ?? 0) * 7) / total;
  }
  return sums;
}
