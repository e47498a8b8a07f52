/** The database of a gateway: the server of the configuration, or one that is started for it. */
import { join } from "node:path";
import type { StopDeadline } from "./collect/drain.ts";
import type { Config } from "./config/schema.ts";
import { resolveSecretText } from "./config/secret.ts";
import type { EventSink } from "./observe/events.ts";
import { profileQuantities } from "./profiles/quantities.ts";
import { keepQuantities } from "./series/quantities.ts";
import { type Database, openDatabase } from "./store/database.ts";
import { type EmbeddedPostgres, type EmbeddedPostgresEvent, startEmbeddedPostgres } from "./store/embedded-postgres.ts";
import { migrate } from "./store/migrations.ts";
import { keepObisCodes } from "./store/obis-codes.ts";
import { applyStorage } from "./store/storage-policies.ts";

/** What is deleted when it is old although the configuration does not say so. */
const KEPT_BY_DEFAULT = [["raw_buffers", 90 * 86_400_000]] as const;

export interface GatewayStore {
  readonly url: string;
  readonly database: Database;
  readonly psqlCommand: string | undefined;
}

/** Open, migrated and with its policies; closed with the stack. */
export async function openStore(
  { config, events }: { readonly config: Config; readonly events: EventSink },
  stack: AsyncDisposableStack,
  deadline: StopDeadline,
): Promise<GatewayStore> {
  const server = config.database.url === undefined ? await startEmbedded(config, events, stack) : undefined;
  const url = server?.url ?? (await resolveSecretText(config.database.url ?? ""));
  const { applied } = await migrate(url);
  const database = await openDatabase({ url, connections: config.database.connections });
  stack.adopt(database, (each) => each.close(deadline.leftMs));
  const { compressAfter, keep } = config.database;
  await applyStorage(database, {
    compressAfterMs: compressAfter,
    keepMs: new Map([...KEPT_BY_DEFAULT, ...keep.map((each) => [each.table, each.for] as const)]),
  });
  await keepObisCodes(database);
  await keepQuantities(database, profileQuantities());
  events({ event: "databaseReady", edition: database.capabilities.edition, migrated: applied.length });
  return { url, database, psqlCommand: server?.psqlCommand };
}

async function startEmbedded(
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
