/** Names for logical names: listed ones from obis-names.ts, measured quantities of electricity put together. */
import { LIMITS } from "../limits.ts";
import { COMPANIONS, type Companion } from "./companion/companion.ts";
import { COMPANION_NAMES } from "./companion/object-names.ts";
import { LOGICAL_NAME_LENGTH, parseObis } from "./obis.ts";
import { OBIS_NAMES } from "./obis-names.ts";

export interface ObisMeaning {
  readonly name: string;
  /** The class that such an object usually is of. */
  readonly classId: number;
}

const ELECTRICITY = 1;
const CURRENT_VALUE = 255;

/** Value group C of the sum of phases; 20, 40 and 60 more are phases 1 to 3. */
const POWER_QUANTITIES: readonly string[] = [
  "",
  "active import",
  "active export",
  "reactive import",
  "reactive export",
  "reactive quadrant 1",
  "reactive quadrant 2",
  "reactive quadrant 3",
  "reactive quadrant 4",
  "apparent import",
  "apparent export",
];
const SIGNED_QUANTITIES: Readonly<Record<number, string>> = {
  15: "active import plus export",
  16: "active import less export",
  17: "active quadrant 1",
  18: "active quadrant 2",
  19: "active quadrant 3",
  20: "active quadrant 4",
};
const NETWORK_QUANTITIES: Readonly<Record<number, string>> = {
  11: "current",
  12: "voltage",
  13: "power factor",
  14: "frequency",
};
const WHOLE_NETWORK: Readonly<Record<number, string>> = {
  90: "sum of currents",
  91: "neutral current",
  92: "neutral voltage",
};
const PHASE_STEP = 20;
const PHASES = 3;

interface Processing {
  /** What is put after a power quantity; the others say "" for a present value. */
  readonly ofPower: string;
  readonly ofOther: string;
  readonly classId: number;
}

/** Value group D. */
const PROCESSINGS: Readonly<Record<number, Processing>> = {
  0: { ofPower: "average of the billing period", ofOther: "average of the billing period", classId: 3 },
  2: { ofPower: "cumulative maximum demand", ofOther: "cumulative maximum", classId: 3 },
  3: { ofPower: "minimum demand", ofOther: "minimum", classId: 4 },
  4: { ofPower: "demand, running average", ofOther: "running average", classId: 5 },
  5: { ofPower: "demand, last average", ofOther: "last average", classId: 3 },
  6: { ofPower: "maximum demand", ofOther: "maximum", classId: 4 },
  7: { ofPower: "power", ofOther: "", classId: 3 },
  8: { ofPower: "energy", ofOther: "integral over all time", classId: 3 },
  9: { ofPower: "energy since the last billing", ofOther: "integral since the last billing", classId: 3 },
  24: { ofPower: "power, average 3 running", ofOther: "average 3, running", classId: 3 },
  25: { ofPower: "power, average 3 last", ofOther: "average 3, last", classId: 3 },
  27: { ofPower: "power, average of the interval", ofOther: "average of the interval", classId: 3 },
  29: { ofPower: "energy of the interval", ofOther: "integral of the interval", classId: 3 },
};

const LISTED = new Map<string, ObisMeaning>();
for (const [logicalName, classId, name] of OBIS_NAMES) {
  LISTED.set(`${logicalName}:${classId}`, { name, classId });
  if (!LISTED.has(logicalName)) LISTED.set(logicalName, { name, classId });
}

const OF_COMPANION = new Map(
  COMPANIONS.map((companion) => [
    companion,
    new Map(COMPANION_NAMES[companion].map(([logicalName, classId, name]) => [logicalName, { name, classId }])),
  ]),
);

/** Meanings that have been asked for: the same few dozen names come with every push and every list. */
const ASKED = new Map<string, ObisMeaning | undefined>();

/**
 * What an object of that name means, or undefined. The class decides where one name has two meanings, the companion
 * specification where it has one of its own.
 */
export function obisMeaning(
  logicalName: string,
  classId?: number,
  companion: Companion = "none",
): ObisMeaning | undefined {
  const key = `${logicalName}:${classId}:${companion}`;
  if (ASKED.has(key)) return ASKED.get(key);
  const meaning = meaningOf(logicalName, classId, companion);
  if (ASKED.size >= LIMITS.rememberedNames) ASKED.clear();
  ASKED.set(key, meaning);
  return meaning;
}

function meaningOf(logicalName: string, classId: number | undefined, companion: Companion): ObisMeaning | undefined {
  const own = OF_COMPANION.get(companion)?.get(logicalName);
  if (own !== undefined && (classId ?? own.classId) === own.classId) return own;
  return (
    LISTED.get(`${logicalName}:${classId}`) ??
    LISTED.get(logicalName) ??
    measured(logicalName) ??
    LISTED.get(onChannelZero(logicalName))
  );
}

/** Makers put the only meter on channel 1 as well as on 0. */
function onChannelZero(logicalName: string): string {
  return logicalName.replace(/^(\d+)\.\d+\./, "$1.0.");
}

function measured(logicalName: string): ObisMeaning | undefined {
  if (logicalName.split(".").length !== LOGICAL_NAME_LENGTH) return undefined;
  const { a, c, d, e, f } = parseObis(logicalName);
  const processing = PROCESSINGS[d];
  const quantity = a === ELECTRICITY ? quantityOf(c) : undefined;
  if (processing === undefined || quantity === undefined) return undefined;
  const parts = [
    [quantity.name, quantity.isPower ? processing.ofPower : processing.ofOther].filter((part) => part !== "").join(" "),
    quantity.phase === 0 ? "" : `phase ${quantity.phase}`,
    e === 0 || e === CURRENT_VALUE ? "" : `tariff ${e}`,
    f === CURRENT_VALUE ? "" : `billing period ${f}`,
  ];
  return { name: parts.filter((part) => part !== "").join(", "), classId: processing.classId };
}

function quantityOf(c: number): { name: string; isPower: boolean; phase: number } | undefined {
  const whole = WHOLE_NETWORK[c];
  if (whole !== undefined) return { name: whole, isPower: false, phase: 0 };
  const signed = SIGNED_QUANTITIES[c];
  if (signed !== undefined) return { name: signed, isPower: true, phase: 0 };
  const phase = Math.floor((c - 1) / PHASE_STEP);
  const ofPhase = c - phase * PHASE_STEP;
  if (c < 1 || phase > PHASES) return undefined;
  const network = NETWORK_QUANTITIES[ofPhase];
  if (network !== undefined) return { name: network, isPower: false, phase };
  const power = POWER_QUANTITIES[ofPhase] ?? SIGNED_QUANTITIES[ofPhase];
  return power === undefined ? undefined : { name: power, isPower: true, phase };
}
