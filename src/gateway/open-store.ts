/**
 * The database of a gateway: the server of the configuration, or one that is started for it. Where the configuration's is
 * away at the start, the gateway goes on with what it has on record, and without a record it waits.
 */
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { StopDeadline } from "../collect/drain.ts";
import type { Config } from "../config/schema.ts";
import { resolveSecretText } from "../config/secret.ts";
import { type FleetRecord, readFleetRecord } from "../fleet/fleet-record.ts";
import type { EventSink } from "../observe/events.ts";
import { messageOf } from "../observe/message-of.ts";
import { profileQuantities } from "../profiles/quantities.ts";
import { keepQuantities } from "../series/quantities.ts";
import type { Capabilities } from "../store/database/capabilities.ts";
import { type Database, isTransient, openDatabase } from "../store/database/database.ts";
import { migrate } from "../store/database/migrations.ts";
import { keepObisCodes } from "../store/database/obis-codes.ts";
import { StoreError } from "../store/database/store-error.ts";
import {
  type EmbeddedPostgres,
  type EmbeddedPostgresEvent,
  startEmbeddedPostgres,
} from "../store/server/embedded-postgres.ts";
import { applyStorage, KEPT_BY_DEFAULT_MS } from "../store/upkeep/storage-policies.ts";

const RECORD_FILE = "fleet.record";
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;

export interface GatewayStore {
  readonly url: string;
  readonly database: Database;
  /** The same for what comes in: it must not wait behind what the polling of many meters asks. */
  readonly writing: Database;
  readonly psqlCommand: string | undefined;
  /** What was known when the database was there last, while it is away; undefined when it is there. */
  readonly record: FleetRecord | undefined;
}

export interface StoreOptions {
  readonly config: Config;
  readonly events: EventSink;
  /** With it a database that is away is waited for, until this is aborted; without it that is a failure. */
  readonly stopping?: AbortSignal | undefined;
}

/** Where a gateway keeps its record for a start without the database. */
export function recordPath({ stateDirectory }: Config): string {
  return resolve(stateDirectory, RECORD_FILE);
}

/**
 * Opened, and closed with the stack; migrated and with its policies unless it is away. Throws StoreError, and the reason
 * of `stopping` when that ends the wait.
 */
export async function openStore(
  options: StoreOptions,
  stack: AsyncDisposableStack,
  deadline: StopDeadline,
): Promise<GatewayStore> {
  const { config, events } = options;
  const server = config.database.url === undefined ? await startEmbedded(config, events, stack) : undefined;
  const url = server?.url ?? (await resolveSecretText(config.database.url ?? ""));
  const record = await prepareOrRecord(options, url);
  const open = async (connections: number, recorded?: Capabilities) =>
    stack.adopt(await openDatabase({ url, connections, recorded }), (each) => each.close(deadline.leftMs));
  const forWriting = Math.floor(config.database.connections / 2);
  const database = await open(config.database.connections - forWriting, record?.capabilities);
  const writing = await open(forWriting, database.capabilities);
  return { url, database, writing, psqlCommand: server?.psqlCommand, record };
}

/** Makes the database ready, however long that takes to become possible; or the record to go on with meanwhile. */
async function prepareOrRecord(options: StoreOptions, url: string): Promise<FleetRecord | undefined> {
  const { config, events, stopping } = options;
  for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS)) {
    try {
      await prepareDatabase(options, url);
      return undefined;
    } catch (error) {
      if (stopping === undefined || !isTransient(error)) throw error;
      const record = await readFleetRecord(recordPath(config));
      events({ event: "databaseAway", ...reasonOf(error), goesOn: record !== undefined, retryMs });
      if (record !== undefined) return record;
      await sleep(retryMs, undefined, { signal: stopping });
    }
  }
}

/** Migrates the database and makes it what the configuration says. Throws StoreError. */
async function prepareDatabase({ config, events }: StoreOptions, url: string): Promise<Capabilities> {
  await reach(url);
  const { applied } = await migrate(url);
  await using database = await openDatabase({ url, connections: 1 });
  const { compressAfter, keep } = config.database;
  await applyStorage(database, {
    compressAfterMs: compressAfter,
    keepMs: new Map([...KEPT_BY_DEFAULT_MS, ...keep.map((each) => [each.table, each.for] as const)]),
  });
  await keepObisCodes(database);
  await keepQuantities(database, profileQuantities());
  events({ event: "databaseReady", edition: database.capabilities.edition, migrated: applied.length });
  return database.capabilities;
}

/** Migrations may take as long as they need; a server that does not answer at all is found out before. */
async function reach(url: string): Promise<void> {
  await using database = await openDatabase({ url, connections: 1 });
  await database.query("select 1");
}

/**
 * Tries to finish a start that began without the database, until it has worked or `stopping` is aborted. `finish` is
 * called when the database is ready, with what it can do, and says whether it was the right one.
 */
export async function finishStart(
  options: StoreOptions & { readonly stopping: AbortSignal },
  url: string,
  finish: (capabilities: Capabilities) => Promise<boolean>,
): Promise<void> {
  const { events, stopping } = options;
  for (let retryMs = FIRST_RETRY_MS; !stopping.aborted; retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS)) {
    await sleep(retryMs, undefined, { signal: stopping }).catch(() => undefined);
    if (stopping.aborted) return;
    try {
      if (await finish(await prepareDatabase(options, url))) return;
    } catch (error) {
      events({ event: "databaseAway", ...reasonOf(error), goesOn: true, retryMs });
    }
  }
}

function reasonOf(error: unknown): { readonly reason: string; readonly nextStep: string } {
  const reason = messageOf(error);
  return { reason, nextStep: error instanceof StoreError ? error.nextStep : "see the reason" };
}

/** The server of this configuration, which is stopped with the stack. */
export async function startEmbedded(
  config: Config,
  events: EventSink,
  stack: AsyncDisposableStack,
): Promise<EmbeddedPostgres> {
  const directory = join(config.stateDirectory, config.database.directory);
  const server = await startEmbeddedPostgres({
    directory,
    onEvent: (event) => events({ event: "databaseServer", what: event.type, detail: detailOf(event) }),
  });
  return stack.adopt(server, (each) => each.stop());
}

function detailOf(event: EmbeddedPostgresEvent): string {
  if (event.type !== "serverLost") return `process ${event.pid}`;
  return event.error instanceof Error ? event.error.message : "unknown";
}
