/** Puts a meter of IS 15959 together from the column lists and number forms of its category. */
import type { MeterDescription, ObjectDescription, ProfileDescription, SupplyDescription } from "../description.ts";
import type { StampStyle } from "../meter-calendar.ts";
import type { MeterIdentity } from "../meter-identity.ts";
import {
  CLOCK,
  commonObjects,
  DEVICE_ID,
  EVENT_LOGS,
  EVENT_STATUS_WORD,
  eventProfiles,
  INDIAN_ZONE,
  type IndianCategory,
  type IndianSecurity,
  indianAssociations,
  loadControl,
  PUSHED_EVENT_CODE,
  PUSHES,
  registersOf,
  scalerProfile,
  securitySetups,
} from "./is15959.ts";
import { pushSetup } from "./push-setup.ts";
import type { RegisterForms } from "./registers.ts";

/** Columns as profiles have them: `1.0.1.8.0.255`, or `1.0.1.6.0.255/5` for another attribute than 2. */
interface IndianColumns {
  readonly instantaneous: readonly string[];
  readonly blockLoad: readonly string[];
  readonly daily: readonly string[];
  readonly billing: readonly string[];
  /** What the logs of voltage, current and other events hold beside clock and code. */
  readonly event: readonly string[];
  readonly namePlate: readonly string[];
}

export interface IndianDesign {
  readonly model: string;
  readonly category: IndianCategory;
  readonly forms: RegisterForms;
  readonly columns: IndianColumns;
  readonly supply: SupplyDescription;
  /** Watts of the load switch's limit; without it the meter has no load switch. */
  readonly loadLimitW?: number;
  readonly extraObjects?: readonly ObjectDescription[];
}

/** What differs between meters of one category. */
export interface IndianOptions {
  readonly identity: MeterIdentity;
  readonly security: IndianSecurity;
  readonly stamps: StampStyle;
  readonly capturePeriodS: 900 | 1800;
}

/** 46 days of half hours. */
const BLOCK_LOAD_ENTRIES = 2208;
const DAILY_ENTRIES = 46;
/** Twelve months and the running one. */
const BILLING_ENTRIES = 13;

export function indianMeter(design: IndianDesign, options: IndianOptions): MeterDescription {
  const { columns, supply, model } = design;
  const { identity, stamps, capturePeriodS } = options;
  const associations = indianAssociations(options.security);
  const fixed = [
    ...commonObjects(identity, design.category, stamps),
    ...(design.loadLimitW === undefined ? [] : loadControl(design.loadLimitW)),
    ...(design.extraObjects ?? []),
    ...securitySetups(associations, identity),
  ];
  const measured = [...fixed, ...registersOf(Object.values(columns).flat(), fixed, design.forms)];
  return {
    model,
    ...INDIAN_ZONE,
    stamps,
    supply,
    capturePeriodS,
    demandPeriodS: 1800,
    logs: EVENT_LOGS,
    objects: [...measured, ...pushSetups(columns, measured)],
    profiles: profiles(columns, measured),
    associations,
    associationVersion: 1,
  };
}

/** Every push begins with the device's name and the logical name of its setup. */
function pushSetups(columns: IndianColumns, objects: readonly ObjectDescription[]): ObjectDescription[] {
  const bodies: readonly (readonly [string, readonly string[]])[] = [
    [PUSHES.instant, columns.instantaneous],
    [PUSHES.alert, [CLOCK, EVENT_STATUS_WORD]],
    [PUSHES.block, columns.blockLoad],
    [PUSHES.daily, columns.daily],
    [PUSHES.billing, columns.billing],
    [PUSHES.event, [CLOCK, PUSHED_EVENT_CODE, ...columns.event]],
  ];
  return bodies.map(([logicalName, body]) => pushSetup(logicalName, [DEVICE_ID, `${logicalName}/1`, ...body], objects));
}

function profiles(columns: IndianColumns, objects: readonly ObjectDescription[]): ProfileDescription[] {
  const { instantaneous, blockLoad, daily, billing, event, namePlate } = columns;
  return [
    { logicalName: "0.0.94.91.10.255", columns: namePlate, capture: { by: "reading" }, entries: 1 },
    { logicalName: "1.0.94.91.0.255", columns: instantaneous, capture: { by: "reading" }, entries: 1 },
    { logicalName: "1.0.99.1.0.255", columns: blockLoad, capture: { by: "period" }, entries: BLOCK_LOAD_ENTRIES },
    { logicalName: "1.0.99.2.0.255", columns: daily, capture: { by: "day" }, entries: DAILY_ENTRIES },
    {
      logicalName: "1.0.98.1.0.255",
      columns: billing,
      capture: { by: "month", running: true },
      entries: BILLING_ENTRIES,
    },
    ...eventProfiles(event),
    scalerProfile("1.0.94.91.3.255", instantaneous, objects),
    scalerProfile("1.0.94.91.4.255", blockLoad, objects),
    scalerProfile("1.0.94.91.5.255", daily, objects),
    scalerProfile("1.0.94.91.6.255", billing, objects),
    scalerProfile("1.0.94.91.7.255", event, objects),
  ];
}
