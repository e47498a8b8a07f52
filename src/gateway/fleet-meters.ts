/** The meters that a gateway may work, by name, key and id: those of the configuration, and those that were added. */
import type { PolledMeter } from "../collect/polled-meter.ts";
import type { MeterConfig } from "../config/schema.ts";

export class FleetMeters {
  readonly #byName = new Map<string, PolledMeter>();
  readonly #byKey = new Map<number, PolledMeter>();
  readonly #byId = new Map<string, PolledMeter>();
  readonly #configs = new Map<PolledMeter, MeterConfig>();

  get size(): number {
    return this.#byName.size;
  }

  get(name: string): PolledMeter | undefined {
    return this.#byName.get(name);
  }

  byKey(meterKey: number): PolledMeter | undefined {
    return this.#byKey.get(meterKey);
  }

  byId(meterId: string): PolledMeter | undefined {
    return this.#byId.get(meterId);
  }

  keys(): MapIterator<string> {
    return this.#byName.keys();
  }

  values(): MapIterator<PolledMeter> {
    return this.#byName.values();
  }

  /** What was said of a meter; undefined for one that has left. */
  configOf(meter: PolledMeter): MeterConfig | undefined {
    return this.#configs.get(meter);
  }

  add(meter: PolledMeter, config: MeterConfig): void {
    this.#byName.set(meter.target.name, meter);
    this.#byKey.set(meter.meterKey, meter);
    this.#byId.set(meter.meterId, meter);
    this.#configs.set(meter, config);
  }

  remove(meter: PolledMeter): void {
    this.#byName.delete(meter.target.name);
    this.#byKey.delete(meter.meterKey);
    this.#byId.delete(meter.meterId);
    this.#configs.delete(meter);
  }
}
