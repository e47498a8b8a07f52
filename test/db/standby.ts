/** A primary of our own with a streaming standby, made of a cold copy: to be killed, promoted, and written to too early. */
import { execFile } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { startEmbeddedPostgres } from "../../src/store/server/embedded-postgres.ts";
import { freePort, startPostmaster, stopPostmaster } from "../../src/store/server/postmaster.ts";
import { prepareServerBinaries } from "../../src/store/server/server-binaries.ts";
import { serverUser } from "../../src/store/server/server-user.ts";
import { query } from "./query.ts";
import { scratchDirectory } from "./scratch.ts";

const run = promisify(execFile);
const REPLICATING = { wal_level: "replica", max_wal_senders: "4" };
const STANDBY = {
  ...REPLICATING,
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  jit: "off",
  max_connections: "100",
};

export interface ReplicatedServers extends AsyncDisposable {
  /** Of the primary first, of the other after `switchOver`: as a balancer or a moved address would have it. */
  readonly url: string;
  readonly standbyUrl: string;
  readonly standbyAdministratorUrl: string;
  /** Kills the primary and all its sessions; nothing of it runs again. */
  killPrimary(): Promise<void>;
  /** Makes the standby a primary. */
  promote(): Promise<void>;
  /** From now on `url` leads to the former standby. */
  switchOver(): void;
}

/** What is committed on the primary is on the standby's disk as well. */
export async function startReplicated(): Promise<ReplicatedServers> {
  await using stack = new AsyncDisposableStack();
  const directory = scratchDirectory("primary");
  const copy = scratchDirectory("standby");
  for (const each of [directory, copy]) stack.defer(() => rm(each, { recursive: true, force: true }));
  // Stopped, so that its files can be copied as they are.
  await (await startEmbeddedPostgres({ directory, settings: REPLICATING })).stop();
  await run("cp", ["-a", join(directory, "data"), join(copy, "data")]);
  await run("chmod", ["0755", directory, copy]);
  const primary = await startEmbeddedPostgres({ directory, settings: REPLICATING });
  stack.defer(() => primary.stop());
  const standby = await startStandby(copy, new URL(primary.administratorUrl));
  stack.defer(() => stopPostmaster(standby.pid));
  await query(primary.administratorUrl, "alter system set synchronous_standby_names = '*'");
  await query(primary.administratorUrl, "select pg_reload_conf()");
  const isSynchronous = "select count(*)::int from pg_stat_replication where sync_state = 'sync'";
  while ((await query(primary.administratorUrl, isSynchronous))[0]?.[0] !== 1) await sleep(20);
  const way = stack.use(await switchableWay(primary.port));
  const held = stack.move();
  return {
    url: at(primary.url, way.port),
    standbyUrl: at(primary.url, standby.port),
    standbyAdministratorUrl: at(primary.administratorUrl, standby.port),
    killPrimary: async () => {
      const { stdout } = await run("ps", ["-o", "pid=", "--ppid", String(primary.pid)]);
      const { pid } = primary;
      const stopping = primary.stop();
      for (const each of [pid, ...stdout.split("\n").map(Number)].filter((one) => one > 0)) {
        try {
          process.kill(each, "SIGKILL");
        } catch {
          // It ended by itself.
        }
      }
      await stopping;
    },
    promote: async () => {
      await query(at(primary.administratorUrl, standby.port), "select pg_promote(true, 60)");
    },
    switchOver: () => way.leadTo(standby.port),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

function at(url: string, port: number): string {
  return Object.assign(new URL(url), { port: String(port) }).href;
}

async function startStandby(directory: string, primary: URL) {
  const dataDirectory = join(directory, "data");
  await writeFile(join(dataDirectory, "standby.signal"), "");
  const user = await serverUser(dataDirectory);
  const { postgres } = await prepareServerBinaries(user, directory);
  const port = await freePort();
  const { hostname, port: primaryPort, username, password } = primary;
  const source = `host=${hostname} port=${primaryPort} user=${username} password=${password} application_name=standby`;
  const settings = { ...STANDBY, primary_conninfo: source };
  const { pid } = await startPostmaster({
    postgres,
    dataDirectory,
    logFile: join(directory, "server.log"),
    port,
    user,
    settings,
  });
  return { pid, port };
}

/** A port that leads to another one, which may change; connections that are open break then. */
async function switchableWay(first: number) {
  const target = { port: first };
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(target.port, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    leadTo: (port: number) => {
      target.port = port;
      for (const socket of sockets) socket.destroy();
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
