/** Which companion specification a meter follows, by what its objects are and what it calls itself. */
import type { Companion } from "../../../protocol/cosem/companion/companion.ts";

interface Trait {
  readonly companion: Companion;
  /** Begin of a logical name that others do not have, or hardly ever. */
  readonly name: string;
  /** How much it says. */
  readonly weight: number;
}

const TRAITS: readonly Trait[] = [
  { companion: "is15959", name: "1.0.94.91.", weight: 3 },
  { companion: "is15959", name: "0.0.94.91.", weight: 3 },
  { companion: "is15959", name: "0.0.94.96.", weight: 1 },
  { companion: "spodes", name: "1.0.94.7.", weight: 3 },
  { companion: "spodes", name: "0.0.94.7.", weight: 3 },
  { companion: "spodes", name: "1.0.98.2.0.", weight: 1 },
  { companion: "dsmr", name: "0.1.94.31.", weight: 3 },
  { companion: "dsmr", name: "0.0.94.31.", weight: 2 },
  { companion: "dsmr", name: "0.0.15.1.4.", weight: 1 },
  { companion: "idis", name: "0.0.97.98.20.", weight: 2 },
  { companion: "idis", name: "0.0.99.98.2.", weight: 1 },
];

/** Three letters of the maker and thirteen digits. */
const IDIS_DEVICE_NAME = /^[A-Z]{3}\d{13}$/u;
const DEVICE_NAME_WEIGHT = 1;
/** Fewer points than this are no more than a coincidence. */
const LEAST_POINTS = 2;

/** `none` when nothing speaks for any of them. Dotted logical names of the object list; the device's own name if read. */
export function guessCompanion(logicalNames: readonly string[], deviceName?: string): Companion {
  const points = new Map<Companion, number>();
  const add = (companion: Companion, weight: number) => points.set(companion, (points.get(companion) ?? 0) + weight);
  for (const { companion, name, weight } of TRAITS) {
    if (logicalNames.some((each) => each.startsWith(name))) add(companion, weight);
  }
  if (deviceName !== undefined && IDIS_DEVICE_NAME.test(deviceName)) add("idis", DEVICE_NAME_WEIGHT);
  const [best] = [...points].sort(([, one], [, other]) => other - one);
  return best !== undefined && best[1] >= LEAST_POINTS ? best[0] : "none";
}
