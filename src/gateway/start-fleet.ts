/** The meters of a gateway as it starts: from the configuration and the database, or from the record while that is away. */
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { causeOf } from "../collect/causes/failure-cause.ts";
import type { PolledMeter } from "../collect/polled-meter.ts";
import { meterTarget } from "../collect/session/meter-target.ts";
import type { Config, MeterConfig } from "../config/schema.ts";
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
import type { Capabilities } from "../store/database/capabilities.ts";
import type { Database } from "../store/database/database.ts";
import { foldCoverage } from "../store/ledger/coverage.ts";
import { loadPushLayouts } from "../store/push/push-layouts.ts";
import { type AddedMeter, loadAddedMeters } from "../store/records/added-meters.ts";
import { checkPatterns } from "../store/records/collection-patterns.ts";
import { addedConfigs } from "./added-configs.ts";
import { FleetMeters } from "./fleet-meters.ts";
import { FleetRecorder } from "./fleet-recorder.ts";
import { type GatewayStore, recordPath } from "./open-store.ts";

export interface StartedFleet {
  readonly fleet: Fleet;
  /** Those that may be worked. */
  readonly meters: FleetMeters;
  /** What was added to the configuration's meters when the gateway started, as it was given. */
  readonly added: readonly AddedMeter[];
  /** Makes a meter that the database knows one that can be worked; its secrets are still to be had. */
  readonly newMeter: (config: MeterConfig, member: FleetMeter) => PolledMeter;
  /** Keys of the meters in each collection that plans name; undefined for one that there is not. */
  readonly collections: FleetRecord["collections"];
  readonly pushLayouts: FleetRecord["pushLayouts"];
  /** Undefined where the configuration names no sealing key. */
  readonly keys: KeyStore | undefined;
  /** What the next start without the database goes by. */
  readonly record: FleetRecorder;
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

/** The meters that the gateway starts with. */
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
  const newMeter = meterMaker({ counters, keys, events });
  const meters = new FleetMeters();
  for (const each of [...config.meters, ...addedOf(options, known.added)]) {
    const member = known.fleet.byNumber(each.number);
    if (member === undefined) events({ event: "meterUnknown", meter: each.name, nextStep: UNKNOWN_NEXT_STEP });
    else meters.add(newMeter(each, member), each);
  }
  await Promise.all(meters.values().map((meter) => unlockMeter(meter, events)));
  const recorder = stack.use(new FleetRecorder(() => recordAgain(options, database, known.fleet)));
  const started = { ...known, keys, meters, newMeter, record: recorder };
  if (record === undefined) await recordFleet(options, { database, capabilities: database.capabilities }, started);
  return started;
}

function meterMaker({
  counters,
  keys,
  events,
}: {
  readonly counters: SpareCounters;
  readonly keys: KeyStore | undefined;
  readonly events: EventSink;
}): StartedFleet["newMeter"] {
  return (config, member) => {
    const { name: meter, association } = config;
    const onFew = (remaining: number) =>
      events({ event: "countersFew", meter, remaining, nextStep: COUNTERS_NEXT_STEP });
    const onLow = (left: number) => events({ event: "counterLow", meter, left, nextStep: NEW_KEY_NEXT_STEP });
    const target = meterTarget(config, {
      leaseCounters: (key, title) => leaseKeyCounters(counters, { key, clientSystemTitle: title }, { onFew, onLow }),
      openStoredKey: storedKeys(keys, member.id, association.clientSap),
    });
    return { meterId: member.id, meterKey: member.key, target };
  };
}

function addedOf({ config, events }: FleetOptions, added: readonly AddedMeter[]): readonly MeterConfig[] {
  const { configs, refused } = addedConfigs(config, added);
  for (const each of refused) events({ event: "addedMeterRefused", ...each });
  return configs;
}

type FleetSource = Omit<StartedFleet, "meters" | "keys" | "newMeter" | "record">;

async function fleetOfDatabase(config: Config, database: Database): Promise<FleetSource> {
  const fleet = await Fleet.load(database);
  const added = await loadAddedMeters(database);
  await putFleet(config, database, fleet, added);
  return { fleet, added, ...(await membershipOf(config, database)) };
}

function fleetOfRecord(database: Database, { meters, ...record }: FleetRecord): FleetSource {
  return { ...record, fleet: Fleet.recorded(database, meters) };
}

/** Writes meters and collections into the database, and makes the ledger's pages complete. */
async function putFleet(
  config: Config,
  database: Database,
  fleet: Fleet,
  added: readonly AddedMeter[],
): Promise<readonly FleetMeter[]> {
  const meters = [...config.meters, ...addedConfigs(config, added).configs];
  const members = await fleet.put(meters);
  await keepMeterAttributes(database, meters);
  await checkPatterns(database, config.collections);
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
    await Promise.all(
      wanted.map(async ({ name }) => [name, await collectionMeters(database, name, ["meters"])] as const),
    ),
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
  const added = await loadAddedMeters(database);
  const members = await putFleet(config, database, known.fleet, added);
  const now = { added, ...(await membershipOf(config, database)) };
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
  { fleet, added, collections, pushLayouts }: FleetSource,
): Promise<void> {
  try {
    const sealedKeys = config.keys.sealingKey === undefined ? [] : await new KeyTable(database).readAll();
    const meters = fleet.record();
    await writeFleetRecord(recordPath(config), { capabilities, added, collections, meters, pushLayouts, sealedKeys });
  } catch (error) {
    events({ event: "fleetUnrecorded", reason: messageOf(error) });
  }
}

/** With what the database says by now, unless it is another one. */
async function recordAgain(options: FleetOptions, database: Database, fleet: Fleet): Promise<void> {
  const { config, events } = options;
  try {
    if (!(await fleet.isOfDatabase())) return;
    const source = { fleet, added: await loadAddedMeters(database), ...(await membershipOf(config, database)) };
    await recordFleet(options, { database, capabilities: database.capabilities }, source);
  } catch (error) {
    events({ event: "fleetUnrecorded", reason: messageOf(error) });
  }
}

/** One whose secrets can't be had is told, and tried again when it is visited. */
export async function unlockMeter({ target }: PolledMeter, events: EventSink): Promise<void> {
  try {
    await target.unlock?.();
  } catch (error) {
    const { evidence, nextStep } = causeOf(error);
    events({ event: "meterLocked", meter: target.name, evidence, nextStep });
  }
}
