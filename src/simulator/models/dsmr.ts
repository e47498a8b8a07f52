/** A meter in the manner of DSMR 4: two tariffs, quarter-hour registers, month values without status. */
import type { EventLogDescription, MeterDescription } from "../description.ts";
import type { MeterIdentity } from "../meter-identity.ts";
import { numeric, structure, textOctets } from "../typed-values.ts";
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

const LOW = 0;
const NORMAL = 1;
/** The low tariff is from 23 to 7 o'clock. */
const TARIFF_OF_HOUR = Array.from({ length: 24 }, (_, hour) => (hour < 7 || hour >= 23 ? LOW : NORMAL));
/** Always on line; HLS 5 may be used at P3. */
const CONFIGURATION = structure(numeric("enum", 1), {
  type: "bit-string",
  bitCount: 16,
  value: Uint8Array.of(0x02, 0x00),
});
const RATES = ["1.0.1.8.1.255", "1.0.1.8.2.255", "1.0.2.8.1.255", "1.0.2.8.2.255"];

const FORMS: RegisterForms = {
  energy: { as: "double-long-unsigned", scaler: 0 },
  interval: { as: "double-long-unsigned", scaler: 0 },
  demand: { as: "double-long-unsigned", scaler: 0 },
  power: { as: "double-long-unsigned", scaler: 0 },
  voltage: { as: "long-unsigned", scaler: 0 },
  current: { as: "long-unsigned", scaler: 0 },
  factor: { as: "integer", scaler: -2 },
  frequency: { as: "long-unsigned", scaler: -2 },
  angle: { as: "long-unsigned", scaler: 0 },
};

const LOGS: readonly EventLogDescription[] = [
  {
    name: "standard",
    meanIntervalDays: 10,
    codes: [
      [1, 2],
      [4, 5],
    ],
  },
  { name: "fraud", meanIntervalDays: 400, codes: [[40, 41]] },
  { name: "power-quality", meanIntervalDays: 60, codes: [[86, 90]] },
];

const ALARM_SETUP = "0.1.25.9.0.255";
const EQUIPMENT = "0.0.96.1.1.255";
const ALARM_REGISTER = "0.0.97.98.0.255";

export interface DsmrOptions {
  readonly identity: MeterIdentity;
  readonly security: EuropeanSecurity;
}

export function dsmr(options: DsmrOptions): MeterDescription {
  const equipment = data(EQUIPMENT, textOctets(options.identity.serial));
  const alarms = data(ALARM_REGISTER, numeric("double-long-unsigned", 0));
  return europeanMeter({
    ...options,
    model: "dsmr",
    timeZone: "Europe/Amsterdam",
    supply: {
      phaseCount: 3,
      nominalVoltageV: 230,
      consumption: household(9000),
      generation: solarRoof(8000),
      tariffOfHour: TARIFF_OF_HOUR,
    },
    capturePeriodS: 900,
    forms: FORMS,
    registers: [...INSTANTANEOUS_REGISTERS, "1.0.1.8.0.255", "1.0.2.8.0.255"],
    logs: LOGS,
    profiles: [
      {
        logicalName: "1.0.99.1.0.255",
        columns: [CLOCK, "0.0.96.10.2.255", "1.0.1.8.0.255", "1.0.2.8.0.255"],
        capture: { by: "period" },
        entries: 960,
      },
      {
        logicalName: "1.0.99.2.0.255",
        columns: [CLOCK, "0.0.96.10.2.255", ...RATES],
        capture: { by: "day" },
        entries: 40,
      },
      {
        logicalName: "0.0.98.1.0.255",
        columns: [CLOCK, ...RATES],
        capture: { by: "month", running: false },
        entries: 13,
      },
      eventLog(0, "standard", 100),
      eventLog(1, "fraud", 30),
      eventLog(5, "power-quality", 100),
    ],
    extraObjects: [
      profileStatus("0.0.96.10.2.255"),
      eventCode(0, "standard"),
      eventCode(1, "fraud"),
      eventCode(5, "power-quality"),
      equipment,
      data("0.1.94.31.3.255", CONFIGURATION),
      alarms,
      pushSetup(ALARM_SETUP, [EQUIPMENT, `${ALARM_SETUP}/1`, ALARM_REGISTER], [equipment, alarms]),
    ],
  });
}
