/** The HTTP API of a gateway: its resources over what the gateway has. */
import { readFile } from "node:fs/promises";
import { type Caller, Callers } from "../api/callers.ts";
import { type Api, httpApi } from "../api/http-api.ts";
import { type LiveStream, liveResources } from "../api/live-stream.ts";
import type { LocalSocket } from "../api/local-socket.ts";
import { MeterRequests, type RequestEnded, type RequestedRead } from "../api/meter-requests.ts";
import type { ReadAnswer, ReadWishes } from "../api/read-answer.ts";
import { coverageResources, type GapSource } from "../api/resources/coverage-resources.ts";
import { decodeResources } from "../api/resources/decode-resources.ts";
import { eventResources } from "../api/resources/event-resources.ts";
import { exportResources } from "../api/resources/export-resources.ts";
import { type HealthParts, healthResources } from "../api/resources/health-resources.ts";
import { type MaintenanceSource, maintenanceResources } from "../api/resources/maintenance-resources.ts";
import { meterResources } from "../api/resources/meter-resources.ts";
import { metricsResources } from "../api/resources/metrics-resources.ts";
import { overviewResources } from "../api/resources/overview-resources.ts";
import { readRequestResources } from "../api/resources/read-request-resources.ts";
import { readingResources } from "../api/resources/reading-resources.ts";
import { reportResources } from "../api/resources/report-resources.ts";
import { sessionResources, tokenResources } from "../api/resources/token-resources.ts";
import { ApiTokens } from "../api/tokens.ts";
import { parseReadOrder } from "../collect/read/read-order.ts";
import type { Config } from "../config/schema.ts";
import { resolveSecretText } from "../config/secret.ts";
import { serviceThreshold } from "../config/service-level-schema.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { counted } from "../observe/counted.ts";
import type { EventSink } from "../observe/events.ts";
import { messageOf } from "../observe/message-of.ts";
import type { Metrics, WorkerPlace } from "../observe/metrics.ts";
import { stalledTexts, type Vitals } from "../observe/vitals.ts";
import { collectionMeters } from "../series/collections.ts";
import type { Database } from "../store/database/database.ts";
import { appendEventLog, type EventLogEntry } from "../store/records/event-log.ts";
import { serviceLevels } from "../store/records/service-levels.ts";
import { servePages } from "../web/pages.ts";
import { READING_COLUMNS } from "./stored-readings.ts";

export interface GatewayApiParts {
  readonly config: Pick<Config, "api" | "serviceLevels">;
  readonly version: string;
  readonly database: Database;
  readonly fleet: Fleet;
  readonly gateway: Answering;
  readonly local: LocalSocket;
  readonly live: LiveStream;
  readonly events: EventSink;
  /** Resources of other rooms. */
  readonly others: readonly ((api: Api) => void)[];
  readonly vitals: () => Vitals;
  readonly metrics: Metrics;
  readonly place: WorkerPlace | undefined;
  /** Keeps an entry of the log some time soon, whether the database is there or not. */
  readonly logLater: (entry: EventLogEntry) => void;
  readonly onRequestEnded: RequestEnded;
}

interface Answering extends GapSource, MaintenanceSource {
  read(meter: string, what: string, wishes?: ReadWishes): Promise<ReadAnswer>;
  knows(name: string): boolean;
  /** The name of a meter that may be read. Throws ApiError. */
  nameOf(nameOrNumber: string, caller: Caller): string;
}

/** With all resources, not listening yet. */
export async function gatewayApi(parts: GatewayApiParts): Promise<Api> {
  const { config, database, fleet, events, gateway, logLater } = parts;
  const tokens = new ApiTokens(database, (entries) => appendEventLog(database, entries));
  const callers = new Callers({
    verify: (text) => tokens.verify(text),
    collectionMeters: (name) => collectionMeters(database, name),
  });
  const api = await httpApi({
    version: parts.version,
    callers,
    local: parts.local,
    log: (entry) => appendEventLog(database, [entry]).catch(() => logLater(entry)),
    requestsPerMinute: config.api.requestsPerMinute,
    behindProxy: config.api.behindProxy,
    tls: await tlsOf(config.api),
    onFault: (error) => events({ event: "apiFailed", reason: messageOf(error) }),
  });
  const requests = new MeterRequests(
    ({ meter, what, ...wishes }: RequestedRead) => gateway.read(meter, what, wishes),
    (request) => parts.onRequestEnded(request, { kind: "read", done: request.answer !== undefined }),
    ({ rows, columns }) => rows.length * columns.length,
  );
  overviewResources(api, database);
  meterResources(api, database, (name) => gateway.knows(name));
  readingResources(api, database, READING_COLUMNS);
  exportResources(api, {
    database,
    columns: READING_COLUMNS,
    collectionMeters: (name) => collectionMeters(database, name),
  });
  coverageResources(api, database, gateway);
  const meterNamed = (name: string, caller: Caller) => gateway.nameOf(name, caller);
  readRequestResources(api, { meterNamed, checkWhat: parseReadOrder, requests, log: logLater });
  eventResources(api, database);
  liveResources(api, { live: parts.live, meterKeyOf: (name) => fleet.byName(name)?.key });
  tokenResources(api, tokens, callers);
  sessionResources(api, callers);
  decodeResources(api);
  reportResources(api, {
    serviceLevels: (order) => serviceLevels(database, order),
    thresholds: (config.serviceLevels ?? []).map(serviceThreshold),
  });
  maintenanceResources(api, gateway);
  const { version, place: { others } = { others: [] } } = parts;
  healthResources(api, { version, checks: healthChecks(database, parts.vitals), others });
  metricsResources(api, parts.metrics, others);
  for (const other of parts.others) other(api);
  if (config.api.listen !== undefined) await servePages(api);
  return api;
}

/** Listens with the pages where the configuration says; undefined when it says nothing. As http://127.0.0.1:8440. */
export async function listenOutside(
  api: Api,
  { config, events }: Pick<GatewayApiParts, "config" | "events">,
): Promise<string | undefined> {
  const { listen } = config.api;
  if (listen === undefined) return undefined;
  const address = await api.listen({ host: listen.host, port: listen.port });
  events({ event: "apiListening", address });
  return address;
}

/** The share of the spool at which meters are no longer polled. */
const SPOOL_FULL = 0.8;

async function tlsOf({ certificate, privateKey }: Config["api"]) {
  if (certificate === undefined || privateKey === undefined) return undefined;
  return { cert: await readFile(certificate, "utf8"), key: await resolveSecretText(privateKey) };
}

function healthChecks(database: Database, vitals: () => Vitals): HealthParts["checks"] {
  return {
    database: async () => {
      await database.query("select 1");
      return { ok: true, says: database.capabilities.edition };
    },
    spool: async () => {
      const { octets, quota, engaged } = vitals().spool;
      const says = `${megabytes(octets)} of ${megabytes(quota)}${engaged ? ", in use" : ""}`;
      return { ok: octets < SPOOL_FULL * quota, says };
    },
    polling: async () => {
      const now = vitals();
      const stalled = stalledTexts(now, ["planner"]);
      const says = [counted(now.meters, "meter"), `due work ${Math.round(now.overdueMs / 1000)} s late`, ...stalled];
      return { ok: stalled.length === 0, says: says.join(", ") };
    },
    writing: async () => {
      const now = vitals();
      const stalled = stalledTexts(now, ["rows", "pushes"]);
      const says = [`${now.waitingRows} rows and ${now.waitingPushes} pushes in memory`, ...stalled];
      return { ok: stalled.length === 0, says: says.join(", ") };
    },
  };
}

function megabytes(octets: number): string {
  return `${Math.round(octets / 1e6)} MB`;
}
