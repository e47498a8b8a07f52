/**
 * What a virtual meter is, as data: its objects with where their values come from, its profiles with their columns and
 * when they are captured, and its associations. Model files (models/) hold such descriptions; code only interprets them.
 */
import type { Data, NumberType } from "../../protocol/axdr/data.ts";
import type { AuthenticationMechanism } from "../../protocol/security/hls.ts";
import type { Protection } from "../../protocol/security/security-control.ts";
import type { Flow } from "./consumption.ts";
import type { EventCodes } from "./event-series.ts";
import type { LoadShape } from "./load-curve.ts";
import type { StampStyle } from "./meter-calendar.ts";

/** A measured number, in base units (V, A, W, Wh, minutes …). Phases and tariffs count from 0. */
export type Quantity =
  | { readonly of: "energy"; readonly flow: Flow; readonly tariff?: number }
  | { readonly of: "net-energy" | "interval-net-energy" }
  | { readonly of: "interval-energy"; readonly flow: Flow }
  | { readonly of: "power"; readonly flow: Flow }
  | { readonly of: "net-power" | "net-reactive-power" }
  | { readonly of: "maximum-demand"; readonly flow: Flow; readonly tariff?: number }
  | {
      readonly of: "voltage" | "average-voltage" | "current" | "average-current" | "phase-power" | "phase-power-factor";
      readonly phase: number;
    }
  | { readonly of: "neutral-current" | "power-factor" | "billing-power-factor" | "frequency" }
  /** The status octet of European profiles. */
  | { readonly of: "profile-status" }
  | { readonly of: "billing-count" | "power-on-minutes" | "billing-power-on-minutes" }
  | { readonly of: "event-count" | "event-minutes" | "event-code"; readonly log: string }
  | { readonly of: "state"; readonly name: StateName }
  | { readonly of: "constant"; readonly value: number };

/** Numbers that a client may change. */
export type StateName = "programming-count" | "capture-period" | "control-state" | "control-mode" | "output-state";

/** An octet-string of a date-time. */
export type Stamp =
  | { readonly stampOf: "clock" | "billing" }
  | { readonly stampOf: "maximum-demand"; readonly flow: Flow; readonly tariff?: number };

/** Where an attribute's value comes from. */
export type ValueDescription =
  | Data
  | {
      readonly type: "measured";
      readonly as: NumberType | "boolean";
      readonly scaler?: number;
      readonly quantity: Quantity;
    }
  | ({ readonly type: "stamp" } & Stamp);

export interface ObjectDescription {
  readonly classId: number;
  readonly version: number;
  /** Dotted: `1.0.1.8.0.255`. */
  readonly logicalName: string;
  /** Attributes by number; 1 is always the logical name. */
  readonly attributes: Readonly<Record<number, ValueDescription>>;
  /** Attributes that may be written; what the class's table says when absent, nothing for class Data. */
  readonly writable?: readonly number[];
}

/** When a profile takes a row. Rows are computed when they are read. */
export type Capture =
  /** One row, of the moment of reading. */
  | { readonly by: "reading" }
  | { readonly by: "period" }
  | { readonly by: "day" }
  /** Ends of billing periods; with `running` the present moment is the last row. */
  | { readonly by: "month"; readonly running: boolean }
  | { readonly by: "event"; readonly log: string };

export type Compression = "none" | "null-data" | "compact-array";

export interface ProfileDescription {
  readonly logicalName: string;
  /** `1.0.1.8.0.255` for attribute 2, else `1.0.1.6.0.255/5`. */
  readonly columns: readonly string[];
  readonly capture: Capture;
  /** Capacity in rows. */
  readonly entries: number;
  readonly sortMethod?: "fifo" | "lifo";
}

export interface EventLogDescription {
  readonly name: string;
  readonly meanIntervalDays: number;
  readonly codes: readonly EventCodes[];
}

/** What one client may do. `objects` are logical names; "all" means all of them. */
export interface AccessDescription {
  readonly objects: "all" | readonly string[];
  readonly write: boolean;
}

export interface AssociationDescription {
  readonly name: string;
  readonly clientSap: number;
  readonly logicalName: string;
  readonly mechanism: AuthenticationMechanism;
  /** Name of the secret in the meter's identity; none for an open association. */
  readonly secret?: "low-level" | "high-level";
  /** Least protection of requests and responses; without it the context is a plain one. */
  readonly protection?: Protection;
  /** Security setup object of the association. */
  readonly securitySetup?: string;
  /** Data object that tells the invocation counter. */
  readonly invocationCounter?: string;
  readonly access: AccessDescription;
}

export interface SupplyDescription {
  readonly phaseCount: number;
  readonly nominalVoltageV: number;
  readonly consumption: LoadShape;
  readonly generation?: LoadShape;
  readonly tariffOfHour: readonly number[];
}

/** How a meter takes requests for a part of a profile, where it does not as the standard says. */
export interface SelectionDescription {
  readonly ranges?: "refused" | "without-deviation" | "now-and-then-none";
  readonly entries?: "refused" | "newest-first";
}

export interface MeterDescription {
  /** `is15959-d1`, `idis` … */
  readonly model: string;
  /** IANA name; `zoneMinutes` is its standard time's offset from UTC. */
  readonly timeZone: string;
  readonly zoneMinutes: number;
  readonly stamps: StampStyle;
  readonly supply: SupplyDescription;
  readonly capturePeriodS: number;
  readonly demandPeriodS: number;
  readonly logs: readonly EventLogDescription[];
  readonly objects: readonly ObjectDescription[];
  readonly profiles: readonly ProfileDescription[];
  readonly associations: readonly AssociationDescription[];
  readonly associationVersion: number;
  readonly compression?: Compression;
  readonly selection?: SelectionDescription;
  /** Event log whose occurrences are power failures, in which no periods are captured. */
  readonly outages?: string;
  /**
   * Base names by logical name, each a multiple of 8. A meter that has them takes clients with short names only, and
   * has an Association SN at FA00; an object without a base name can't be reached.
   */
  readonly shortNames?: Readonly<Record<string, number>>;
}
