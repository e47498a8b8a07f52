/** IDIS package 2: three-phase meter, quarter-hour load profile, GMAC and ciphering. */
import type { EventLogDescription, MeterDescription, ObjectDescription, ProfileDescription } from "../description.ts";
import type { MeterIdentity } from "../meter-identity.ts";
import { array, nameOctets, numeric, structure, textOctets } from "../typed-values.ts";
import {
  type EuropeanSecurity,
  europeanMeter,
  eventCode,
  eventLog,
  INSTANTANEOUS_REGISTERS,
  profileStatus,
} from "./european-meter.ts";
import { CLOCK, data } from "./is15959.ts";
import { household, solarRoof } from "./load-shapes.ts";
import { pushSetup } from "./push-setup.ts";
import type { RegisterForms } from "./registers.ts";

const TARIFFS = [0, 1, 2, 3, 4];
/** Four tariffs: night, morning, day, evening. */
const TARIFF_OF_HOUR = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 0, 0];
const IMPORT = TARIFFS.map((tariff) => `1.0.1.8.${tariff}.255`);
const EXPORT = TARIFFS.map((tariff) => `1.0.2.8.${tariff}.255`);

const FORMS: RegisterForms = {
  energy: { as: "double-long-unsigned", scaler: 0 },
  interval: { as: "double-long-unsigned", scaler: 0 },
  demand: { as: "double-long-unsigned", scaler: 0 },
  power: { as: "double-long-unsigned", scaler: 0 },
  voltage: { as: "long-unsigned", scaler: -1 },
  current: { as: "long-unsigned", scaler: -2 },
  factor: { as: "integer", scaler: -2 },
  frequency: { as: "long-unsigned", scaler: -2 },
  angle: { as: "long-unsigned", scaler: 0 },
};

const LOGS: readonly EventLogDescription[] = [
  { name: "standard", meanIntervalDays: 8, codes: [[1, 2], [4, 5], [20]] },
  { name: "disconnector", meanIntervalDays: 90, codes: [[62, 63]] },
  {
    name: "power-quality",
    meanIntervalDays: 20,
    codes: [
      [76, 79],
      [82, 85],
    ],
  },
  { name: "power", meanIntervalDays: 12, codes: [[1, 2]] },
];

const PROFILES: readonly ProfileDescription[] = [
  {
    logicalName: "1.0.99.1.0.255",
    columns: [CLOCK, "0.0.96.10.1.255", "1.0.1.8.0.255", "1.0.2.8.0.255"],
    capture: { by: "period" },
    entries: 4416,
  },
  {
    logicalName: "1.0.99.2.0.255",
    columns: [CLOCK, "0.0.96.10.2.255", ...IMPORT, ...EXPORT],
    capture: { by: "day" },
    entries: 62,
  },
  {
    logicalName: "0.0.98.1.0.255",
    columns: [CLOCK, ...IMPORT, ...EXPORT, "1.0.1.6.0.255", "1.0.1.6.0.255/5"],
    capture: { by: "month", running: false },
    entries: 13,
  },
  eventLog(0, "standard", 100),
  eventLog(2, "disconnector", 50),
  eventLog(4, "power-quality", 100),
];

const ALARM_SETUP = "0.4.25.9.0.255";
const ALARMS = ["0.0.97.98.20.255", "0.0.97.98.21.255"];

export interface IdisOptions {
  readonly identity: MeterIdentity;
  readonly security: EuropeanSecurity;
  readonly timeZone: string;
}

export function idis(options: IdisOptions): MeterDescription {
  const alarms = ALARMS.map((logicalName) => data(logicalName, numeric("double-long-unsigned", 0), [2]));
  const deviceId = data("0.0.96.1.1.255", textOctets(`IDIS${options.identity.serial}`));
  return europeanMeter({
    ...options,
    model: "idis",
    supply: {
      phaseCount: 3,
      nominalVoltageV: 230,
      consumption: household(11_000),
      generation: solarRoof(9000),
      tariffOfHour: TARIFF_OF_HOUR,
    },
    capturePeriodS: 900,
    forms: FORMS,
    registers: [...INSTANTANEOUS_REGISTERS, "1.0.13.7.0.255", "1.0.14.7.0.255"],
    logs: LOGS,
    profiles: PROFILES,
    extraObjects: [
      profileStatus("0.0.96.10.1.255"),
      profileStatus("0.0.96.10.2.255"),
      eventCode(0, "standard"),
      eventCode(2, "disconnector"),
      eventCode(4, "power-quality"),
      deviceId,
      ...alarms,
      pushSetup(ALARM_SETUP, ["0.0.96.1.1.255", `${ALARM_SETUP}/1`, ...ALARMS], [deviceId, ...alarms]),
      pushSchedule("0.4.15.0.4.255"),
    ],
  });
}

/** Runs the push script at no time, until a client says when. */
function pushSchedule(logicalName: string): ObjectDescription {
  const script = structure(nameOctets("0.0.10.0.108.255"), numeric("long-unsigned", 1));
  return { classId: 22, version: 0, logicalName, attributes: { 2: script, 3: numeric("enum", 1), 4: array() } };
}
