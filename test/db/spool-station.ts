/** A store intake with its spool over a server of its own, which tests may stop, kill, lock and start again. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { GatewayEvent } from "../../src/observe/events.ts";
import { PROFILE_COLUMNS } from "../../src/profiles/columns.ts";
import { type Database, openDatabase } from "../../src/store/database/database.ts";
import { migrate } from "../../src/store/database/migrations.ts";
import { StoreIntake } from "../../src/store/intake/store-intake.ts";
import { journalCoverage } from "../../src/store/ledger/coverage-journal.ts";
import { ProfileWriter } from "../../src/store/profiles/profile-writer.ts";
import { BufferKeeping } from "../../src/store/profiles/raw-buffers.ts";
import type { ReceivedPush } from "../../src/store/push/received-push.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../src/store/server/embedded-postgres.ts";
import { scratchDirectory } from "./scratch.ts";

export interface SpoolStation extends AsyncDisposable {
  readonly database: Database;
  readonly url: string;
  readonly administratorUrl: string;
  readonly spoolDirectory: string;
  readonly events: GatewayEvent[];
  readonly intake: StoreIntake;
  server: EmbeddedPostgres;
  stopServer(): Promise<void>;
  startServer(): Promise<void>;
  /** Ends the intake and opens it again, as another run of the gateway would. */
  restart(): Promise<void>;
  /** Ends when everything is in the database. */
  drained(): Promise<void>;
}

export interface StationOptions {
  readonly quota?: number;
  readonly patienceMs?: number;
  /** How long a statement may take; as long as the gateway's when left out. */
  readonly statementTimeoutMs?: number;
  /** Where the spool lies; a new directory when left out. */
  readonly spoolDirectory?: string;
  /** Where the server's data lie; a new directory when left out. */
  readonly serverDirectory?: string;
}

export async function startSpoolStation(options: StationOptions = {}): Promise<SpoolStation> {
  const { quota = 1e8, patienceMs = 300 } = options;
  const directory = options.serverDirectory ?? scratchDirectory("spool-server");
  const spoolDirectory = options.spoolDirectory ?? (await mkdtemp(join(tmpdir(), "dlms-gateway-spool-")));
  let server = await startEmbeddedPostgres({ directory });
  const { url, administratorUrl } = server;
  const { port } = new URL(url);
  await migrate(url);
  const limited = new URL(url);
  if (options.statementTimeoutMs !== undefined) {
    limited.searchParams.set("statement_timeout", String(options.statementTimeoutMs));
  }
  const database = await openDatabase({ url: limited.href, connections: 4 });
  const events: GatewayEvent[] = [];
  const open = () =>
    StoreIntake.open({
      database,
      writer: new ProfileWriter(database, PROFILE_COLUMNS, [journalCoverage, new BufferKeeping(database)]),
      writers: 2,
      spool: { directory: spoolDirectory, quota, patienceMs },
      events: (event) => events.push(event),
    });
  let intake = await open();
  return {
    database,
    url,
    administratorUrl,
    spoolDirectory,
    events,
    get intake() {
      return intake;
    },
    get server() {
      return server;
    },
    set server(other) {
      server = other;
    },
    stopServer: () => server.stop(),
    startServer: async () => {
      server = await startEmbeddedPostgres({ directory, port: Number(port) });
    },
    restart: async () => {
      await intake.stop(5000);
      intake = await open();
    },
    drained: async () => {
      while (intake.isSpooling || intake.rows.rows > 0) await sleep(10);
    },
    [Symbol.asyncDispose]: async () => {
      await intake.stop(5000);
      await database.close();
      await server.stop();
      if (options.serverDirectory === undefined) await rm(directory, { recursive: true, force: true });
      if (options.spoolDirectory === undefined) await rm(spoolDirectory, { recursive: true, force: true });
    },
  };
}

/** A push of nobody in particular, told apart by its octets. */
export function somePush(number: number): ReceivedPush {
  return {
    receivedAt: new Date(Date.UTC(2026, 0, 1) + number * 1000),
    peer: "192.0.2.1:4059",
    transport: "tcp",
    meterId: undefined,
    attributedBy: undefined,
    senderNames: [],
    seen: { events: [], words: [] },
    repeatKey: undefined,
    counter: undefined,
    systemTitle: undefined,
    pushSetup: undefined,
    readAt: undefined,
    protection: "none",
    verified: false,
    marks: [],
    outcome: "partial",
    reason: "the sender is not known",
    octets: new TextEncoder().encode(String(number)),
    values: [{ captureObject: "3:1.0.1.8.0.255:2", value: String(number), isNumber: true, unit: "Wh" }],
    rowCount: 3,
  };
}
