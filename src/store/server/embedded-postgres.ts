/**
 * The database for those who bring none: a real PostgreSQL of our own, in a directory of our own, on a loopback port.
 * The server is started, watched, started again when it dies, and stopped with us; one that outlived a killed gateway
 * is ended before a new one starts. As root it runs as another user, because PostgreSQL refuses root.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Client, escapeIdentifier, escapeLiteral } from "pg";
import { StoreError } from "../database/store-error.ts";
import { lockDirectory } from "./directory-lock.ts";
import {
  endOrphans,
  freePort,
  isPortFree,
  type Postmaster,
  type PostmasterOptions,
  signalled,
  startPostmaster,
  stopPostmaster,
} from "./postmaster.ts";
import { prepareServerBinaries, type ServerBinaries } from "./server-binaries.ts";
import { type ServerUser, serverUser } from "./server-user.ts";

const run = promisify(execFile);

const ROLE = "dlms";
const DATABASE = "dlms";
const ADMINISTRATOR = "postgres";
const HOST = "127.0.0.1";
const RESTART_DELAYS_MS = [0, 200, 1000, 5000] as const;
const LOG_TAIL_CHARACTERS = 600;
const PORT_ATTEMPTS = 5;
/** Version of PostgreSQL that brought locales of its own. */
const FIRST_WITH_LOCALE = 17;

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: HOST,
  unix_socket_directories: "",
  max_connections: "100",
  jit: "off",
  timezone: "UTC",
  log_timezone: "UTC",
  wal_compression: "on",
  max_wal_size: "2GB",
  // The clients know their own statements' errors; the log is for the server's.
  log_min_messages: "log",
  log_checkpoints: "off",
};

export interface EmbeddedPostgresOptions {
  /** Holds all that the server needs and writes; made when absent. */
  readonly directory: string;
  /** Without it: the port of the last start if it is free, else any. */
  readonly port?: number;
  /** PostgreSQL programs to use in place of those that came with the packages. */
  readonly binaries?: ServerBinaries;
  /** Settings of PostgreSQL beyond ours, by name. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Hears what the supervisor does on its own. */
  readonly onEvent?: (event: EmbeddedPostgresEvent) => void;
}

export type EmbeddedPostgresEvent =
  | { readonly type: "orphanEnded"; readonly pid: number }
  | { readonly type: "serverDied"; readonly pid: number }
  | { readonly type: "serverRestarted"; readonly pid: number }
  | { readonly type: "serverLost"; readonly error: unknown };

/** Starts the server of a directory; initialises the directory at the first start. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const directory = resolve(options.directory);
  await mkdir(directory, { recursive: true });
  const unlock = await lockDirectory(directory);
  try {
    const onEvent = options.onEvent ?? (() => undefined);
    const settings = { ...SETTINGS, ...options.settings };
    const prepared = await prepare(directory, { onEvent, settings, binaries: options.binaries });
    const { postmaster, port } = await startOnPort(prepared, options);
    const server = new EmbeddedPostgres({ ...prepared, port, onEvent, unlock }, postmaster);
    await setUpRoleAndDatabase(server).catch(async (cause: unknown) => {
      await server.stop();
      throw new StoreError("SERVER_START_FAILED", { directory, port }, { cause });
    });
    return server;
  } catch (error) {
    await unlock();
    throw error;
  }
}

interface Passwords {
  readonly administrator: string;
  readonly role: string;
}

interface Prepared {
  readonly directory: string;
  readonly passwords: Passwords;
  readonly postmasterOptions: Omit<PostmasterOptions, "port">;
}

interface Supervised extends Prepared {
  readonly port: number;
  readonly onEvent: (event: EmbeddedPostgresEvent) => void;
  readonly unlock: () => Promise<void>;
}

/** A running server of our own. */
export class EmbeddedPostgres {
  readonly directory: string;
  readonly port: number;
  /** For the gateway: owns its database, is no superuser. Holds the password: never for a log. */
  readonly url: string;
  /** The superuser's, for tests and repairs. Holds the password: never for a log. */
  readonly administratorUrl: string;
  /** A command line for people; the password is in a file that only the owner reads. */
  readonly psqlCommand: string;
  readonly #supervised: Supervised;
  #postmaster: Postmaster;
  #stopping = false;
  readonly #onExit = () => signalled(this.#postmaster.pid, "SIGINT");

  constructor(supervised: Supervised, postmaster: Postmaster) {
    const { port, passwords } = supervised;
    this.directory = supervised.directory;
    this.port = port;
    const { url, administratorUrl } = urlsOf(port, passwords);
    this.url = url;
    this.administratorUrl = administratorUrl;
    const passwordFile = passwordFileIn(supervised.directory);
    this.psqlCommand = `PGPASSFILE=${passwordFile} psql -h ${HOST} -p ${port} -U ${ROLE} ${DATABASE}`;
    this.#supervised = supervised;
    this.#postmaster = postmaster;
    process.once("exit", this.#onExit);
    this.#watch();
  }

  get pid(): number {
    return this.#postmaster.pid;
  }

  /** Ends the server and waits until it has written everything. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    process.removeListener("exit", this.#onExit);
    try {
      await stopPostmaster(this.#postmaster.pid);
    } finally {
      await this.#supervised.unlock();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #watch(): void {
    const { pid, ended } = this.#postmaster;
    void ended.then(() => {
      if (this.#stopping) return undefined;
      this.#supervised.onEvent({ type: "serverDied", pid });
      return this.#restart();
    });
  }

  async #restart(): Promise<void> {
    const { postmasterOptions, port, onEvent } = this.#supervised;
    let failure: unknown;
    for (const delayMs of RESTART_DELAYS_MS) {
      await sleep(delayMs, undefined, { ref: false });
      if (this.#stopping) return;
      try {
        this.#postmaster = await startPostmaster({ ...postmasterOptions, port });
      } catch (error) {
        failure = error;
        continue;
      }
      onEvent({ type: "serverRestarted", pid: this.#postmaster.pid });
      if (this.#stopping) await stopPostmaster(this.#postmaster.pid);
      else this.#watch();
      return;
    }
    onEvent({ type: "serverLost", error: failure });
  }
}

async function prepare(
  directory: string,
  how: Pick<Supervised, "onEvent"> &
    Pick<PostmasterOptions, "settings"> & { readonly binaries: ServerBinaries | undefined },
): Promise<Prepared> {
  const dataDirectory = join(directory, "data");
  const user = await serverUser(dataDirectory);
  await checkReachable(directory, user);
  const binaries = how.binaries ?? (await prepareServerBinaries(user, directory));
  const [orphan] = await endOrphans(dataDirectory);
  if (orphan !== undefined) how.onEvent({ type: "orphanEnded", pid: orphan });
  const passwords = await passwordsOf(directory);
  await initialise(dataDirectory, binaries, { user, password: passwords.administrator });
  const logFile = join(directory, "server.log");
  const { postgres } = binaries;
  const postmasterOptions = { postgres, dataDirectory, logFile, user, settings: how.settings };
  return { directory, passwords, postmasterOptions };
}

async function checkReachable(directory: string, user: ServerUser | undefined): Promise<void> {
  if (user === undefined) return;
  await chmod(directory, 0o755);
  await run("/usr/bin/test", ["-x", directory], { ...user.credentials, cwd: "/" }).catch((cause: unknown) => {
    throw new StoreError("SERVER_DIRECTORY_UNREACHABLE", { directory, user: user.name }, { cause });
  });
}

function passwordFileIn(directory: string): string {
  return join(directory, "pgpass");
}

/** Reads the passwords from a file of libpq's form, or makes them. */
async function passwordsOf(directory: string): Promise<Passwords> {
  const file = passwordFileIn(directory);
  const text = await readFile(file, "utf8").catch(() => "");
  const known = new Map(text.split("\n").map((line) => [line.split(":")[3], line.split(":")[4]]));
  const held = { administrator: known.get(ADMINISTRATOR), role: known.get(ROLE) };
  if (held.administrator !== undefined && held.role !== undefined) {
    return { administrator: held.administrator, role: held.role };
  }
  const made = { administrator: randomBytes(24).toString("base64url"), role: randomBytes(24).toString("base64url") };
  const lines = [`${HOST}:*:*:${ADMINISTRATOR}:${made.administrator}`, `${HOST}:*:*:${ROLE}:${made.role}`, ""];
  await rm(file, { force: true });
  await writeFile(file, lines.join("\n"), { mode: 0o600, flag: "wx" });
  return made;
}

/** A database of our own that is being used from outside the daemon that owns it. */
export interface OpenedEmbedded extends AsyncDisposable {
  /** For the gateway's role. Holds the password: never for a log. */
  readonly url: string;
  /** The superuser's. Holds the password: never for a log. */
  readonly administratorUrl: string;
}

/**
 * Opens the database of a directory, whether its server runs for another process or has to be started for the time being.
 * Throws StoreError, also when there is no database.
 */
export async function openEmbedded(directory: string): Promise<OpenedEmbedded> {
  const there = await readFile(join(directory, "data", "PG_VERSION"), "utf8").catch(() => undefined);
  if (there === undefined) throw new StoreError("SERVER_DIRECTORY_EMPTY", { directory });
  try {
    return await startEmbeddedPostgres({ directory });
  } catch (error) {
    if (!(error instanceof StoreError && error.code === "SERVER_DIRECTORY_IN_USE")) throw error;
  }
  const { administrator, role } = await passwordsOf(resolve(directory));
  const port = Number(await readFile(join(directory, "port"), "utf8"));
  return { ...urlsOf(port, { administrator, role }), [Symbol.asyncDispose]: async () => undefined };
}

function urlsOf(port: number, passwords: Passwords) {
  return {
    url: `postgresql://${ROLE}:${passwords.role}@${HOST}:${port}/${DATABASE}`,
    administratorUrl: `postgresql://${ADMINISTRATOR}:${passwords.administrator}@${HOST}:${port}/${DATABASE}`,
  };
}

/** Makes the data directory if it is not there; under another name first, so that a half-made one is never used. */
async function initialise(
  dataDirectory: string,
  binaries: ServerBinaries,
  as: { readonly user: ServerUser | undefined; readonly password: string },
): Promise<void> {
  const version = await readFile(join(dataDirectory, "PG_VERSION"), "utf8").catch(() => undefined);
  if (version !== undefined) {
    if (version.trim() === binaries.majorVersion) return;
    throw new StoreError("SERVER_VERSION_MISMATCH", { data: version.trim(), server: binaries.majorVersion });
  }
  const draft = `${dataDirectory}.draft`;
  const passwordFile = join(dirname(dataDirectory), "initial-password");
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  await rm(passwordFile, { force: true });
  await writeFile(passwordFile, as.password, { mode: 0o600, flag: "wx" });
  if (as.user !== undefined) {
    await chown(draft, as.user.credentials.uid, as.user.credentials.gid);
    await chown(passwordFile, as.user.credentials.uid, as.user.credentials.gid);
  }
  const locale = ["--encoding=UTF8", "--locale=C", ...builtinLocale(binaries.majorVersion)];
  const access = [`--username=${ADMINISTRATOR}`, "--auth=scram-sha-256", `--pwfile=${passwordFile}`];
  try {
    await run(binaries.initdb, ["-D", draft, ...locale, ...access, "--no-instructions"], {
      ...as.user?.credentials,
      cwd: "/",
      env: { PATH: process.env["PATH"] ?? "", LANG: "C", TZ: "UTC" },
    });
  } catch (cause) {
    throw new StoreError("SERVER_INIT_FAILED", { directory: dataDirectory, message: stderrOf(cause) }, { cause });
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(draft, dataDirectory);
}

/** The server's own rules for letters, the same wherever it runs; older servers take the system's. */
function builtinLocale(majorVersion: string): readonly string[] {
  const isKnown = Number(majorVersion) >= FIRST_WITH_LOCALE;
  return isKnown ? ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] : ["--lc-ctype=C.UTF-8"];
}

function stderrOf(error: unknown): string {
  const stderr = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
  return stderr.trim().slice(-LOG_TAIL_CHARACTERS);
}

async function startOnPort(
  prepared: Prepared,
  options: EmbeddedPostgresOptions,
): Promise<{ postmaster: Postmaster; port: number }> {
  const portFile = join(prepared.directory, "port");
  const former = Number(await readFile(portFile, "utf8").catch(() => "0"));
  const logFile = prepared.postmasterOptions.logFile;
  for (let attempt = 1; ; attempt++) {
    const keep = attempt === 1 && former > 0 && (await isPortFree(former));
    const port = options.port ?? (keep ? former : await freePort());
    await writeFile(logFile, "", { mode: 0o600 });
    try {
      const postmaster = await startPostmaster({ ...prepared.postmasterOptions, port });
      await writeFile(portFile, String(port));
      return { postmaster, port };
    } catch (cause) {
      const log = await readFile(logFile, "utf8").catch(() => "");
      const portTaken = log.includes("could not bind") && options.port === undefined;
      if (portTaken && attempt < PORT_ATTEMPTS) continue;
      const message = log.trim().slice(-LOG_TAIL_CHARACTERS);
      throw new StoreError("SERVER_START_FAILED", { port, log: logFile, message }, { cause });
    }
  }
}

/** Idempotent, so that it mends a first start that was cut off. */
async function setUpRoleAndDatabase(server: EmbeddedPostgres): Promise<void> {
  const client = new Client(server.administratorUrl.replace(/[^/]*$/, "postgres"));
  await client.connect();
  try {
    const role = await client.query("select from pg_roles where rolname = $1::text", [ROLE]);
    // It makes the roles that readers get; those of its own making only can it give away.
    const rights = `login createdb createrole password ${escapeLiteral(new URL(server.url).password)}`;
    const verb = role.rowCount === 0 ? "create" : "alter";
    await client.query(`${verb} role ${escapeIdentifier(ROLE)} ${rights}`);
    const database = await client.query("select from pg_database where datname = $1::text", [DATABASE]);
    if (database.rowCount === 0) {
      await client.query(`create database ${escapeIdentifier(DATABASE)} owner ${escapeIdentifier(ROLE)}`);
    }
  } finally {
    await client.end();
  }
}
