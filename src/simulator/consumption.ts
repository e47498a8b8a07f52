/**
 * What a meter measures, as pure functions of its seed and of time: energies, demands, powers, voltages, currents. All
 * instants are ms since 1970 (UTC); nothing is kept between calls.
 */
import { LoadCurve, type LoadShape } from "./load-curve.ts";
import { smoothJitter } from "./noise.ts";

/** What an energy register counts. The quadrants are of reactive energy. */
export type Flow =
  | "active-import"
  | "active-export"
  | "apparent-import"
  | "apparent-export"
  | "reactive-q1"
  | "reactive-q2"
  | "reactive-q3"
  | "reactive-q4";

export interface ConsumptionOptions {
  readonly seed: number;
  /** 1 or 3. */
  readonly phaseCount: number;
  readonly nominalVoltageV: number;
  readonly consumption: LoadShape;
  /** What the customer's own plant feeds in; without one the export registers stand still. */
  readonly generation?: LoadShape;
  readonly tariffOfHour: readonly number[];
  readonly zoneMinutes: number;
  readonly installedMs: number;
}

type CurveName = "import" | "lag" | "export";

/** Each flow as a sum of curves with factors. Sums of curves that never fall never fall, and apparent exceeds active. */
const FLOWS: Readonly<Record<Flow, Readonly<Partial<Record<CurveName, number>>>>> = {
  "active-import": { import: 1 },
  "active-export": { export: 1 },
  "apparent-import": { import: 1.02, lag: 0.16 },
  "apparent-export": { export: 1.03 },
  "reactive-q1": { lag: 0.92 },
  "reactive-q2": { export: 0.1 },
  "reactive-q3": { export: 0.14 },
  "reactive-q4": { lag: 0.08 },
};

/** Reactive load comes from motors: it is flatter than the active load and has its own noise. */
const LAG_PART = 0.35;
const LAG_HOURS = [5, 4, 4, 4, 4, 5, 6, 7, 8, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 8, 8, 7, 6];
const HOUR_MS = 3_600_000;
const SEEDS = { import: 1, lag: 2, export: 3, voltage: 10, share: 20, frequency: 30 } as const;
const AVERAGE_SAMPLES = 6;

export interface MaximumDemand {
  /** In whole units of the register. */
  readonly units: number;
  /** End of the demand period, or undefined when there was no demand. */
  readonly atMs: number | undefined;
}

export interface DemandWindow {
  readonly fromMs: number;
  readonly toMs: number;
  readonly periodMs: number;
}

interface RegisterReading {
  readonly atMs: number;
  readonly unitWh: number;
  readonly into: Float64Array;
}

interface Period {
  readonly wh: number;
  readonly atMs: number | undefined;
}

export class Consumption {
  readonly #options: ConsumptionOptions;
  readonly #curves: Readonly<Partial<Record<CurveName, LoadCurve>>>;
  readonly #termsOfFlow = new Map<Flow, readonly (readonly [LoadCurve, number])[]>();
  /** The last window that was searched, of each flow: a demand and its time are asked for one after the other. */
  readonly #demands = new Map<Flow, DemandWindow & { readonly periods: readonly Period[] }>();
  /** Registers that are being worked with; a row of a profile reads dozens of them. */
  readonly #past: Float64Array;
  readonly #present: Float64Array;
  readonly tariffCount: number;

  constructor(options: ConsumptionOptions) {
    this.#options = options;
    const { seed, consumption, generation } = options;
    const curve = (name: CurveName, shape: LoadShape) => new LoadCurve({ ...options, seed: seed + SEEDS[name], shape });
    const lagging = { ...consumption, hours: LAG_HOURS, dayWh: consumption.dayWh * LAG_PART };
    this.#curves = {
      import: curve("import", consumption),
      lag: curve("lag", lagging),
      ...(generation && { export: curve("export", generation) }),
    };
    this.tariffCount = Math.max(...options.tariffOfHour) + 1;
    this.#past = new Float64Array(this.tariffCount);
    this.#present = new Float64Array(this.tariffCount);
  }

  get phaseCount(): number {
    return this.#options.phaseCount;
  }

  /** An energy register in whole units of `unitWh`: of one tariff (0 is the first), or the sum of all. */
  energy(flow: Flow, atMs: number, unitWh: number, tariff?: number): number {
    this.#readRegisters(flow, { atMs, unitWh, into: this.#present });
    return tariff === undefined ? sum(this.#present) : (this.#present[tariff] ?? 0);
  }

  /** Power of all phases, in watts (VA, var). */
  power(flow: Flow, atMs: number): number {
    let watts = 0;
    for (const [curve, factor] of this.#terms(flow)) watts += factor * curve.powerW(atMs);
    return watts;
  }

  /** The part of the power that flows in a phase (0 is the first); the parts of all phases are 1 together. */
  phaseShare(phase: number, atMs: number): number {
    if (this.#options.phaseCount === 1) return 1;
    const wave = (index: number) => 0.09 * smoothJitter(this.#options.seed + SEEDS.share + index, atMs / HOUR_MS);
    const first = 1 / 3 + wave(0);
    const second = 1 / 3 + wave(1);
    return [first, second, 1 - first - second][phase] ?? 0;
  }

  voltageV(phase: number, atMs: number): number {
    const seed = this.#options.seed + SEEDS.voltage + 2 * phase;
    const slow = 0.025 * smoothJitter(seed, atMs / (2 * HOUR_MS));
    const fast = 0.008 * smoothJitter(seed + 1, atMs / 60_000);
    return this.#options.nominalVoltageV * (1 + slow + fast);
  }

  averageVoltageV(phase: number, fromMs: number, toMs: number): number {
    const step = (toMs - fromMs) / AVERAGE_SAMPLES;
    let volts = 0;
    for (let sample = 0; sample < AVERAGE_SAMPLES; sample++) {
      volts += this.voltageV(phase, fromMs + (sample + 0.5) * step);
    }
    return volts / AVERAGE_SAMPLES;
  }

  currentA(phase: number, atMs: number): number {
    const apparent = this.power("apparent-import", atMs) + this.power("apparent-export", atMs);
    return (apparent * this.phaseShare(phase, atMs)) / this.voltageV(phase, atMs);
  }

  averageCurrentA(phase: number, fromMs: number, toMs: number): number {
    const vah = this.#flowWh("apparent-import", fromMs, toMs) + this.#flowWh("apparent-export", fromMs, toMs);
    const apparent = (vah * HOUR_MS) / (toMs - fromMs);
    return (apparent * this.phaseShare(phase, (fromMs + toMs) / 2)) / this.averageVoltageV(phase, fromMs, toMs);
  }

  /** Active by apparent power, never above 1. */
  powerFactor(atMs: number): number {
    const apparent = this.power("apparent-import", atMs);
    return apparent === 0 ? 1 : Math.min(1, this.power("active-import", atMs) / apparent);
  }

  averagePowerFactor(fromMs: number, toMs: number): number {
    const vah = this.#flowWh("apparent-import", fromMs, toMs);
    return vah === 0 ? 1 : Math.min(1, this.#flowWh("active-import", fromMs, toMs) / vah);
  }

  frequencyHz(atMs: number): number {
    return 50 + 0.06 * smoothJitter(SEEDS.frequency, atMs / 60_000);
  }

  /**
   * The greatest mean power of a demand period in a window, in units of `unitW`: of one tariff, or of all together.
   * Ties go to the earliest.
   */
  maximumDemand(flow: Flow, window: DemandWindow, unitW: number, tariff?: number): MaximumDemand {
    const { wh, atMs } = this.#greatestPeriods(flow, window)[tariff ?? this.tariffCount] ?? NO_DEMAND;
    return { units: Math.floor((wh * HOUR_MS) / window.periodMs / unitW), atMs };
  }

  /** The greatest period of each tariff, and at the end that of all. */
  #greatestPeriods(flow: Flow, window: DemandWindow): readonly Period[] {
    const known = this.#demands.get(flow);
    const { fromMs, toMs, periodMs } = window;
    if (known?.fromMs === fromMs && known.toMs === toMs && known.periodMs === periodMs) return known.periods;
    const greatest: Period[] = Array.from({ length: this.tariffCount + 1 }, () => NO_DEMAND);
    let [before, after] = [this.#past, this.#present];
    this.#readRegisters(flow, { atMs: fromMs, unitWh: 1, into: before });
    for (let endMs = fromMs + periodMs; endMs <= toMs; endMs += periodMs) {
      this.#readRegisters(flow, { atMs: endMs, unitWh: 1, into: after });
      let total = 0;
      for (let tariff = 0; tariff < this.tariffCount; tariff++) {
        const wh = (after[tariff] ?? 0) - (before[tariff] ?? 0);
        total += wh;
        if (wh > (greatest[tariff]?.wh ?? 0)) greatest[tariff] = { wh, atMs: endMs };
      }
      if (total > (greatest[this.tariffCount]?.wh ?? 0)) greatest[this.tariffCount] = { wh: total, atMs: endMs };
      [before, after] = [after, before];
    }
    this.#demands.set(flow, { ...window, periods: greatest });
    return greatest;
  }

  /** Puts the register of each tariff, in whole units, into an array of that many numbers. */
  #readRegisters(flow: Flow, { atMs, unitWh, into }: RegisterReading): void {
    this.#readTariffs(flow, atMs, into);
    for (let tariff = 0; tariff < into.length; tariff++) {
      // What is a whole number but for the last bits of a double must not be taken for the one below.
      into[tariff] = Math.floor(Math.round((into[tariff] ?? 0) * 1000) / 1000 / unitWh);
    }
  }

  #readTariffs(flow: Flow, atMs: number, into: Float64Array): void {
    into.fill(0);
    for (const [curve, factor] of this.#terms(flow)) curve.addTariffs(atMs, factor, into);
  }

  #flowWh(flow: Flow, fromMs: number, toMs: number): number {
    this.#readTariffs(flow, fromMs, this.#past);
    this.#readTariffs(flow, toMs, this.#present);
    return sum(this.#present) - sum(this.#past);
  }

  #terms(flow: Flow): readonly (readonly [LoadCurve, number])[] {
    const known = this.#termsOfFlow.get(flow);
    if (known !== undefined) return known;
    const terms: [LoadCurve, number][] = [];
    for (const name of CURVE_NAMES) {
      const curve = this.#curves[name];
      const factor = FLOWS[flow][name];
      if (curve !== undefined && factor !== undefined) terms.push([curve, factor]);
    }
    this.#termsOfFlow.set(flow, terms);
    return terms;
  }
}

const CURVE_NAMES: readonly CurveName[] = ["import", "lag", "export"];

const NO_DEMAND: Period = { wh: 0, atMs: undefined };

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
