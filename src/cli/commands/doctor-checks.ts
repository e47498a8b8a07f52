/** What `doctor` looks at, each by itself: what it finds, and what to do when that is bad. */
import { constants } from "node:fs";
import { access, readdir, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { resolve } from "node:path";
import { hostPort, type TcpAddress, tcpAddress } from "../../../drivers/tcp/address.ts";
import { askForHealth } from "../../api/local-client.ts";
import { resolveMeterSecrets } from "../../collect/session/meter-secrets.ts";
import type { Config } from "../../config/schema.ts";
import { openKeyStore, storedKeys } from "../../keys/stored-keys.ts";
import { counted } from "../../observe/counted.ts";
import type { Database } from "../../store/database/database.ts";
import { migrationStatus } from "../../store/database/migrations.ts";

export type Verdict = "good" | "doubtful" | "bad";

export interface Finding {
  readonly verdict: Verdict;
  readonly says: string;
  readonly nextStep?: string;
}

export interface Patient {
  readonly config: Config;
  readonly stateDirectory: string;
  /** Undefined when it can't be reached. */
  readonly database: Database | undefined;
  readonly databaseUrl: string | undefined;
  readonly databaseSays: string;
  readonly isAlive: boolean;
}

type Check = (patient: Patient) => Promise<Finding>;

const LEAST_FREE = 1024 * 1024 * 1024;
const GIGA = 1e9;
const MOST_SKEW_MS = 2000;
const SHOWN = 3;
/** Longer than the daemon waits for what it depends on. */
const PATIENCE_MS = 10_000;

/** In the order in which they are told; what comes first explains what comes later. */
export const CHECKS: Readonly<Record<string, Check>> = {
  daemon: daemonAlive,
  database: databaseReached,
  migrations: schemaUpToDate,
  "state directory": stateWritable,
  spool: spoolEmpty,
  clock: clockRight,
  ports: portsFree,
  "serial lines": serialLines,
  keys: keysReadable,
};

/** Whether a daemon answers on the socket, and what of it is ill. */
async function daemonAlive({ config, isAlive }: Patient): Promise<Finding> {
  if (!isAlive) {
    const nextStep = "systemctl status dlms-gateway, or dlms-gateway run --config FILE";
    return { verdict: "doubtful", says: `nothing answers on ${config.socket}`, nextStep };
  }
  const health = await askForHealth(config.socket, AbortSignal.timeout(PATIENCE_MS)).catch(() => undefined);
  if (health === undefined) {
    const nextStep = "it hangs, or stops just now: journalctl -u dlms-gateway, then systemctl restart dlms-gateway";
    return { verdict: "bad", says: `no answer within ${PATIENCE_MS / 1000} s on ${config.socket}`, nextStep };
  }
  const says = `version ${health.version} answers on ${config.socket}`;
  if (health.ok) return { verdict: "good", says };
  const ill = health.dependencies.filter(({ ok }) => !ok).map((each) => `${each.name}: ${each.says}`);
  return { verdict: "bad", says: `${says}, and is ill: ${ill.join("; ")}`, nextStep: "journalctl -u dlms-gateway" };
}

async function databaseReached({ database, databaseSays }: Patient): Promise<Finding> {
  if (database !== undefined) return { verdict: "good", says: databaseSays };
  return { verdict: "bad", says: databaseSays, nextStep: "see that its server runs and database.url is right" };
}

async function schemaUpToDate({ databaseUrl }: Patient): Promise<Finding> {
  if (databaseUrl === undefined) return { verdict: "doubtful", says: "not known without the database" };
  const statuses = await migrationStatus(databaseUrl);
  const altered = statuses.filter(({ state }) => state === "altered" || state === "unknown");
  const pending = statuses.filter(({ state }) => state === "pending" || state === "begun");
  if (altered.length > 0) {
    return {
      verdict: "bad",
      says: `${altered.length} are not those of this version`,
      nextStep: "dlms-gateway db status",
    };
  }
  if (pending.length === 0) return { verdict: "good", says: `all ${statuses.length} applied` };
  return { verdict: "doubtful", says: `${pending.length} to come`, nextStep: "the daemon applies them when it starts" };
}

async function stateWritable({ stateDirectory }: Patient): Promise<Finding> {
  const nextStep = `make it, writable for the user of the daemon: ${stateDirectory}`;
  try {
    await access(stateDirectory, constants.W_OK);
  } catch {
    return { verdict: "bad", says: "is not there, or may not be written", nextStep };
  }
  return spaceIn(stateDirectory);
}

async function spaceIn(directory: string): Promise<Finding> {
  const { bavail, blocks, bsize } = await statfs(directory);
  const free = bavail * bsize;
  const says = `${(free / GIGA).toFixed(1)} GB free of ${((blocks * bsize) / GIGA).toFixed(1)}`;
  if (free >= LEAST_FREE) return { verdict: "good", says };
  return { verdict: "bad", says, nextStep: "make room: below 1 GB the database and the spool come to a stop" };
}

async function spoolEmpty({ config, stateDirectory }: Patient): Promise<Finding> {
  const directory = resolve(stateDirectory, config.spool.directory);
  const files = await readdir(directory).catch(() => undefined);
  if (files === undefined) return { verdict: "good", says: "not there yet: nothing has had to wait" };
  const { verdict, says, nextStep } = await spaceIn(directory);
  const found = `${files.length} files, ${says}`;
  return { verdict, says: found, ...(nextStep !== undefined && { nextStep }) };
}

async function clockRight({ database }: Patient): Promise<Finding> {
  if (database === undefined) return { verdict: "doubtful", says: "nothing to compare it with" };
  const before = Date.now();
  const [row] = await database.query<{ now: Date }>("select clock_timestamp() as now");
  const skewMs = Math.abs((row?.now.getTime() ?? 0) - (before + Date.now()) / 2);
  if (skewMs < MOST_SKEW_MS) return { verdict: "good", says: "agrees with the database's" };
  const says = `differs from the database's by ${(skewMs / 1000).toFixed(1)} s`;
  return { verdict: "bad", says, nextStep: "see that both machines keep time by NTP: timedatectl" };
}

async function portsFree({ config, isAlive }: Patient): Promise<Finding> {
  const { api, push, calls } = config;
  // A port of UDP is free whatever holds the one of TCP, and a port 0 always.
  const overTcp = push.listen.filter(({ transport }) => transport === "tcp");
  const heard = [...overTcp, ...calls.listen].flatMap(({ address }) => address ?? []).map(tcpAddress);
  const listeners = [...(api.listen === undefined ? [] : [api.listen]), ...heard].filter(({ port }) => port > 0);
  if (listeners.length === 0) return { verdict: "good", says: "no listeners are configured" };
  // Those of a daemon that runs are its own.
  if (isAlive) return { verdict: "good", says: `${counted(listeners.length, "listener")} of the daemon` };
  const taken: string[] = [];
  for (const each of listeners) if (!(await canListen(each))) taken.push(hostPort(each));
  if (taken.length === 0) return { verdict: "good", says: `${listeners.length} are free` };
  const nextStep = "end the program that has it (ss -ltnp names it); ports below 1024 are for a socket unit";
  return { verdict: "bad", says: `can't be had: ${taken.join(", ")}`, nextStep };
}

function canListen({ host, port }: TcpAddress): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once("error", () => done(false));
    server.listen(port, host, () => server.close(() => done(true)));
  });
}

async function serialLines({ config }: Patient): Promise<Finding> {
  const paths = new Set(config.meters.flatMap(({ connection }) => connection.serial ?? []));
  const bad: string[] = [];
  for (const path of paths) {
    const isThere = await access(path, constants.F_OK).then(
      () => true,
      () => false,
    );
    const isOurs = await access(path, constants.R_OK | constants.W_OK).then(
      () => true,
      () => false,
    );
    if (!isThere) bad.push(`${path} is not there`);
    else if (!isOurs) bad.push(`${path} may not be used`);
  }
  if (bad.length === 0)
    return { verdict: "good", says: paths.size === 0 ? "none are configured" : `${paths.size} ready` };
  const nextStep = "plug it in and compare with /dev/serial/by-id; the user of the daemon must be in the group dialout";
  return { verdict: "bad", says: shortened(bad), nextStep };
}

async function keysReadable({ config, database }: Patient): Promise<Finding> {
  const bad: string[] = [];
  const store = database === undefined ? undefined : await openKeyStore(config.keys, database);
  const ids = await meterIds(database);
  for (const { name, number, association } of config.meters) {
    const open = storedKeys(store, ids.get(number) ?? "", association.clientSap);
    await resolveMeterSecrets(association, open).catch((error: unknown) => {
      bad.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    });
  }
  if (bad.length === 0) return { verdict: "good", says: `of ${counted(config.meters.length, "meter")}: can be had` };
  const nextStep = "give this user the right to read them, or put them into the key store: dlms-gateway keys import";
  return { verdict: "bad", says: shortened(bad), nextStep };
}

async function meterIds(database: Database | undefined): Promise<ReadonlyMap<string, string>> {
  const text = "select meter_number, id from public.meters";
  const rows = (await database?.query<{ meter_number: string; id: string }>(text).catch(() => [])) ?? [];
  return new Map(rows.map((row) => [row.meter_number, row.id]));
}

function shortened(all: readonly string[]): string {
  const more = all.length - SHOWN;
  return `${all.slice(0, SHOWN).join("; ")}${more > 0 ? `; and ${more} more` : ""}`;
}
