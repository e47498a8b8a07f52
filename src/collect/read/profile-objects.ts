/** Which object of a meter holds which profile, by companion specification. */
import type { CaptureObject } from "../../../protocol/cosem/capture-object.ts";
import type { Companion } from "../../../protocol/cosem/companion/companion.ts";
import type { ProfileKind } from "../../profiles/batch.ts";

/** A profile generic object, and the one that holds its scalers where a companion has such. */
export interface ProfileObject {
  readonly type: "profile";
  readonly logicalName: string;
  readonly scalerProfile?: string;
  /** Where other editions of the companion specification have it. */
  readonly otherNames?: readonly string[];
  /** Captured by the calendar: attribute 4 says 0. */
  readonly capturePeriodMonths?: number;
}

/** Where a companion has no such profile: the registers that are read one by one into a row. */
export interface RegisterSet {
  readonly type: "registers";
  readonly objects: readonly CaptureObject[];
}

export type ProfileSource = ProfileObject | RegisterSet;

function profile(logicalName: string, rest: Partial<ProfileObject> = {}): ProfileObject {
  return { type: "profile", logicalName, ...rest };
}

function register(logicalName: string): CaptureObject {
  return { classId: 3, logicalName, attributeId: 2, dataIndex: 0 };
}

const CLOCK: CaptureObject = { classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 };

/** Voltages, currents, powers and energies that European meters hold in registers. */
const EUROPEAN_INSTANT: RegisterSet = {
  type: "registers",
  objects: [
    CLOCK,
    ...["32", "52", "72", "31", "51", "71", "1", "2", "3", "4", "13", "14"].map((c) => register(`1.0.${c}.7.0.255`)),
    ...["1", "2", "3", "4"].map((c) => register(`1.0.${c}.8.0.255`)),
  ],
};

const EUROPEAN: Readonly<Record<ProfileKind, ProfileSource>> = {
  instant: EUROPEAN_INSTANT,
  block_load: profile("1.0.99.1.0.255"),
  daily_load: profile("1.0.99.2.0.255"),
  billing: profile("0.0.98.1.0.255", { capturePeriodMonths: 1 }),
};

/** SMR 5 has moved the monthly values. */
const DUTCH: Readonly<Record<ProfileKind, ProfileSource>> = {
  ...EUROPEAN,
  billing: profile("0.0.98.1.0.255", { capturePeriodMonths: 1, otherNames: ["1.0.98.1.0.255"] }),
};

const INDIAN: Readonly<Record<ProfileKind, ProfileSource>> = {
  instant: profile("1.0.94.91.0.255", { scalerProfile: "1.0.94.91.3.255" }),
  block_load: profile("1.0.99.1.0.255", { scalerProfile: "1.0.94.91.4.255" }),
  daily_load: profile("1.0.99.2.0.255", { scalerProfile: "1.0.94.91.5.255" }),
  billing: profile("1.0.98.1.0.255", { scalerProfile: "1.0.94.91.6.255", capturePeriodMonths: 1 }),
};

const RUSSIAN: Readonly<Record<ProfileKind, ProfileSource>> = {
  instant: profile("1.0.94.7.0.255", { scalerProfile: "1.0.94.7.3.255" }),
  block_load: profile("1.0.99.1.0.255", { scalerProfile: "1.0.94.7.4.255" }),
  daily_load: profile("1.0.98.2.0.255", { scalerProfile: "1.0.94.7.2.255", otherNames: ["1.0.99.2.0.255"] }),
  billing: profile("1.0.98.1.0.255", { scalerProfile: "1.0.94.7.1.255", capturePeriodMonths: 1 }),
};

export const PROFILE_SOURCES: Readonly<Record<Companion, Readonly<Record<ProfileKind, ProfileSource>>>> = {
  is15959: INDIAN,
  idis: EUROPEAN,
  dsmr: DUTCH,
  nordic: EUROPEAN,
  spodes: RUSSIAN,
  none: DUTCH,
};

/** M-Bus channels that names with a channel are tried with. */
export const CHANNELS = [1, 2, 3, 4] as const;
