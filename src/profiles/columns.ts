/**
 * The named columns of the four profile tables, for meters of every companion specification: IS 15959 D1–D4, IDIS,
 * DSMR and their kin. The store makes its tables and views from this list; the companion tables map capture objects to
 * these names. A single-phase meter's values are in the columns of phase l1.
 *
 * Naming: `active_import` is what flowed during the row's interval, `active_import_total` is the register's reading at
 * its end, `active_import_t1` the reading of tariff 1. A column of kind "number" holds an integer in units of
 * 10^exponent; kind "timestamp" holds milliseconds since 1970; kind "status" holds an integer as the meter sent it.
 */
import type { ProfileKind } from "./batch.ts";

export interface ProfileColumn {
  /** Name of the column in the table. */
  readonly name: string;
  /** Name of the column in the view, in whole units. */
  readonly shownAs: string;
  readonly kind: "number" | "timestamp" | "status";
  /** Symbol of the unit; empty for ratios, counts, times and status words. */
  readonly unit: string;
  /** The stored integer times 10^exponent is the value in `unit`. */
  readonly exponent: number;
  /** Width of the stored integer. */
  readonly bits: 32 | 64;
  readonly description: string;
}

const SUFFIXES: Readonly<Record<string, string>> = { "°": "deg", "°C": "celsius", "m³": "m3" };

/** Units whose values fit 32 bits at the resolution that the columns have. */
const NARROW_UNITS: ReadonlySet<string> = new Set(["V", "A", "Hz", "", "°", "°C", "dBm", "min"]);

function number(name: string, unit: string, exponent: number, description: string): ProfileColumn {
  const suffix = SUFFIXES[unit] ?? unit.toLowerCase();
  const bits = NARROW_UNITS.has(unit) ? 32 : 64;
  const shownAs = unit === "" ? name : `${name}_${suffix}`;
  return { name, shownAs, kind: "number", unit, exponent, bits, description };
}

function timestamp(name: string, description: string): ProfileColumn {
  return { name, shownAs: name, kind: "timestamp", unit: "", exponent: 0, bits: 64, description };
}

function status(name: string, description: string): ProfileColumn {
  return { name, shownAs: name, kind: "status", unit: "", exponent: 0, bits: 64, description };
}

interface Quantity {
  readonly name: string;
  readonly unit: "W" | "VA" | "var";
  readonly text: string;
}

const ACTIVE_IMPORT: Quantity = { name: "active_import", unit: "W", text: "active, import" };
const ACTIVE_EXPORT: Quantity = { name: "active_export", unit: "W", text: "active, export" };
const REACTIVE_IMPORT: Quantity = { name: "reactive_import", unit: "var", text: "reactive, import (Q1+Q2)" };
const REACTIVE_EXPORT: Quantity = { name: "reactive_export", unit: "var", text: "reactive, export (Q3+Q4)" };
const APPARENT_IMPORT: Quantity = { name: "apparent_import", unit: "VA", text: "apparent, import" };
const APPARENT_EXPORT: Quantity = { name: "apparent_export", unit: "VA", text: "apparent, export" };
const QUADRANTS: readonly Quantity[] = [1, 2, 3, 4].map((q) => {
  return { name: `reactive_q${q}`, unit: "var", text: `reactive, quadrant ${q}` };
});
const NET: readonly Quantity[] = [
  { name: "active_net", unit: "W", text: "active, import less export" },
  { name: "active_absolute", unit: "W", text: "active, import plus export" },
];
const DIRECTIONS = [
  ACTIVE_IMPORT,
  ACTIVE_EXPORT,
  REACTIVE_IMPORT,
  REACTIVE_EXPORT,
  APPARENT_IMPORT,
  APPARENT_EXPORT,
] as const;
const QUANTITIES: readonly Quantity[] = [...DIRECTIONS, ...QUADRANTS, ...NET];
const ACTIVE = [ACTIVE_IMPORT, ACTIVE_EXPORT] as const;

/** Milliwatt-hours and the like: fine enough for every scaler seen, and 9 PWh still fit. */
const ENERGY_EXPONENT = -3;
const POWER_EXPONENT = -3;

function intervalEnergies(quantities: readonly Quantity[]): ProfileColumn[] {
  return quantities.map((q) => number(q.name, `${q.unit}h`, ENERGY_EXPONENT, `Energy of the interval: ${q.text}`));
}

function totals(quantities: readonly Quantity[]): ProfileColumn[] {
  return quantities.map((q) => number(`${q.name}_total`, `${q.unit}h`, ENERGY_EXPONENT, `Energy register: ${q.text}`));
}

function tariffTotals(quantities: readonly Quantity[], tariffs: number): ProfileColumn[] {
  return quantities.flatMap((q) =>
    upTo(tariffs).map((tariff) => {
      const text = `Energy register of tariff ${tariff}: ${q.text}`;
      return number(`${q.name}_t${tariff}`, `${q.unit}h`, ENERGY_EXPONENT, text);
    }),
  );
}

function maximumDemands(quantities: readonly Quantity[], tariffs = 0): ProfileColumn[] {
  return quantities.flatMap((q) =>
    ["", ...upTo(tariffs).map((tariff) => `_t${tariff}`)].flatMap((suffix) => {
      const name = `demand_${q.name}_max${suffix}`;
      const text = suffix === "" ? q.text : `${q.text}, tariff ${suffix.slice(2)}`;
      return [
        number(name, q.unit, POWER_EXPONENT, `Maximum demand: ${text}`),
        timestamp(`${name}_time`, `When the maximum demand occurred: ${text}`),
      ];
    }),
  );
}

function powers(quantities: readonly Quantity[], phase = ""): ProfileColumn[] {
  return quantities.map((q) => {
    const [kind, rest] = splitOnce(q.name);
    const text = phase === "" ? q.text : `${q.text}, phase ${phase.slice(1)}`;
    return number(`${kind}_power_${rest}${phase}`, q.unit, POWER_EXPONENT, `Power: ${text}`);
  });
}

function demands(quantities: readonly Quantity[]): ProfileColumn[] {
  return quantities.map((q) => number(`demand_${q.name}`, q.unit, POWER_EXPONENT, `Average demand: ${q.text}`));
}

function splitOnce(name: string): [string, string] {
  const at = name.indexOf("_");
  return [name.slice(0, at), name.slice(at + 1)];
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

const PHASES = ["_l1", "_l2", "_l3"] as const;

/** Voltages, currents, power factors and frequency: at the moment of capture, or averages of the interval. */
function network(when: string): ProfileColumn[] {
  return [
    ...PHASES.map((phase) => number(`voltage${phase}`, "V", -3, `${when} voltage, phase ${phase.slice(1)}`)),
    ...PHASES.map((phase) => number(`current${phase}`, "A", -3, `${when} current, phase ${phase.slice(1)}`)),
    number("current_n", "A", -3, `${when} current in the neutral`),
    number("current_total", "A", -3, `${when} sum of the phase currents`),
    number("power_factor", "", -4, `${when} power factor, all phases (IS 15959: + lagging, - leading)`),
    ...PHASES.map((phase) => number(`power_factor${phase}`, "", -4, `${when} power factor, phase ${phase.slice(1)}`)),
    number("frequency", "Hz", -4, `${when} frequency`),
  ];
}

const ANGLES: readonly ProfileColumn[] = [
  number("angle_u1_u2", "°", -3, "Angle between the voltages of phases 1 and 2"),
  number("angle_u2_u3", "°", -3, "Angle between the voltages of phases 2 and 3"),
  number("angle_u1_u3", "°", -3, "Angle between the voltages of phases 1 and 3"),
  number("angle_l1", "°", -3, "Angle between current and voltage of phase 1"),
  number("angle_l2", "°", -3, "Angle between current and voltage of phase 2"),
  number("angle_l3", "°", -3, "Angle between current and voltage of phase 3"),
];

const COUNTERS: readonly ProfileColumn[] = [
  number("power_failures", "", 0, "Number of power failures"),
  number("power_off_duration", "min", 0, "Cumulative duration without power"),
  number("power_on_duration", "min", 0, "Cumulative duration with power"),
  number("tamper_count", "", 0, "Cumulative number of tampers"),
  number("billing_count", "", 0, "Cumulative number of billing periods"),
  number("programming_count", "", 0, "Cumulative number of parameter changes"),
];

const STATUS = status("status", "Status word of the profile, bits as the companion specification of the meter says");

const CONTROL: readonly ProfileColumn[] = [
  status("load_switch", "Output of the load switch: 1 connected, 0 disconnected"),
  status("load_switch_state", "Control state of the load switch: 0 disconnected, 1 connected, 2 ready to reconnect"),
  number("load_limit", "W", POWER_EXPONENT, "Limit above which the load switch opens"),
  status("tariff", "Number of the tariff in force"),
];

/** Sub-meters on the wired or wireless M-Bus of an electricity meter, by channel. */
const MBUS: readonly ProfileColumn[] = upTo(4).flatMap((channel) => [
  number(`mbus${channel}_volume`, "m³", -6, `M-Bus channel ${channel}: volume register (gas, water)`),
  number(`mbus${channel}_heat`, "J", 0, `M-Bus channel ${channel}: energy register (heat, cold)`),
  timestamp(`mbus${channel}_time`, `M-Bus channel ${channel}: when the register was read`),
]);

const DIAGNOSTICS: readonly ProfileColumn[] = [
  status("meter_health", "Health word of the meter (IS 15959)"),
  number("signal_strength", "dBm", -1, "Average signal strength of the communication module"),
  number("temperature", "°C", -2, "Temperature of the meter or its surroundings"),
];

/** Every named column by table. */
export const PROFILE_COLUMNS: Readonly<Record<ProfileKind, readonly ProfileColumn[]>> = {
  instant: [
    STATUS,
    ...network("Present"),
    ...ANGLES,
    ...powers(QUANTITIES),
    ...PHASES.flatMap((phase) => powers(DIRECTIONS, phase)),
    ...totals(QUANTITIES),
    ...tariffTotals(ACTIVE, 8),
    ...demands(DIRECTIONS),
    ...maximumDemands(DIRECTIONS),
    ...COUNTERS,
    timestamp("billing_time", "End of the last billing period"),
    ...CONTROL,
    ...DIAGNOSTICS,
    ...MBUS,
  ],
  block_load: [
    STATUS,
    ...network("Average"),
    ...intervalEnergies(QUANTITIES),
    ...totals(QUANTITIES),
    ...tariffTotals(ACTIVE, 8),
    ...demands([...DIRECTIONS, ...QUADRANTS]),
    ...DIAGNOSTICS,
    ...MBUS,
  ],
  daily_load: [
    STATUS,
    ...intervalEnergies(QUANTITIES),
    ...totals(QUANTITIES),
    ...tariffTotals(DIRECTIONS, 8),
    ...maximumDemands(DIRECTIONS),
    ...COUNTERS,
    ...DIAGNOSTICS,
    ...MBUS,
  ],
  billing: [
    STATUS,
    number("power_factor", "", -4, "Average power factor of the billing period"),
    ...intervalEnergies(QUANTITIES),
    ...totals(QUANTITIES),
    ...tariffTotals([...DIRECTIONS, ...QUADRANTS], 8),
    ...maximumDemands(DIRECTIONS, 8),
    number("billing_power_on_duration", "min", 0, "Duration with power in the billing period"),
    ...COUNTERS,
    ...CONTROL,
    ...MBUS,
  ],
};

/** What the sums of a day have: names and units of the intervals, and the registers at midnight. */
export const DAILY_SUM_COLUMNS: readonly ProfileColumn[] = [...intervalEnergies(QUANTITIES), ...totals(QUANTITIES)];

const BY_NAME: Readonly<Record<ProfileKind, ReadonlyMap<string, ProfileColumn>>> = {
  instant: byName("instant"),
  block_load: byName("block_load"),
  daily_load: byName("daily_load"),
  billing: byName("billing"),
};

function byName(profile: ProfileKind): ReadonlyMap<string, ProfileColumn> {
  return new Map(PROFILE_COLUMNS[profile].map((column) => [column.name, column]));
}

/** The column of that name, or undefined. */
export function profileColumn(profile: ProfileKind, name: string): ProfileColumn | undefined {
  return BY_NAME[profile].get(name);
}
