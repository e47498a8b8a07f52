/**
 * What makers and companion specifications leave unsaid in their pushes: which value stands at which place, and in
 * which scaler and unit numbers are that come without. A family is recognised by what it says of itself, or by the form
 * of its body; a new one is one more entry.
 */
import type { CaptureObject } from "../../protocol/cosem/capture-object.ts";
import type { Companion } from "../../protocol/cosem/companion/companion.ts";
import { parseObis } from "../../protocol/cosem/obis.ts";
import type { ScalerUnit } from "../../protocol/cosem/scaler-unit.ts";
import type { ProfileKind } from "./batch.ts";

/** What a body is recognised by. */
export interface PushTraits {
  /** `bare` for values without any names, `named` for values with names but without units, `complete` with both. */
  readonly form: "bare" | "named" | "complete" | "untagged" | "listed" | "opaque";
  readonly elementCount: number;
  /** Whether the first element is a date-time without a name. */
  readonly startsWithTime: boolean;
  readonly listId: string | undefined;
  readonly logicalDeviceName: string | undefined;
  readonly meterType: string | undefined;
  readonly pushSetup: string | undefined;
}

export interface PushFamily {
  readonly name: string;
  readonly recognises: (traits: PushTraits) => boolean;
  /** Scalers of quantities that come without. */
  readonly scalers: readonly QuantityScaler[];
}

/** The scaler and unit of all quantities of one kind. */
interface QuantityScaler {
  readonly quantity: keyof typeof UNITS;
  readonly scaler: number;
}

const UNITS = {
  activePower: 27,
  reactivePower: 29,
  activeEnergy: 30,
  reactiveEnergy: 32,
  current: 33,
  voltage: 35,
  ratio: 255,
} as const;

const WHOLE_POWERS_AND_ENERGIES: readonly QuantityScaler[] = [
  { quantity: "activePower", scaler: 0 },
  { quantity: "reactivePower", scaler: 0 },
  { quantity: "activeEnergy", scaler: 0 },
  { quantity: "reactiveEnergy", scaler: 0 },
];

const KAMSTRUP: readonly QuantityScaler[] = [
  { quantity: "activePower", scaler: 0 },
  { quantity: "reactivePower", scaler: 0 },
  { quantity: "activeEnergy", scaler: 1 },
  { quantity: "reactiveEnergy", scaler: 1 },
  { quantity: "voltage", scaler: 0 },
  { quantity: "ratio", scaler: -2 },
];

export const PUSH_FAMILIES: readonly PushFamily[] = [
  {
    name: "Kaifa",
    recognises: ({ listId, form, elementCount }) =>
      listId?.startsWith("KFM_") === true || (form === "bare" && elementCount === 1),
    scalers: [...WHOLE_POWERS_AND_ENERGIES, { quantity: "current", scaler: -3 }, { quantity: "voltage", scaler: -1 }],
  },
  {
    name: "Kamstrup with current transformers",
    recognises: ({ listId, meterType }) =>
      listId?.startsWith("Kamstrup_") === true && meterType?.startsWith("685") === true,
    scalers: [...KAMSTRUP, { quantity: "current", scaler: -3 }],
  },
  {
    name: "Kamstrup",
    recognises: ({ listId }) => listId?.startsWith("Kamstrup_") === true,
    scalers: [...KAMSTRUP, { quantity: "current", scaler: -2 }],
  },
  {
    name: "Landis+Gyr E450, Swiss list",
    recognises: ({ pushSetup }) => pushSetup === "0.8.25.9.0.255",
    scalers: [
      ...WHOLE_POWERS_AND_ENERGIES,
      { quantity: "current", scaler: -2 },
      { quantity: "voltage", scaler: 0 },
      { quantity: "ratio", scaler: -3 },
    ],
  },
  {
    name: "Swiss list of 2026",
    recognises: ({ pushSetup }) => pushSetup === "0.6.25.9.0.255",
    scalers: [
      ...WHOLE_POWERS_AND_ENERGIES,
      { quantity: "current", scaler: -2 },
      { quantity: "voltage", scaler: -1 },
      { quantity: "ratio", scaler: -3 },
    ],
  },
  {
    name: "Landis+Gyr",
    recognises: ({ logicalDeviceName, form, startsWithTime }) =>
      logicalDeviceName?.startsWith("LGZ") === true || (startsWithTime && (form === "named" || form === "bare")),
    scalers: WHOLE_POWERS_AND_ENERGIES,
  },
  {
    name: "Sagemcom, Austrian list",
    recognises: ({ logicalDeviceName }) => logicalDeviceName?.startsWith("SAG") === true,
    scalers: WHOLE_POWERS_AND_ENERGIES,
  },
  {
    name: "Czech list",
    recognises: ({ form }) => form === "untagged",
    scalers: WHOLE_POWERS_AND_ENERGIES,
  },
];

/** The scaler and unit that the family gives the quantity of that name, or undefined. */
export function familyScaler(family: PushFamily | undefined, logicalName: string): ScalerUnit | undefined {
  const quantity = quantityOf(logicalName);
  const found = family?.scalers.find((each) => each.quantity === quantity);
  return found === undefined ? undefined : { scaler: found.scaler, unit: UNITS[found.quantity] };
}

const ELECTRICITY = 1;
const POWER = 7;
const ENERGY = 8;
/** Value group C repeats for each phase. */
const PHASE_STEP = 20;

function quantityOf(logicalName: string): keyof typeof UNITS | undefined {
  const { a, c, d } = parseObis(logicalName);
  if (a !== ELECTRICITY || (d !== POWER && d !== ENERGY) || c < 1 || c > 80) return undefined;
  const kind = ((c - 1) % PHASE_STEP) + 1;
  if (kind <= 2 || kind === 16) return d === POWER ? "activePower" : "activeEnergy";
  if (kind <= 8) return d === POWER ? "reactivePower" : "reactiveEnergy";
  return d === POWER ? PRESENT_VALUES[kind] : undefined;
}

const PRESENT_VALUES: Readonly<Record<number, keyof typeof UNITS>> = { 11: "current", 12: "voltage", 13: "ratio" };

function object(classId: number, logicalName: string, attributeId = 2): CaptureObject {
  return { classId, logicalName, attributeId, dataIndex: 0 };
}

const registers = (...cs: readonly string[]): CaptureObject[] => cs.map((c) => object(3, `1.0.${c}.0.255`));

export const LIST_ID = object(1, "1.1.0.2.129.255");
const METER_NUMBER = object(1, "0.0.96.1.0.255");
const METER_TYPE = object(1, "0.0.96.1.7.255");
export const CLOCK = object(8, "0.0.1.0.0.255");
const KAIFA_HEAD = [LIST_ID, METER_NUMBER, METER_TYPE, ...registers("1.7", "2.7", "3.7", "4.7")];
const KAIFA_TAIL = [CLOCK, ...registers("1.8", "2.8", "3.8", "4.8")];
const THREE_PHASES = registers("31.7", "51.7", "71.7", "32.7", "52.7", "72.7");
const ONE_PHASE = registers("31.7", "32.7");

/** Bodies of values without names: what stands where. */
export const BARE_LAYOUTS: readonly {
  readonly name: string;
  readonly fits: (traits: PushTraits) => boolean;
  readonly objects: readonly CaptureObject[];
}[] = [
  { name: "Kaifa list 1", fits: kaifa(1), objects: registers("1.7") },
  { name: "Kaifa list 2, one phase", fits: kaifa(9), objects: [...KAIFA_HEAD, ...ONE_PHASE] },
  { name: "Kaifa list 2, three phases", fits: kaifa(13), objects: [...KAIFA_HEAD, ...THREE_PHASES] },
  { name: "Kaifa list 3, one phase", fits: kaifa(14), objects: [...KAIFA_HEAD, ...ONE_PHASE, ...KAIFA_TAIL] },
  { name: "Kaifa list 3, three phases", fits: kaifa(18), objects: [...KAIFA_HEAD, ...THREE_PHASES, ...KAIFA_TAIL] },
  {
    name: "Landis+Gyr E450, Tyrol",
    fits: ({ startsWithTime, elementCount }) => startsWithTime && elementCount === 9,
    objects: [CLOCK, ...registers("1.8", "2.8", "3.8", "4.8", "1.7", "2.7", "3.7", "4.7")],
  },
];

function kaifa(elementCount: number): (traits: PushTraits) => boolean {
  return (traits) =>
    traits.elementCount === elementCount && (elementCount === 1 || traits.listId?.startsWith("KFM_") === true);
}

/** A text without a name after the last named value is the number of the meter (Kaifa, Lower Austria). */
export const TRAILING_TEXT = METER_NUMBER;

const EQUIPMENT_ID = object(1, "0.0.96.1.1.255");
/** Who sends, in IS 15959. */
export const DEVICE_ID = object(1, "0.0.96.1.2.255");
const EVENT_STATUS_WORD = object(1, "0.0.94.91.18.255");
const alarmRegister = (e: number): CaptureObject => object(1, `0.0.97.98.${e}.255`);

function dutchList(pushSetup: string, alarmRegisters: number): readonly CaptureObject[] {
  const registers = [0, 1, 2].slice(0, alarmRegisters).map(alarmRegister);
  return [EQUIPMENT_ID, object(40, pushSetup, 1), ...registers];
}

type PushLists = Readonly<Record<string, readonly CaptureObject[]>>;

const INDIAN_LISTS: PushLists = {
  "0.4.25.9.0.255": [DEVICE_ID, object(40, "0.4.25.9.0.255", 1), CLOCK, EVENT_STATUS_WORD],
};
const DUTCH_LISTS: PushLists = {
  "0.0.25.9.0.255": dutchList("0.0.25.9.0.255", 0),
  "0.1.25.9.0.255": dutchList("0.1.25.9.0.255", 3),
  "0.2.25.9.0.255": dutchList("0.2.25.9.0.255", 0),
  "0.3.25.9.0.255": dutchList("0.3.25.9.0.255", 3),
};

/** What a companion specification lets its meters push, where the meter's own list has not been read. */
export const COMPANION_LISTS: Readonly<Record<Companion, PushLists>> = {
  is15959: INDIAN_LISTS,
  dsmr: DUTCH_LISTS,
  idis: {},
  nordic: {},
  spodes: {},
  none: { ...DUTCH_LISTS, ...INDIAN_LISTS },
};

/** Which table the values of a push setup go to; the others are snapshots. */
export const PUSHED_PROFILES: Readonly<Record<Companion, Readonly<Record<string, ProfileKind>>>> = {
  is15959: {
    "0.5.25.9.0.255": "block_load",
    "0.6.25.9.0.255": "daily_load",
    "0.132.25.9.0.255": "billing",
    "0.0.25.9.129.255": "billing",
  },
  dsmr: {},
  idis: {},
  nordic: {},
  spodes: {},
  none: {},
};

/** Which table the rows of a pushed profile go to. */
export const PROFILE_NAMES: Readonly<Record<string, ProfileKind>> = {
  "1.0.94.91.0.255": "instant",
  "1.0.94.7.0.255": "instant",
  "1.0.99.1.0.255": "block_load",
  "1.0.99.2.0.255": "daily_load",
  "0.0.98.1.0.255": "billing",
  "1.0.98.1.0.255": "billing",
};
