/** Columns that the profiles of several Indian categories have in common. */
import { DEVICE_ID } from "./is15959.ts";

const PHASE_GROUPS = { current: [31, 51, 71], voltage: [32, 52, 72], powerFactor: [33, 53, 73] } as const;

function phases(kinds: readonly (keyof typeof PHASE_GROUPS)[], processing: number): string[] {
  return kinds.flatMap((kind) => PHASE_GROUPS[kind].map((group) => `1.0.${group}.${processing}.0.255`));
}

const PRESENT = 7;
const INTERVAL_AVERAGE = 27;

/** Currents, voltages and power factors of the phases. */
export const PHASE_VALUES = phases(["current", "voltage", "powerFactor"], PRESENT);
/** Currents and voltages of the phases, averaged over the interval. */
export const PHASE_AVERAGES = phases(["current", "voltage"], INTERVAL_AVERAGE);
export const QUADRANTS = [5, 6, 7, 8].map((group) => `1.0.${group}.8.0.255`);

/** Energies of one kind: tariff 0 is the total. */
export function energies(group: number, tariffs: readonly number[]): string[] {
  return tariffs.map((tariff) => `1.0.${group}.8.${tariff}.255`);
}

/** Maximum demands of one kind, each with the time when it was. */
export function demands(group: number, tariffs: readonly number[]): string[] {
  return tariffs.flatMap((tariff) => [`1.0.${group}.6.${tariff}.255`, `1.0.${group}.6.${tariff}.255/5`]);
}

/** The name plate; meters behind transformers have their ratios in it. */
export function namePlate(ratios: readonly string[] = []): string[] {
  return [
    "0.0.96.1.0.255",
    DEVICE_ID,
    "0.0.96.1.1.255",
    "1.0.0.2.0.255",
    "0.0.94.91.9.255",
    "0.0.94.91.11.255",
    "0.0.94.91.12.255",
    ...ratios,
    "0.0.96.1.4.255",
  ];
}
