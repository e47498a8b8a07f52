/**
 * Which capture object goes to which column. A rule names an object and an attribute; rules of a companion
 * specification come before the general ones of electricity meters. Facts are in the tables; `rulesFor` indexes them.
 */
import type { CaptureObject } from "../../protocol/cosem/capture-object.ts";
import type { Companion } from "../../protocol/cosem/companion/companion.ts";
import type { ProfileKind } from "./batch.ts";
import { profileColumn } from "./columns.ts";

export interface ColumnRule {
  /** Dotted logical name; `*` for B stands for channels 0 and 1, which makers use at will for the only meter. */
  readonly name: string;
  readonly attributeId: number;
  /** Restricts the rule where an attribute means something else in another class. */
  readonly classId?: number;
  /** The column, or several of which the first takes the value whose unit fits. */
  readonly columns: readonly string[];
  /** A register whose scaler and unit hold, for thresholds that have none of their own. */
  readonly scalerOf?: string;
}

const VALUE = 2;

function rule(name: string, column: string | readonly string[], attributeId = VALUE): ColumnRule {
  return { name, attributeId, columns: typeof column === "string" ? [column] : column };
}

/** Value group C of the sum of phases, by the name that the columns have. */
const QUANTITIES = {
  active_import: 1,
  active_export: 2,
  reactive_import: 3,
  reactive_export: 4,
  reactive_q1: 5,
  reactive_q2: 6,
  reactive_q3: 7,
  reactive_q4: 8,
  apparent_import: 9,
  apparent_export: 10,
  active_absolute: 15,
  active_net: 16,
} as const;

const ENERGIES = Object.entries(QUANTITIES);
const DEMANDS = ENERGIES.filter(([, c]) => c <= 4 || c === 9 || c === 10);
const TARIFFS = [1, 2, 3, 4, 5, 6, 7, 8] as const;
const PHASES = [1, 2, 3] as const;
/** What is added to value group C for each phase. */
const PHASE_STEP = 20;

function powerName(quantity: string, phase = ""): string {
  const at = quantity.indexOf("_");
  return `${quantity.slice(0, at)}_power_${quantity.slice(at + 1)}${phase}`;
}

/** Value group D of an energy register that runs for ever, of one that runs since the last billing, of an interval. */
const TIME_INTEGRAL = { total: 8, billingPeriod: 9, interval: 29 } as const;
const MAXIMUM = 6;
const CURRENT_AVERAGE = 4;
const LAST_AVERAGE = 5;
const INSTANTANEOUS = 7;
/** Averages of the recording interval: IS 15959 has them under 27, DSMR under 24. */
const INTERVAL_AVERAGES = [27, 24] as const;

const TOTALS: readonly ColumnRule[] = ENERGIES.flatMap(([quantity, c]) => [
  rule(`1.*.${c}.${TIME_INTEGRAL.total}.0.255`, `${quantity}_total`),
  ...TARIFFS.map((tariff) => rule(`1.*.${c}.${TIME_INTEGRAL.total}.${tariff}.255`, `${quantity}_t${tariff}`)),
]);

const INTERVAL_ENERGIES = ENERGIES.map(([quantity, c]) => rule(`1.*.${c}.${TIME_INTEGRAL.interval}.0.255`, quantity));
const PERIOD_ENERGIES = ENERGIES.map(([quantity, c]) =>
  rule(`1.*.${c}.${TIME_INTEGRAL.billingPeriod}.0.255`, quantity),
);

const MAXIMUM_DEMANDS: readonly ColumnRule[] = DEMANDS.flatMap(([quantity, c]) =>
  [0, ...TARIFFS].flatMap((tariff): ColumnRule[] => {
    const name = `1.*.${c}.${MAXIMUM}.${tariff}.255`;
    const column = `demand_${quantity}_max${tariff === 0 ? "" : `_t${tariff}`}`;
    return [rule(name, column), { ...rule(name, `${column}_time`, 5), classId: 4 }];
  }),
);

const AVERAGE_DEMANDS: readonly ColumnRule[] = ENERGIES.flatMap(([quantity, c]) => [
  { ...rule(`1.*.${c}.${CURRENT_AVERAGE}.0.255`, `demand_${quantity}`, 3), classId: 5 },
  { ...rule(`1.*.${c}.${CURRENT_AVERAGE}.0.255`, `demand_${quantity}`), classId: 3 },
  rule(`1.*.${c}.${LAST_AVERAGE}.0.255`, `demand_${quantity}`),
  rule(`1.*.${c}.24.0.255`, `demand_${quantity}`),
]);

const PRESENT_DEMANDS: readonly ColumnRule[] = DEMANDS.flatMap(([quantity, c]) => [
  rule(`1.*.${c}.${CURRENT_AVERAGE}.0.255`, `demand_${quantity}`),
]);

const POWERS: readonly ColumnRule[] = [
  ...ENERGIES.map(([quantity, c]) => rule(`1.*.${c}.${INSTANTANEOUS}.0.255`, powerName(quantity))),
  ...DEMANDS.flatMap(([quantity, c]) =>
    PHASES.map((phase) =>
      rule(`1.*.${c + PHASE_STEP * phase}.${INSTANTANEOUS}.0.255`, powerName(quantity, `_l${phase}`)),
    ),
  ),
];

/** Voltages, currents, power factors and frequency, processed as value group D says. */
function network(d: number): ColumnRule[] {
  return [
    rule(`1.*.12.${d}.0.255`, "voltage_l1"),
    rule(`1.*.11.${d}.0.255`, "current_l1"),
    rule(`1.*.91.${d}.0.255`, "current_n"),
    rule(`1.*.90.${d}.0.255`, "current_total"),
    rule(`1.*.13.${d}.0.255`, "power_factor"),
    rule(`1.*.14.${d}.0.255`, "frequency"),
    ...PHASES.flatMap((phase) => {
      const base = PHASE_STEP * phase;
      return [
        rule(`1.*.${base + 11}.${d}.0.255`, `current_l${phase}`),
        rule(`1.*.${base + 12}.${d}.0.255`, `voltage_l${phase}`),
        rule(`1.*.${base + 13}.${d}.0.255`, `power_factor_l${phase}`),
      ];
    }),
  ];
}

const ANGLES = [
  rule("1.*.81.7.1.255", "angle_u1_u2"),
  rule("1.*.81.7.12.255", "angle_u2_u3"),
  rule("1.*.81.7.2.255", "angle_u1_u3"),
  rule("1.*.81.7.4.255", "angle_l1"),
  rule("1.*.81.7.15.255", "angle_l2"),
  rule("1.*.81.7.26.255", "angle_l3"),
];

const COUNTERS = [
  rule("0.*.96.7.0.255", "power_failures"),
  rule("0.*.96.7.21.255", "power_failures"),
  rule("0.*.0.1.0.255", "billing_count"),
  rule("1.*.0.1.0.255", "billing_count"),
  rule("0.*.96.2.0.255", "programming_count"),
];

const CONTROL: readonly ColumnRule[] = [
  { ...rule("0.0.96.3.10.255", "load_switch"), classId: 70 },
  { ...rule("0.0.96.3.10.255", "load_switch_state", 3), classId: 70 },
  { ...rule("0.0.17.0.0.255", "load_limit", 3), classId: 71, scalerOf: "1.0.1.7.0.255" },
  rule("0.*.96.14.0.255", "tariff"),
  rule("0.*.0.1.2.255", "billing_time"),
  rule("1.*.0.1.2.255", "billing_time"),
];

const DIAGNOSTICS = [rule("0.*.96.9.0.255", "temperature"), rule("0.*.96.12.5.255", "signal_strength")];

/** Value objects of M-Bus devices: DSMR 4 and IDIS, SMR 5, Belgium. */
const MBUS: readonly ColumnRule[] = [1, 2, 3, 4].flatMap((channel) =>
  [1, 2, 3].flatMap((e): ColumnRule[] => {
    const name = `0.${channel}.24.2.${e}.255`;
    return [
      rule(name, [`mbus${channel}_volume`, `mbus${channel}_heat`]),
      { ...rule(name, `mbus${channel}_time`, 5), classId: 4 },
    ];
  }),
);

/** What every electricity meter means by its objects. */
const GENERAL: Readonly<Record<ProfileKind, readonly ColumnRule[]>> = {
  instant: [
    ...network(INSTANTANEOUS),
    ...ANGLES,
    ...POWERS,
    ...TOTALS,
    ...PRESENT_DEMANDS,
    ...MAXIMUM_DEMANDS,
    ...COUNTERS,
    ...CONTROL,
    ...DIAGNOSTICS,
    ...MBUS,
  ],
  block_load: [
    ...INTERVAL_AVERAGES.flatMap(network),
    ...network(INSTANTANEOUS),
    ...INTERVAL_ENERGIES,
    ...TOTALS,
    ...AVERAGE_DEMANDS,
    ...DIAGNOSTICS,
    ...MBUS,
  ],
  daily_load: [...INTERVAL_ENERGIES, ...TOTALS, ...MAXIMUM_DEMANDS, ...COUNTERS, ...DIAGNOSTICS, ...MBUS],
  billing: [
    rule("1.*.13.0.0.255", "power_factor"),
    ...PERIOD_ENERGIES,
    ...TOTALS,
    ...MAXIMUM_DEMANDS,
    ...COUNTERS,
    ...CONTROL,
    ...MBUS,
  ],
};

const AMR_STATUS = [1, 2, 3, 4, 5, 6, 7].map((e) => rule(`0.0.96.10.${e}.255`, "status"));

/** What one companion specification means by objects that others use for something else. */
const OF_COMPANION: Readonly<Record<Companion, readonly ColumnRule[]>> = {
  is15959: [
    rule("0.0.96.10.1.255", "meter_health"),
    rule("0.0.94.91.0.255", "tamper_count"),
    rule("0.0.94.91.8.255", "power_off_duration"),
    rule("0.0.94.91.13.255", "billing_power_on_duration"),
    rule("0.0.94.91.14.255", "power_on_duration"),
  ],
  idis: AMR_STATUS,
  dsmr: AMR_STATUS,
  nordic: AMR_STATUS,
  spodes: [],
  none: AMR_STATUS,
};

/** The object that electricity meters in general keep a column in, on channel 0; undefined where none does. */
export function generalObject(
  profile: ProfileKind,
  column: string,
): { readonly logicalName: string; readonly attributeId: number } | undefined {
  const found = GENERAL[profile].find((each) => each.columns.includes(column));
  return found && { logicalName: found.name.replace("*", "0"), attributeId: found.attributeId };
}

export type RuleIndex = (object: CaptureObject) => ColumnRule | undefined;

const INDEXES = new Map<string, RuleIndex>();

/** Finds the rule for a capture object in one table of one companion; undefined for what none knows. */
export function rulesFor(companion: Companion, profile: ProfileKind): RuleIndex {
  const key = `${companion} ${profile}`;
  const known = INDEXES.get(key);
  if (known !== undefined) return known;
  const index = indexOf([...OF_COMPANION[companion], ...GENERAL[profile]], profile);
  INDEXES.set(key, index);
  return index;
}

function indexOf(rules: readonly ColumnRule[], profile: ProfileKind): RuleIndex {
  const byName = new Map<string, ColumnRule[]>();
  for (const each of rules) {
    const columns = each.columns.filter((column) => profileColumn(profile, column) !== undefined);
    if (columns.length === 0) continue;
    for (const name of expand(each.name)) {
      const key = `${name}:${each.attributeId}`;
      byName.set(key, [...(byName.get(key) ?? []), { ...each, columns }]);
    }
  }
  return ({ classId, logicalName, attributeId, dataIndex }) =>
    dataIndex === 0
      ? byName.get(`${logicalName}:${attributeId}`)?.find((each) => (each.classId ?? classId) === classId)
      : undefined;
}

function expand(name: string): readonly string[] {
  return name.includes("*") ? [name.replace("*", "0"), name.replace("*", "1")] : [name];
}
