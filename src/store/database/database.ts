/** The pool of connections, transactions on it, and the driver's failures as ours. */
import { type Client, Pool, type PoolClient, type QueryResult, type QueryResultRow, TypeOverrides, types } from "pg";
import { messageOf } from "../../observe/message-of.ts";
import { type Capabilities, probeCapabilities } from "./capabilities.ts";
import { driverError, failureCode, failureKind } from "./failure.ts";
import { StoreError } from "./store-error.ts";

const CONNECT_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 60_000;
const STATEMENT_TIMEOUT_MS = 60_000;
/** Later than the server's own limit, for servers that do not answer at all. */
const QUERY_TIMEOUT_MS = 75_000;
/** Whoever waits longer for a lock has met somebody who forgot it, and may try again. */
const LOCK_TIMEOUT_MS = 10_000;
const READ_ONLY = "25006";
/** Late rows of many meters may all lie in one compressed chunk: the limit would refuse them for ever. */
const NO_DECOMPRESSION_LIMIT = "set timescaledb.max_tuples_decompressed_per_dml_transaction = 0";

export interface DatabaseOptions {
  /** A connection string; it may hold a password and is never shown. */
  readonly url: string;
  /** Most connections of the pool. */
  readonly connections: number;
  readonly applicationName?: string;
  /** Statements may take as long as they need. */
  readonly unlimited?: boolean;
  /** What the database could do when it was there last: it is not asked then, and need not be there now. */
  readonly recorded?: Capabilities | undefined;
}

/** Connects and asks what the database can do. Throws StoreError when it does not answer. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const pool = new Pool({
    connectionString: options.url,
    max: options.connections,
    application_name: options.applicationName ?? "dlms-gateway",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    // A server, or the way to it, that hangs must hold neither a poll nor a stop for ever.
    ...(options.unlimited !== true && {
      statement_timeout: STATEMENT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      lock_timeout: LOCK_TIMEOUT_MS,
    }),
    keepAlive: true,
    types: valueTypes(),
    // oxlint-disable-next-line typescript/no-misused-promises -- the pool waits for it; its type does not say so
    onConnect: async (client) => {
      await client.query(NO_DECOMPRESSION_LIMIT);
    },
  });
  // A connection that breaks while idle is replaced at its next use; without a listener it would end the process. So
  // would one that breaks between being lent and the first statement, where the pool itself listens no longer.
  pool.on("error", () => undefined);
  const clients = new Set<Client>();
  pool.on("connect", (client) => {
    client.on("error", () => undefined);
    clients.add(client);
  });
  pool.on("remove", (client) => clients.delete(client));
  try {
    return new Database(pool, options.recorded ?? (await probeCapabilities(pool)), clients);
  } catch (cause) {
    await pool.end();
    throw storeFailure(cause);
  }
}

/** 64-bit integers come as bigint: as the driver's text they compare wrongly, as numbers they lose digits. */
function valueTypes(): TypeOverrides {
  const overrides = new TypeOverrides();
  overrides.setTypeParser(types.builtins.INT8, BigInt);
  return overrides;
}

/** A database for those who ask single statements. */
export type Queryable = Pick<Database, "query">;

export class Database {
  readonly capabilities: Capabilities;
  readonly #pool: Pool;
  readonly #clients: ReadonlySet<Client>;

  /** `clients` are all connections of the pool, lent out or not. */
  constructor(pool: Pool, capabilities: Capabilities, clients: ReadonlySet<Client> = new Set()) {
    this.#pool = pool;
    this.#clients = clients;
    this.capabilities = capabilities;
  }

  /** Connections that are handed out now; 0 when nothing leaked and nothing runs. */
  get busyConnections(): number {
    return this.#pool.totalCount - this.#pool.idleCount;
  }

  /** One statement; its rows. Throws StoreError. */
  async query<Row extends QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    try {
      return (await this.#pool.query<Row>(text, [...values])).rows;
    } catch (cause) {
      throw storeFailure(cause);
    }
  }

  /**
   * Runs `work` on one connection in one transaction; whatever it throws undoes it and is thrown on, as StoreError.
   * `opening` holds statements that go on the same way as `begin`; `work` gets the rows of the last.
   */
  async transaction<Result>(
    work: (client: PoolClient, opened: readonly QueryResultRow[]) => Promise<Result>,
    opening = "",
  ): Promise<Result> {
    return this.withClient(async (client) => {
      try {
        const opened: QueryResult | QueryResult[] = await client.query(`begin; ${opening}`);
        const last = Array.isArray(opened) ? opened.at(-1) : opened;
        const result = await work(client, last?.rows ?? []);
        await client.query("commit");
        return result;
      } catch (error) {
        await client.query("rollback").catch(() => undefined);
        throw error;
      }
    });
  }

  /** Lends one connection to `work`; after a failure of the connection itself it is thrown away. */
  async withClient<Result>(work: (client: PoolClient) => Promise<Result>): Promise<Result> {
    let client: PoolClient;
    try {
      client = await this.#pool.connect();
    } catch (cause) {
      throw storeFailure(cause);
    }
    let broken: Error | undefined;
    const onError = (error: Error) => {
      broken = error;
    };
    client.on("error", onError);
    try {
      return await work(client);
    } catch (cause) {
      if (failureKind(cause) === "transient" && !leavesUsable(cause)) broken ??= new Error("connection lost");
      throw storeFailure(cause);
    } finally {
      client.off("error", onError);
      client.release(broken);
    }
  }

  /** Waits for what runs, `timeoutMs` at most, and ends all connections. */
  async close(timeoutMs = Infinity): Promise<void> {
    const cut = () => {
      for (const client of this.#clients) void client.end().catch(() => undefined);
    };
    const timer = Number.isFinite(timeoutMs) ? setTimeout(cut, timeoutMs) : undefined;
    await this.#pool.end();
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** A session on a server that has become a standby stays read-only; a new one may reach the server that writes. */
function leavesUsable(error: unknown): boolean {
  return isServerAnswer(error) && failureCode(error) !== READ_ONLY;
}

/** Deadlocks and the like leave the connection usable; a terminated session does not. */
function isServerAnswer(error: unknown): boolean {
  const code = failureCode(error) ?? "";
  return code.startsWith("40") || code.startsWith("25") || code.startsWith("53") || code === "55P03";
}

/** The driver's error as StoreError; one of ours passes unchanged. */
export function storeFailure(cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const code = failureCode(cause) ?? "none";
  const kind = failureKind(cause);
  const reached = kind !== "transient" || isServerAnswer(cause);
  const message = messageOf(cause);
  return new StoreError(reached ? "DATABASE_REFUSED" : "DATABASE_UNREACHABLE", { code, message }, { cause });
}

/** True when the same again may work later. */
export function isTransient(error: unknown): boolean {
  return (error instanceof StoreError && error.isTransient) || failureKind(driverError(error)) === "transient";
}

/** What the database answers; undefined while it is away. */
export async function whileThere<Result>(ask: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (!isTransient(error)) throw error;
    return undefined;
  }
}
