/** Wires what reads meters, and the way of what was read into the store. */
import { resolve } from "node:path";
import type { Calls } from "../calls/calls.ts";
import { Collector } from "../collect/collector.ts";
import type { CollectorStore } from "../collect/keeping/collector-store.ts";
import type { MeterPlans } from "../collect/plan/meter-plans.ts";
import type { SerialLines } from "../collect/session/serial-lines.ts";
import type { Config } from "../config/schema.ts";
import type { EventSink } from "../observe/events.ts";
import { messageOf } from "../observe/message-of.ts";
import { SeriesCatalogue } from "../series/catalogue.ts";
import { type Database, whileThere } from "../store/database/database.ts";
import { StoreIntake } from "../store/intake/store-intake.ts";
import { loadLedger } from "../store/ledger/ledger-records.ts";
import { newestCaptures } from "../store/profiles/newest-held.ts";
import { eventLogStore } from "../store/records/meter-events.ts";
import type { MeterTraces } from "../trace/meter-traces.ts";
import type { DatabaseReturn } from "./database-return.ts";
import type { GatewayPush } from "./gateway-push.ts";
import { profileWriter } from "./stored-readings.ts";

/** The way of rows, attempts and pushes into the database, or the spool while it is away. */
export function startIntake(
  { config, events }: { readonly config: Config; readonly events: EventSink },
  database: Database,
  ready: Promise<void> | undefined,
): Promise<StoreIntake> {
  const catalogue = new SeriesCatalogue(database);
  return StoreIntake.open({
    database,
    writer: profileWriter(database),
    // Their series are made with the next batch if not with this.
    afterRows: (batches) =>
      catalogue.learn(batches).catch((error: unknown) => {
        events({ event: "seriesUnlearned", reason: messageOf(error) });
      }),
    // One connection stays free for pushes and all else.
    writers: Math.max(1, Math.floor(config.database.connections / 2) - 1),
    spool: {
      directory: resolve(config.stateDirectory, config.spool.directory),
      quota: config.spool.quota,
      patienceMs: config.spool.patience,
    },
    events,
    ...(ready && { ready }),
  });
}

export interface CollectorParts {
  readonly config: Config;
  readonly database: Database;
  readonly events: EventSink;
  readonly plans: MeterPlans;
  readonly pushing: GatewayPush;
  readonly lines: SerialLines;
  readonly calls: Calls;
  readonly traces: MeterTraces;
  readonly intake: StoreIntake;
  readonly databaseReturn: DatabaseReturn;
}

/** What reads meters, with all that it hands on to. */
export function startCollector(parts: CollectorParts): Collector {
  const { config, database, events, plans, pushing, lines, calls, traces } = parts;
  return new Collector({
    tapOf: (target) => traces.wrapFor(target),
    events,
    lines,
    calls,
    duringVisit: (meter, connection) => pushing.duringVisit(meter, connection),
    keepUnsolicited: (meter, message) => pushing.keepUnsolicited(meter, message),
    sessionBudgetMs: () => config.polling.sessionTimeout,
    ruleOf: (meter, profile) => plans.ruleOf(meter, profile),
    store: collectorStore(parts),
    eventStore: eventLogStore(database),
  });
}

function collectorStore({ database, intake, databaseReturn }: CollectorParts): CollectorStore {
  // While the spool holds rows, the database does not know of all slots that are held.
  const whileWhole = async <Result>(ask: () => Promise<Result>): Promise<Result | undefined> =>
    intake.isSpooling || !databaseReturn.hasLedgers ? undefined : await whileThere(ask);
  return {
    newestCaptures: (meterKey) => whileWhole(() => newestCaptures(database, meterKey)),
    loadLedger: (meterKey) => whileWhole(() => loadLedger(database, meterKey)),
    keepMemories: (meterKey, memories) => intake.keepMemories(meterKey, memories),
    putRows: (batch) => intake.rows.put(batch),
    addAttempt: (attempt) => intake.addAttempt(attempt),
    addReadings: (readings) => intake.addReadings(readings),
    addRejected: (meterKey, rows) => intake.addRejected(meterKey, rows),
  };
}
