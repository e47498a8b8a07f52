import type { Data } from "../../protocol/axdr/data.ts";
import type { StateName } from "./description.ts";
import type { LoggedEvent } from "./event-series.ts";

/** Billing resets by hand that are remembered. */
const REMEMBERED_RESETS = 13;

/** What clients have changed on a virtual meter; everything else follows from its seed and the time. */
export class MeterState {
  /** By how much the meter's clock is ahead of the true time, in ms. */
  clockOffsetMs = 0;
  readonly #numbers: Map<StateName, number>;
  readonly #written = new Map<string, Data>();
  readonly #raised = new Map<string, LoggedEvent[]>();
  #resets: number[] = [];

  constructor(numbers: Readonly<Partial<Record<StateName, number>>>) {
    this.#numbers = new Map();
    for (const [name, value] of Object.entries(numbers)) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.entries forgets the keys' literal types.
      this.#numbers.set(name as StateName, value);
    }
  }

  number(name: StateName): number {
    return this.#numbers.get(name) ?? 0;
  }

  setNumber(name: StateName, value: number): void {
    this.#numbers.set(name, value);
  }

  written(logicalName: string, attributeId: number): Data | undefined {
    // Asked for every cell of every row.
    return this.#written.size === 0 ? undefined : this.#written.get(`${logicalName}/${attributeId}`);
  }

  write(logicalName: string, attributeId: number, value: Data): void {
    // A decoded value's octets are views of the request.
    this.#written.set(`${logicalName}/${attributeId}`, structuredClone(value));
  }

  /** Events of a log that were raised by hand, in the order of time. */
  raised(log: string): readonly LoggedEvent[] {
    return this.#raised.get(log) ?? [];
  }

  raise(log: string, event: LoggedEvent): void {
    this.#raised.set(log, [...this.raised(log), event]);
  }

  /** Instants at which a billing period was ended by hand, ascending. */
  get resets(): readonly number[] {
    return this.#resets;
  }

  reset(atMs: number): void {
    this.#resets = [...this.#resets, atMs].slice(-REMEMBERED_RESETS);
  }
}
