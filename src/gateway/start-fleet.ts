/** The meters of a gateway as it starts: from the configuration and the database, or from the record while that is away. */
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { causeOf } from "../collect/failure-cause.ts";
import { meterTarget } from "../collect/meter-target.ts";
import type { PolledMeter } from "../collect/polled-meter.ts";
import type { Config } from "../config/schema.ts";
import { Fleet, type FleetMeter } from "../fleet/fleet.ts";
import { type FleetRecord, writeFleetRecord } from "../fleet/fleet-record.ts";
import { CounterTable } from "../keys/counter-table.ts";
import { leaseKeyCounters } from "../keys/key-counters.ts";
import type { KeyStore } from "../keys/key-store.ts";
import { KeyTable } from "../keys/key-table.ts";
import { SpareCounters } from "../keys/spare-counters.ts";
import { openKeyStore, storedKeys } from "../keys/stored-keys.ts";
import type { EventSink } from "../observe/events.ts";
import { messageOf } from "../observe/message-of.ts";
import { collectionMeters, keepCollections, keepMeterAttributes } from "../series/collections.ts";
import type { Capabilities } from "../store/capabilities.ts";
import { foldCoverage } from "../store/coverage.ts";
import type { Database } from "../store/database.ts";
import { loadPushLayouts } from "../store/push-layouts.ts";
import { type GatewayStore, recordPath } from "./open-store.ts";

export interface StartedFleet {
  readonly fleet: Fleet;
  /** Those of the configuration, by name. */
  readonly meters: ReadonlyMap<string, PolledMeter>;
  /** Keys of the meters in each collection that plans name; undefined for one that there is not. */
  readonly collections: FleetRecord["collections"];
  readonly pushLayouts: FleetRecord["pushLayouts"];
  /** Undefined where the configuration names no sealing key. */
  readonly keys: KeyStore | undefined;
}

interface FleetOptions {
  readonly config: Config;
  readonly events: EventSink;
}

/** Where spare counters lie in the state directory. */
const SPARE_FILE = "counters.spare";
const COUNTERS_NEXT_STEP = "bring the database back; when none are left, meters with ciphering are no longer polled";
const NEW_KEY_NEXT_STEP = "give the meter a new block cipher key before none are left";
const UNKNOWN_NEXT_STEP = "bring the database back: it gives new meters their keys";

/** One whose secrets can't be had is told and tried again when it is visited. */
export async function startFleet(
  options: FleetOptions,
  { database, record }: GatewayStore,
  stack: AsyncDisposableStack,
): Promise<StartedFleet> {
  const { config, events } = options;
  const known = record === undefined ? await fleetOfDatabase(config, database) : fleetOfRecord(database, record);
  const counters = stack.use(
    await SpareCounters.open(new CounterTable(database), join(config.stateDirectory, SPARE_FILE)),
  );
  const keys = await openKeyStore(config.keys, database, record?.sealedKeys);
  const meters = config.meters.flatMap((each): PolledMeter[] => {
    const { name } = each;
    const member = known.fleet.byNumber(each.number);
    if (member === undefined) events({ event: "meterUnknown", meter: name, nextStep: UNKNOWN_NEXT_STEP });
    if (member === undefined) return [];
    const onFew = (remaining: number) =>
      events({ event: "countersFew", meter: name, remaining, nextStep: COUNTERS_NEXT_STEP });
    const onLow = (left: number) => events({ event: "counterLow", meter: name, left, nextStep: NEW_KEY_NEXT_STEP });
    const target = meterTarget(each, {
      leaseCounters: (key, title) => leaseKeyCounters(counters, { key, clientSystemTitle: title }, { onFew, onLow }),
      openStoredKey: storedKeys(keys, member.id, each.association.clientSap),
    });
    return [{ meterId: member.id, meterKey: member.key, target }];
  });
  await Promise.all(meters.map((meter) => unlock(meter, events)));
  const started = { ...known, keys, meters: new Map(meters.map((meter) => [meter.target.name, meter])) };
  if (record === undefined) await recordFleet(options, { database, capabilities: database.capabilities }, started);
  return started;
}

type FleetSource = Omit<StartedFleet, "meters" | "keys">;

async function fleetOfDatabase(config: Config, database: Database): Promise<FleetSource> {
  const fleet = await Fleet.load(database);
  await putFleet(config, database, fleet);
  return { fleet, ...(await membershipOf(config, database)) };
}

function fleetOfRecord(database: Database, { meters, collections, pushLayouts }: FleetRecord): FleetSource {
  return { fleet: Fleet.recorded(database, meters), collections, pushLayouts };
}

/** Writes the configuration's meters and collections into the database, and makes the ledger's pages complete. */
async function putFleet(config: Config, database: Database, fleet: Fleet): Promise<readonly FleetMeter[]> {
  const members = await fleet.put(config.meters);
  await keepMeterAttributes(database, config.meters);
  await keepCollections(database, config.collections);
  // What the ledger says is looked up in its pages.
  await foldCoverage(database);
  return members;
}

/** Who is in a collection is what the database says at the start. */
export async function membershipOf(config: Config, database: Database) {
  const names = new Set(config.plans.flatMap(({ group = [] }) => group));
  const wanted = config.collections.filter(({ name }) => names.has(name));
  const collections = new Map(
    await Promise.all(wanted.map(async ({ name }) => [name, await collectionMeters(database, name)] as const)),
  );
  return { collections, pushLayouts: await loadPushLayouts(database) };
}

/** What came of finishing a start in a database that has come back. */
export type FinishedStart = "finished" | "restart" | "foreign";

/**
 * Does what a start without the database had to leave out. `restart` when the database or the configuration says more
 * than the record did; `foreign` when the database is another one than the record's, and nothing was written.
 */
export async function finishFleet(
  options: FleetOptions,
  { database, capabilities }: { readonly database: Database; readonly capabilities: Capabilities },
  known: StartedFleet,
): Promise<FinishedStart> {
  const { config, events } = options;
  if (!(await known.fleet.isOfDatabase())) {
    const nextStep = "connect the database that the spool's records belong to, or move spool and fleet.record away";
    events({ event: "databaseForeign", meters: known.fleet.size, nextStep });
    return "foreign";
  }
  const members = await putFleet(config, database, known.fleet);
  const now = await membershipOf(config, database);
  await recordFleet(options, { database, capabilities }, { ...known, ...now });
  const isSame =
    members.length === known.meters.size &&
    isDeepStrictEqual(now.collections, known.collections) &&
    isDeepStrictEqual(capabilities, database.capabilities);
  return isSame ? "finished" : "restart";
}

/** For the next start without the database. */
async function recordFleet(
  { config, events }: FleetOptions,
  { database, capabilities }: { readonly database: Database; readonly capabilities: Capabilities },
  { fleet, collections, pushLayouts }: FleetSource,
): Promise<void> {
  try {
    const sealedKeys = config.keys.sealingKey === undefined ? [] : await new KeyTable(database).readAll();
    const meters = fleet.record();
    await writeFleetRecord(recordPath(config), { capabilities, collections, meters, pushLayouts, sealedKeys });
  } catch (error) {
    events({ event: "fleetUnrecorded", reason: messageOf(error) });
  }
}

async function unlock({ target }: PolledMeter, events: EventSink): Promise<void> {
  try {
    await target.unlock?.();
  } catch (error) {
    const { evidence, nextStep } = causeOf(error);
    events({ event: "meterLocked", meter: target.name, evidence, nextStep });
  }
}
