/** Work on what is stored, which needs no meter: by the daemon when it is asked, or by a command without one. */
import { ApiError } from "../api/api-error.ts";
import type { GapOrder, GapRow } from "../api/gap-order.ts";
import type { MaintenanceLine, MaintenanceOrder } from "../api/maintenance-order.ts";
import { replay } from "../collect/keeping/replay.ts";
import type { MeterPlans } from "../collect/plan/meter-plans.ts";
import type { PolledMeter } from "../collect/polled-meter.ts";
import { meterTarget } from "../collect/session/meter-target.ts";
import { reportGaps } from "../collect/slots/gap-report.ts";
import { nearestName } from "../config/nearest-name.ts";
import type { Config } from "../config/schema.ts";
import type { ReadingColumns } from "../exports/reading-rows.ts";
import { Fleet } from "../fleet/fleet.ts";
import { DAILY_SUM_COLUMNS, PROFILE_COLUMNS } from "../profiles/columns.ts";
import type { Database } from "../store/database/database.ts";
import { journalCoverage } from "../store/ledger/coverage-journal.ts";
import { FleetLedger } from "../store/ledger/fleet-ledger.ts";
import { noteLoadChanges } from "../store/profiles/load-changes.ts";
import { ProfileWriter } from "../store/profiles/profile-writer.ts";
import { BufferKeeping } from "../store/profiles/raw-buffers.ts";
import { loadAddedMeters } from "../store/records/added-meters.ts";
import { maintainStore } from "../store/upkeep/maintenance.ts";
import { addedConfigs } from "./added-configs.ts";
import { FleetMeters } from "./fleet-meters.ts";
import { GatewayPlans } from "./gateway-plans.ts";
import { membershipOf } from "./start-fleet.ts";

export interface StoredReadings {
  readonly database: Database;
  /** Those of the configuration that the database knows, and those that were added. */
  readonly meters: Pick<FleetMeters, "get" | "keys" | "values">;
  readonly plans: MeterPlans;
}

const NO_KEYS = () => Promise.reject(new Error("no meter is visited"));

/** What a configuration and its database say, for a command without a daemon. Throws StoreError. */
export async function storedReadings(config: Config, database: Database): Promise<StoredReadings> {
  const fleet = await Fleet.load(database);
  const meters = new FleetMeters();
  const added = addedConfigs(config, await loadAddedMeters(database));
  for (const each of [...config.meters, ...added.configs]) {
    const member = fleet.byNumber(each.number);
    if (member === undefined) continue;
    const target = meterTarget(each, { leaseCounters: NO_KEYS, openStoredKey: NO_KEYS });
    meters.add({ meterId: member.id, meterKey: member.key, target }, each);
  }
  const known = { meters, ...(await membershipOf(config, database)) };
  using plans = new GatewayPlans(config, database, known);
  await plans.look();
  return { database, meters: known.meters, plans: plans.meterPlans };
}

/** What the views of readings have, by the name that the API gives them. */
export const READING_COLUMNS: ReadingColumns = {
  instant: PROFILE_COLUMNS.instant,
  "block-load": PROFILE_COLUMNS.block_load,
  "daily-load": DAILY_SUM_COLUMNS,
  "daily-captures": PROFILE_COLUMNS.daily_load,
  billing: PROFILE_COLUMNS.billing,
};

/** A writer with all that takes part in the gateway's writes. */
export function profileWriter(database: Database): ProfileWriter {
  return new ProfileWriter(database, PROFILE_COLUMNS, [journalCoverage, noteLoadChanges, new BufferKeeping(database)]);
}

/** Which readings are not there, why, and whether they will still come. Throws ApiError for an unknown meter. */
export function gaps({ database, meters, plans }: StoredReadings, order: GapOrder): AsyncIterable<GapRow> {
  return reportGaps({ ledger: new FleetLedger(database), plans }, chosen(meters, order.meters), order);
}

/** Proves the ledger, makes it anew, or makes rows anew of kept octets. Throws ApiError for an unknown meter. */
export function maintain(
  { database, meters }: StoredReadings,
  order: MaintenanceOrder,
): AsyncIterable<MaintenanceLine> {
  const some = chosen(meters, order.meters);
  if (order.task === "replay") return replay({ database, writer: profileWriter(database) }, some, order);
  // Without names, also meters that have left the configuration.
  const keys = order.meters === undefined ? undefined : some.map((meter) => meter.meterKey);
  return maintainStore(database, order.task, keys);
}

function chosen(meters: StoredReadings["meters"], names: readonly string[] | undefined): PolledMeter[] {
  return names?.map((name) => meterNamed(meters, name)) ?? [...meters.values()];
}

/** Throws ApiError for an unknown meter. */
export function meterNamed(meters: StoredReadings["meters"], name: string): PolledMeter {
  const meter = meters.get(name);
  if (meter === undefined) throw unknownMeter(name, [...meters.keys()]);
  return meter;
}

export function unknownMeter(name: string, known: readonly string[]): ApiError {
  const near = nearestName(name, known);
  return new ApiError("not-found", `there is no meter ${name}${near === undefined ? "" : `; did you mean ${near}?`}`);
}
