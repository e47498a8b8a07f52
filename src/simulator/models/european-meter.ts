/** What IDIS and DSMR meters have in common: registers with their scalers, no scaler profiles, two clients. */
import type { Protection } from "../../../protocol/security/security-control.ts";
import type {
  AssociationDescription,
  EventLogDescription,
  MeterDescription,
  ObjectDescription,
  ProfileDescription,
  SupplyDescription,
} from "../description.ts";
import type { MeterIdentity } from "../meter-identity.ts";
import { array, nameOctets, numeric, structure, textOctets } from "../typed-values.ts";
import { CLOCK, clockObject, data, registersOf, securitySetupObject } from "./is15959.ts";
import { DISCONNECT_CONTROL } from "./load-switch.ts";
import type { RegisterForms } from "./registers.ts";

export interface EuropeanDesign {
  readonly model: string;
  readonly identity: MeterIdentity;
  readonly timeZone: string;
  readonly supply: SupplyDescription;
  readonly capturePeriodS: number;
  readonly forms: RegisterForms;
  /** Registers that are no column of a profile. */
  readonly registers: readonly string[];
  readonly logs: readonly EventLogDescription[];
  readonly profiles: readonly ProfileDescription[];
  readonly extraObjects: readonly ObjectDescription[];
  readonly security: EuropeanSecurity;
}

/** How the management client associates; the public client reads identities and the counter without security. */
export interface EuropeanSecurity {
  readonly mechanism: "lls" | "hls-gmac";
  readonly protection?: Protection;
}

const INVOCATION_COUNTER = "0.0.43.1.0.255";
const SECURITY_SETUP = "0.0.43.0.0.255";
const PUBLIC_OBJECTS = [CLOCK, "0.0.41.0.0.255", "0.0.42.0.0.255", "0.0.96.1.0.255", INVOCATION_COUNTER];
const CENTRAL_EUROPEAN_MINUTES = 60;

export function europeanMeter(design: EuropeanDesign): MeterDescription {
  const { identity, security, profiles } = design;
  const style = { deviation: "standard", hundredths: "zero", status: "specified" } as const;
  const fixed = [
    clockObject(style, CENTRAL_EUROPEAN_MINUTES, true),
    data("0.0.42.0.0.255", textOctets(identity.logicalDeviceName)),
    data("0.0.96.1.0.255", textOctets(identity.serial)),
    data("1.0.0.2.0.255", textOctets(identity.firmware)),
    {
      classId: 17,
      version: 0,
      logicalName: "0.0.41.0.0.255",
      attributes: { 2: array(structure(numeric("long-unsigned", 1), textOctets(identity.logicalDeviceName))) },
    },
    securitySetupObject(SECURITY_SETUP, security.protection, identity),
    ...loadSwitch(),
    ...design.extraObjects,
  ];
  const columns = [...design.registers, ...profiles.flatMap((profile) => profile.columns)];
  return {
    model: design.model,
    timeZone: design.timeZone,
    zoneMinutes: CENTRAL_EUROPEAN_MINUTES,
    stamps: style,
    supply: design.supply,
    capturePeriodS: design.capturePeriodS,
    demandPeriodS: 900,
    logs: design.logs,
    objects: [...fixed, ...registersOf(columns, fixed, design.forms)],
    profiles,
    associations: associations(security),
    associationVersion: 1,
  };
}

function associations({ mechanism, protection }: EuropeanSecurity): AssociationDescription[] {
  return [
    {
      name: "management",
      clientSap: 1,
      logicalName: "0.0.40.0.1.255",
      mechanism,
      ...(mechanism === "lls" && { secret: "low-level" }),
      ...(protection && { protection }),
      securitySetup: SECURITY_SETUP,
      invocationCounter: INVOCATION_COUNTER,
      access: { objects: "all", write: true },
    },
    {
      name: "public",
      clientSap: 16,
      logicalName: "0.0.40.0.2.255",
      mechanism: "none",
      access: { objects: PUBLIC_OBJECTS, write: false },
    },
  ];
}

function loadSwitch(): ObjectDescription[] {
  return [
    DISCONNECT_CONTROL,
    {
      classId: 9,
      version: 0,
      logicalName: "0.0.10.0.106.255",
      attributes: {
        2: array(
          ...[1, 2].map((id) =>
            structure(
              numeric("long-unsigned", id),
              array(
                structure(
                  numeric("enum", 2),
                  numeric("long-unsigned", 70),
                  nameOctets("0.0.96.3.10.255"),
                  numeric("integer", id),
                  numeric("integer", 0),
                ),
              ),
            ),
          ),
        ),
      },
    },
  ];
}

/** The status octet of a profile: daylight saving is bit 3. */
export function profileStatus(logicalName: string): ObjectDescription {
  return data(logicalName, { type: "measured", as: "unsigned", quantity: { of: "profile-status" } });
}

/** A log with the code of each event, 0.0.99.98.n with 0.0.96.11.n. */
export function eventLog(index: number, log: string, entries: number): ProfileDescription {
  return {
    logicalName: `0.0.99.98.${index}.255`,
    columns: [CLOCK, `0.0.96.11.${index}.255`],
    capture: { by: "event", log },
    entries,
  };
}

export function eventCode(index: number, log: string): ObjectDescription {
  return data(`0.0.96.11.${index}.255`, { type: "measured", as: "unsigned", quantity: { of: "event-code", log } });
}

/** Instantaneous values that are read register by register, as there is no profile of them. */
export const INSTANTANEOUS_REGISTERS = [
  "1.0.1.7.0.255",
  "1.0.2.7.0.255",
  "1.0.32.7.0.255",
  "1.0.52.7.0.255",
  "1.0.72.7.0.255",
  "1.0.31.7.0.255",
  "1.0.51.7.0.255",
  "1.0.71.7.0.255",
  "1.0.21.7.0.255",
  "1.0.41.7.0.255",
  "1.0.61.7.0.255",
];
