/** Evaluates the values of a description at a moment: from its consumption, events, calendar and state. */
import type { Data, NumberType } from "../../protocol/axdr/data.ts";
import { namedZone } from "../../protocol/cosem/time-zone.ts";
import { Consumption, type Flow, type MaximumDemand } from "./consumption.ts";
import type { MeterDescription, Quantity, Stamp, SupplyDescription, ValueDescription } from "./description.ts";
import { EventSeries } from "./event-series.ts";
import { MeterCalendar } from "./meter-calendar.ts";
import { MeterState } from "./meter-state.ts";
import { fraction } from "./noise.ts";

/** When a value is taken: the instant by the meter's clock, and whether the row is that of a running billing period. */
export interface Moment {
  readonly atMs: number;
  readonly running?: boolean;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

const OWN_FACTOR = 77;
const DAYLIGHT_SAVING_STATUS = 0x08;
const POWER_DOWN_STATUS = 0x80;

type Typed = NumberType | "boolean";

/** Least and greatest value of each integer type; a register that runs over shows its greatest. */
const RANGES: Readonly<Partial<Record<Typed, readonly [number, number]>>> = {
  integer: [-0x80, 0x7f],
  long: [-0x8000, 0x7fff],
  "double-long": [-0x8000_0000, 0x7fff_ffff],
  unsigned: [0, 0xff],
  enum: [0, 0xff],
  "long-unsigned": [0, 0xffff],
  "double-long-unsigned": [0, 0xffff_ffff],
};

export interface MeterModelOptions {
  readonly description: MeterDescription;
  readonly seed: number;
  /** The meter's registers stood at 0 at this instant. */
  readonly installedMs: number;
  /** What clients have changed on this meter before. */
  readonly state?: MeterState;
}

export class MeterModel {
  readonly description: MeterDescription;
  readonly consumption: Consumption;
  readonly calendar: MeterCalendar;
  readonly state: MeterState;
  readonly installedMs: number;
  readonly #logs: ReadonlyMap<string, EventSeries>;

  constructor({ description, seed, installedMs, state }: MeterModelOptions) {
    this.description = description;
    this.installedMs = installedMs;
    const { supply, zoneMinutes, timeZone, stamps, capturePeriodS } = description;
    this.consumption = new Consumption({ ...ownSupply(supply, seed), seed, zoneMinutes, installedMs });
    this.calendar = new MeterCalendar(namedZone(timeZone), stamps);
    this.state =
      state ??
      new MeterState({ "capture-period": capturePeriodS, "control-state": 1, "output-state": 1, "control-mode": 4 });
    this.#logs = new Map(
      description.logs.map(({ name, meanIntervalDays, codes }, index) => {
        const raised = () => this.state.raised(name);
        const timing = { seed: seed + 1000 + index, installedMs, meanIntervalMs: meanIntervalDays * DAY_MS };
        return [name, new EventSeries({ ...timing, codes, raised })];
      }),
    );
  }

  log(name: string): EventSeries {
    const log = this.#logs.get(name);
    if (log === undefined) throw new RangeError(`the model ${this.description.model} has no event log ${name}`);
    return log;
  }

  /** Whether it has no power at an instant; of a meter that captures all the same, never. */
  isOff(atMs: number): boolean {
    const { outages } = this.description;
    return outages !== undefined && this.log(outages).count(atMs) % 2 === 1;
  }

  get capturePeriodMs(): number {
    return this.state.number("capture-period") * 1000;
  }

  /** The last end of a billing period at or before an instant: the first of the month, or a reset by hand. */
  billingEnd(atMs: number): number {
    const monthly = this.calendar.monthStart(this.calendar.monthOf(atMs));
    const byHand = this.state.resets.findLast((resetMs) => resetMs <= atMs);
    return Math.max(this.installedMs, monthly, byHand ?? 0);
  }

  /** The value at a moment, as a client reads it. */
  evaluate(value: ValueDescription, moment: Moment): Data {
    if (value.type === "stamp")
      return { type: "octet-string", value: this.calendar.stamp(this.#instant(value, moment)) };
    if (value.type !== "measured") return value;
    const unit = 10 ** (value.scaler ?? 0);
    return typed(value.as, this.#units(value.quantity, moment.atMs, unit));
  }

  #instant(stamp: Stamp, moment: Moment): number | undefined {
    switch (stamp.stampOf) {
      case "clock":
        return moment.atMs;
      case "billing":
        return moment.running === true ? moment.atMs : this.billingEnd(moment.atMs);
      case "maximum-demand":
        return this.#maximumDemand(stamp, moment.atMs, 1).atMs;
    }
  }

  /** A quantity in whole units of 10^scaler. */
  #units(quantity: Quantity, atMs: number, unit: number): number {
    switch (quantity.of) {
      case "energy":
        return this.consumption.energy(quantity.flow, atMs, unit, quantity.tariff);
      case "net-energy":
        return this.#net(atMs, unit);
      case "interval-energy":
        return this.#grown((instantMs) => this.consumption.energy(quantity.flow, instantMs, unit), atMs);
      case "interval-net-energy":
        return this.#grown((instantMs) => this.#net(instantMs, unit), atMs);
      case "maximum-demand":
        return this.#maximumDemand(quantity, atMs, unit).units;
      default:
        return Math.round(this.#value(quantity, atMs) / unit);
    }
  }

  #value(
    quantity: Exclude<
      Quantity,
      { of: "energy" | "net-energy" | "interval-energy" | "interval-net-energy" | "maximum-demand" }
    >,
    atMs: number,
  ): number {
    const { consumption } = this;
    switch (quantity.of) {
      case "power":
        return consumption.power(quantity.flow, atMs);
      case "net-power":
        return consumption.power("active-import", atMs) - consumption.power("active-export", atMs);
      case "net-reactive-power":
        return consumption.power("reactive-q1", atMs) - consumption.power("reactive-q4", atMs);
      case "phase-power":
        return consumption.power("active-import", atMs) * consumption.phaseShare(quantity.phase, atMs);
      case "voltage":
        return consumption.voltageV(quantity.phase, atMs);
      case "current":
        return consumption.currentA(quantity.phase, atMs);
      case "average-voltage":
        return consumption.averageVoltageV(quantity.phase, this.#intervalStart(atMs), atMs);
      case "average-current":
        return consumption.averageCurrentA(quantity.phase, this.#intervalStart(atMs), atMs);
      case "neutral-current":
        return this.#neutralCurrentA(atMs);
      case "power-factor":
      case "phase-power-factor":
        return consumption.powerFactor(atMs);
      case "billing-power-factor":
        return consumption.averagePowerFactor(this.billingEnd(atMs - 1), atMs);
      case "frequency":
        return consumption.frequencyHz(atMs);
      case "billing-count":
        return this.#billingCount(atMs);
      case "power-on-minutes":
        return this.#powerOnMs(this.installedMs, atMs) / MINUTE_MS;
      case "billing-power-on-minutes":
        return this.#powerOnMs(this.billingEnd(atMs - 1), atMs) / MINUTE_MS;
      case "event-count":
        return Math.ceil(this.log(quantity.log).count(atMs) / 2);
      case "event-minutes":
        return this.log(quantity.log).activeMs(atMs) / MINUTE_MS;
      case "event-code":
        return this.#lastCode(quantity.log, atMs);
      case "profile-status":
        return this.#profileStatus(atMs);
      case "state":
        return this.state.number(quantity.name);
      case "constant":
        return quantity.value;
    }
  }

  /** As rows of load profiles have it: with what has been since the last one. */
  #profileStatus(atMs: number): number {
    const { outages } = this.description;
    const power = outages === undefined ? undefined : this.log(outages);
    const changes = power?.count(atMs) ?? 0;
    const wasOff = changes > 0 && (power?.event(changes - 1).atMs ?? 0) > atMs - this.capturePeriodMs;
    return (this.calendar.daylightSaving(atMs) ? DAYLIGHT_SAVING_STATUS : 0) | (wasOff ? POWER_DOWN_STATUS : 0);
  }

  #net(atMs: number, unit: number): number {
    return this.consumption.energy("active-import", atMs, unit) - this.consumption.energy("active-export", atMs, unit);
  }

  #grown(register: (instantMs: number) => number, atMs: number): number {
    return register(atMs) - register(this.#intervalStart(atMs));
  }

  /** An interval ends at its stamp, so the one that ends at `atMs` began a period before. */
  #intervalStart(atMs: number): number {
    return this.calendar.periodEnd(atMs - 1, this.capturePeriodMs);
  }

  #maximumDemand(demand: { readonly flow: Flow; readonly tariff?: number }, atMs: number, unit: number): MaximumDemand {
    const periodMs = this.description.demandPeriodS * 1000;
    const fromMs = this.calendar.periodEnd(this.billingEnd(atMs - 1), periodMs);
    return this.consumption.maximumDemand(demand.flow, { fromMs, toMs: atMs, periodMs }, unit, demand.tariff);
  }

  /** In one phase what flows in flows out; in three the unbalance returns. */
  #neutralCurrentA(atMs: number): number {
    const [first = 0, second = 0, third = 0] = Array.from({ length: this.consumption.phaseCount }, (_, phase) =>
      this.consumption.currentA(phase, atMs),
    );
    if (this.consumption.phaseCount === 1) return first;
    const squares = first * first + second * second + third * third;
    return Math.sqrt(Math.max(0, squares - first * second - second * third - third * first));
  }

  #billingCount(atMs: number): number {
    const months = this.calendar.monthOf(atMs) - this.calendar.monthOf(this.installedMs);
    return months + this.state.resets.filter((resetMs) => resetMs <= atMs).length;
  }

  #powerOnMs(fromMs: number, toMs: number): number {
    const power = this.#logs.get("power");
    const offMs = power === undefined ? 0 : power.activeMs(toMs) - power.activeMs(fromMs);
    return toMs - fromMs - offMs;
  }

  #lastCode(log: string, atMs: number): number {
    const series = this.log(log);
    const count = series.count(atMs);
    return count === 0 ? 0 : series.event(count - 1).code;
  }
}

/** No two customers are alike: one uses half of what is usual, another nearly twice that. */
function ownSupply(supply: SupplyDescription, seed: number): SupplyDescription {
  const { consumption, generation } = supply;
  const plant = generation && { generation: { ...generation, dayWh: generation.dayWh * ownFactor(seed, 2) } };
  return { ...supply, ...plant, consumption: { ...consumption, dayWh: consumption.dayWh * ownFactor(seed, 1) } };
}

function ownFactor(seed: number, kind: number): number {
  return 0.5 + 1.4 * fraction(seed, OWN_FACTOR, kind);
}

function typed(as: Typed, value: number): Data {
  if (as === "boolean") return { type: as, value: value !== 0 };
  const range = RANGES[as];
  return { type: as, value: range === undefined ? value : Math.min(Math.max(value, range[0]), range[1]) };
}
