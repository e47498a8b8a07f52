/**
 * A meter in the manner of SPODES (GOST R 58940; Russia): present values, load, day and month in profiles, the scalers of
 * each in a profile of its own that begins with the clock. The reader's association sees profiles only.
 */
import type { MeterDescription, ProfileDescription } from "../../src/simulator/description.ts";
import type { MeterIdentity } from "../../src/simulator/meter-identity.ts";
import { europeanMeter } from "../../src/simulator/models/european-meter.ts";
import { CLOCK, scalerProfile } from "../../src/simulator/models/is15959.ts";
import { household } from "../../src/simulator/models/load-shapes.ts";
import type { RegisterForms } from "../../src/simulator/models/registers.ts";

const TARIFFS = [0, 1, 2, 3, 4];
/** Energies are counted in watt-hours, voltages and currents in thousandths: nobody guesses them right. */
const FORMS: RegisterForms = {
  energy: { as: "double-long-unsigned", scaler: 0 },
  interval: { as: "double-long-unsigned", scaler: -1 },
  demand: { as: "double-long-unsigned", scaler: 0 },
  power: { as: "double-long", scaler: -1 },
  voltage: { as: "double-long-unsigned", scaler: -3 },
  current: { as: "double-long-unsigned", scaler: -3 },
  factor: { as: "long", scaler: -3 },
  frequency: { as: "long-unsigned", scaler: -2 },
  angle: { as: "long", scaler: -1 },
};

const PRESENT = [
  CLOCK,
  "1.0.31.7.0.255",
  "1.0.32.7.0.255",
  "1.0.13.7.0.255",
  "1.0.14.7.0.255",
  "1.0.1.7.0.255",
  "1.0.1.8.0.255",
];
const LOAD = [CLOCK, "1.0.2.29.0.255", "1.0.1.29.0.255"];
const DAY = [CLOCK, ...TARIFFS.map((tariff) => `1.0.1.8.${tariff}.255`)];
const MONTH = [...DAY, "1.0.1.6.0.255"];

const PROFILES: readonly ProfileDescription[] = [
  { logicalName: "1.0.94.7.0.255", columns: PRESENT, capture: { by: "reading" }, entries: 1 },
  { logicalName: "1.0.99.1.0.255", columns: LOAD, capture: { by: "period" }, entries: 2976 },
  { logicalName: "1.0.98.2.0.255", columns: DAY, capture: { by: "day" }, entries: 128 },
  { logicalName: "1.0.98.1.0.255", columns: MONTH, capture: { by: "month", running: false }, entries: 36 },
];
/** The scalers of present values, load, day and month. */
const SCALER_PROFILES = ["1.0.94.7.3.255", "1.0.94.7.4.255", "1.0.94.7.2.255", "1.0.94.7.1.255"];

export function spodesMeter(identity: MeterIdentity): MeterDescription {
  const described = europeanMeter({
    identity,
    model: "spodes",
    timeZone: "Europe/Moscow",
    security: { mechanism: "lls" },
    supply: {
      phaseCount: 1,
      nominalVoltageV: 230,
      consumption: household(4000),
      tariffOfHour: Array.from({ length: 24 }, (_, hour) => (hour < 7 || hour >= 23 ? 1 : 0)),
    },
    capturePeriodS: 1800,
    forms: FORMS,
    registers: [],
    logs: [],
    profiles: PROFILES,
    extraObjects: [],
  });
  const scalers = PROFILES.map(({ columns }, index): ProfileDescription => {
    const profile = scalerProfile(SCALER_PROFILES[index] ?? "", columns, described.objects);
    return { ...profile, columns: [CLOCK, ...profile.columns] };
  });
  const profiles = [...PROFILES, ...scalers];
  return {
    ...described,
    profiles,
    associations: [
      {
        name: "reader",
        clientSap: 32,
        logicalName: "0.0.40.0.2.255",
        mechanism: "lls",
        secret: "low-level",
        access: { objects: [CLOCK, ...profiles.map(({ logicalName }) => logicalName)], write: false },
      },
    ],
  };
}
