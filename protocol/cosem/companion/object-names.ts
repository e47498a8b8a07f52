/** Objects that one companion specification uses for something of its own, by companion; all others are in obis-names.ts. */
import type { Companion } from "./companion.ts";

type Row = readonly [logicalName: string, classId: number, name: string];

const DATA = 1;
const PROFILE = 7;

/** Event logs with the objects that hold their last codes, numbered in value group E. */
function eventLogs(names: readonly string[]): Row[] {
  return names.flatMap((name, e): Row[] =>
    name === ""
      ? []
      : [
          [`0.0.99.98.${e}.255`, PROFILE, `Event log: ${name}`],
          [`0.0.96.11.${e}.255`, DATA, `Event code: ${name}`],
        ],
  );
}

export const COMPANION_NAMES: Readonly<Record<Companion, readonly Row[]>> = {
  is15959: [
    ...eventLogs(["voltage", "current", "power", "transactions", "others", "cover opening", "load switch"]),
    ["1.0.94.91.0.255", PROFILE, "Instantaneous values"],
    ["1.0.94.91.3.255", PROFILE, "Scalers of the instantaneous values"],
    ["1.0.94.91.4.255", PROFILE, "Scalers of the block load profile"],
    ["1.0.94.91.5.255", PROFILE, "Scalers of the daily load profile"],
    ["1.0.94.91.6.255", PROFILE, "Scalers of the billing profile"],
    ["1.0.94.91.7.255", PROFILE, "Scalers of the event logs"],
    ["0.0.94.91.10.255", PROFILE, "Name plate"],
    ["1.0.99.1.0.255", PROFILE, "Block load profile"],
    ["1.0.99.2.0.255", PROFILE, "Daily load profile"],
    ["1.0.98.1.0.255", PROFILE, "Billing profile"],
    ["0.0.96.10.1.255", DATA, "Meter health"],
  ],
  idis: [
    ...eventLogs(["standard", "fraud", "disconnector", "M-Bus", "power quality", "communication", "security"]),
    ["1.0.99.1.0.255", PROFILE, "Load profile 1"],
    ["1.0.99.2.0.255", PROFILE, "Load profile 2, daily"],
    ["0.0.98.1.0.255", PROFILE, "Billing profile"],
    ...[1, 2, 3, 4].flatMap((channel): Row[] => [
      [`0.${channel}.24.5.0.255`, PROFILE, `Event log: disconnector of M-Bus channel ${channel}`],
      [`0.${channel}.96.11.4.255`, DATA, `Event code: disconnector of M-Bus channel ${channel}`],
    ]),
  ],
  dsmr: [
    ...eventLogs([
      "standard",
      "fraud",
      "",
      "M-Bus",
      "communication sessions",
      "power quality",
      "auxiliary",
      "power quality with magnitude",
      "harmonic distortion",
    ]),
    ["1.0.99.1.0.255", PROFILE, "Interval values"],
    ["1.0.99.2.0.255", PROFILE, "Daily values"],
    ["0.0.98.1.0.255", PROFILE, "Monthly values"],
    ["1.0.98.1.0.255", PROFILE, "Monthly values"],
    ["0.0.96.10.2.255", DATA, "Status of interval values"],
    ["0.0.96.10.4.255", DATA, "Status of daily values"],
    ["0.0.96.10.6.255", DATA, "Status of monthly values"],
  ],
  nordic: [
    ["0.0.96.1.0.255", DATA, "Meter number (Aidon, Kaifa)"],
    ["0.0.96.1.7.255", DATA, "Meter type (Aidon, Kaifa)"],
  ],
  spodes: [
    ...eventLogs([
      "voltage",
      "current",
      "switching",
      "programming",
      "external influences",
      "communication",
      "access",
      "self-check",
      "reactive power",
      "power quality",
      "inputs and outputs",
    ]),
    ["1.0.94.7.0.255", PROFILE, "Present values"],
    ["1.0.94.7.1.255", PROFILE, "Scalers of the monthly profile"],
    ["1.0.94.7.2.255", PROFILE, "Scalers of the daily profile"],
    ["1.0.94.7.3.255", PROFILE, "Scalers of the present values"],
    ["1.0.94.7.4.255", PROFILE, "Scalers of the load profile"],
    ["1.0.94.7.5.255", PROFILE, "Telemetry profile, configurable"],
    ["1.0.94.7.6.255", PROFILE, "Telemetry profile"],
    ["1.0.94.7.8.255", PROFILE, "Yearly profile"],
    ["0.0.94.7.1.255", PROFILE, "Name plate"],
    ["1.0.98.1.0.255", PROFILE, "Monthly profile"],
    ["1.0.98.2.0.255", PROFILE, "Daily profile"],
    ["1.0.99.1.0.255", PROFILE, "Load profile 1"],
    ["1.0.99.2.0.255", PROFILE, "Load profile 2"],
    ["0.0.96.5.1.255", DATA, "Power quality of the day"],
    ["0.0.96.5.4.255", DATA, "Power quality"],
  ],
  none: [],
};
