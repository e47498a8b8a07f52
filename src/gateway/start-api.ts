/** The HTTP API of a gateway: its resources over what the gateway has. */
import { readFile } from "node:fs/promises";
import { askResources } from "../api/ask-resources.ts";
import { Asks } from "../api/asks.ts";
import { Callers } from "../api/callers.ts";
import { coverageResources, type GapSource } from "../api/coverage-resources.ts";
import { decodeResources } from "../api/decode-resources.ts";
import { eventResources } from "../api/event-resources.ts";
import { healthResources } from "../api/health-resources.ts";
import { httpApi } from "../api/http-api.ts";
import { type LiveStream, liveResources } from "../api/live-stream.ts";
import { meterResources } from "../api/meter-resources.ts";
import { overviewResources } from "../api/overview-resources.ts";
import { type PushParts, pushResources } from "../api/push-resources.ts";
import type { ReadAnswer, ReadRange } from "../api/read-answer.ts";
import { type ReadingColumns, readingResources } from "../api/reading-resources.ts";
import { sessionResources, tokenResources } from "../api/token-resources.ts";
import { ApiTokens } from "../api/tokens.ts";
import type { Config } from "../config/schema.ts";
import { resolveSecretText } from "../config/secret.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { EventSink } from "../observe/events.ts";
import { PROFILE_COLUMNS } from "../profiles/columns.ts";
import { collectionMeters } from "../series/collections.ts";
import type { Database } from "../store/database.ts";
import { appendEventLog, type EventLogEntry } from "../store/event-log.ts";
import { servePages } from "../web/pages.ts";

export interface GatewayApiParts {
  readonly config: Config["api"];
  readonly version: string;
  readonly database: Database;
  readonly fleet: Fleet;
  readonly gateway: GapSource & { read(meter: string, what: string, range?: ReadRange): Promise<ReadAnswer> };
  readonly reception: PushParts["reception"];
  readonly live: LiveStream;
  readonly events: EventSink;
}

export interface GatewayApi {
  /** Where the API and the pages are, as http://127.0.0.1:8440. */
  readonly address: string;
  close(): Promise<void>;
}

/** Listening where the configuration says; undefined when it says nothing. */
export async function startApi(parts: GatewayApiParts): Promise<GatewayApi | undefined> {
  const { config, database, fleet, events } = parts;
  if (config.listen === undefined) return undefined;
  const log = (entries: readonly EventLogEntry[]) => appendEventLog(database, entries);
  const tokens = new ApiTokens(database, log);
  const callers = new Callers({
    verify: (text) => tokens.verify(text),
    collectionMeters: (name) => collectionMeters(database, name),
  });
  const api = await httpApi({
    version: parts.version,
    callers,
    requestsPerMinute: config.requestsPerMinute,
    tls: await tlsOf(config),
    onFault: (error) => events({ event: "apiFailed", reason: error instanceof Error ? error.message : String(error) }),
  });
  const { gateway } = parts;
  const asks = new Asks(({ meter, what, range }) => gateway.read(meter, what, range));
  overviewResources(api, database);
  meterResources(api, database);
  readingResources(api, database, READING_COLUMNS);
  coverageResources(api, database, gateway);
  askResources(api, { database, asks, log });
  eventResources(api, database);
  liveResources(api, parts.live, (name) => fleet.byName(name)?.key);
  tokenResources(api, tokens);
  sessionResources(api, callers);
  pushResources(api, { database, reception: parts.reception, log });
  decodeResources(api);
  healthResources(api, { version: parts.version, checks: { database: () => databaseSays(database) } });
  await servePages(api);
  const address = await api.listen({ host: config.listen.host, port: config.listen.port });
  events({ event: "apiListening", address });
  return { address, close: () => api.close() };
}

const READING_COLUMNS: ReadingColumns = {
  instant: PROFILE_COLUMNS.instant,
  "block-load": PROFILE_COLUMNS.block_load,
  // Sums of the intervals of a day have the names and units of the intervals.
  "daily-load": PROFILE_COLUMNS.block_load.filter(({ name, unit }) => unit.endsWith("h") && !name.includes("total")),
  "daily-captures": PROFILE_COLUMNS.daily_load,
  billing: PROFILE_COLUMNS.billing,
};

async function tlsOf({ certificate, privateKey }: Config["api"]) {
  if (certificate === undefined || privateKey === undefined) return undefined;
  return { cert: await readFile(certificate, "utf8"), key: await resolveSecretText(privateKey) };
}

async function databaseSays(database: Database): Promise<string> {
  await database.query("select 1");
  return database.capabilities.edition;
}
