/**
 * One machine's cores: worker processes, each a gateway that shares the meters with the others as gateways on different
 * machines do. The first has what there is once only: the listeners, the API and the control socket. A worker that ends
 * without an order is started again; its meters are with the others meanwhile.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "./config/schema.ts";
import { startEmbeddedPostgres } from "./store/embedded-postgres.ts";
import type { ServiceManager } from "./systemd/service-manager.ts";
import { WorkerStates } from "./systemd/worker-states.ts";

export interface WorkersOptions {
  readonly config: Config;
  readonly configFile: string;
  readonly count: number;
  readonly stop: Promise<string>;
  /** Whom is told how the workers are, all together. */
  readonly manager: Pick<ServiceManager, "notify" | "sockets">;
}

const DATABASE_URL = "DLMS_GATEWAY_WORKERS_DATABASE";
const RESTART_MS = 1000;
const LEAST_CONNECTIONS = 2;

/** The configuration of one of `count` workers, the first is 1. What is bounded is bounded for all together. */
export function workerConfig(config: Config, worker: number, count: number): Config {
  const { stateDirectory, socket, sharing, polling, database, push, api } = config;
  const isFirst = worker === 1;
  const part = (whole: number) => Math.max(1, Math.ceil(whole / count));
  return {
    ...config,
    // The first goes on with what there was before there were workers.
    stateDirectory: isFirst ? stateDirectory : join(stateDirectory, `worker-${worker}`),
    socket: isFirst ? socket : `${socket}.${worker}`,
    sharing: { ...sharing, name: `${sharing.name ?? hostname()}-${worker}` },
    polling: {
      ...polling,
      concurrency: part(polling.concurrency),
      connectsPerSecond: part(polling.connectsPerSecond),
    },
    database: {
      ...database,
      ...(DATABASE_URL in process.env && { url: `env:${DATABASE_URL}` }),
      connections: Math.max(LEAST_CONNECTIONS, part(database.connections)),
    },
    push: isFirst ? push : { ...push, listen: [] },
    api: isFirst ? api : { ...api, listen: undefined },
  };
}

/** Ends when all workers have ended after the order to stop. */
export async function runWorkers({ config, configFile, count, stop, manager }: WorkersOptions): Promise<void> {
  const server = await serverOf(config);
  const env = { ...process.env, ...(server && { [DATABASE_URL]: server.url }) };
  const stopping = new AbortController();
  void stop.then((signal) => {
    manager.notify("STOPPING=1");
    stopping.abort(signal);
  });
  const sockets = manager.sockets?.descriptors ?? [];
  const states = new WorkerStates(count, manager.notify);
  const order = { configFile, count, env };
  const children = new Map<number, ChildProcess>();
  const reload = () => {
    for (const child of children.values()) child.kill("SIGHUP");
  };
  process.on("SIGHUP", reload);
  const workers = Array.from({ length: count }, (_, index) =>
    keepRunning(() => {
      const child = startWorker({ ...order, worker: index + 1, sockets: index === 0 ? sockets : [] });
      children.set(index, child);
      return child.on("message", (state) => typeof state === "string" && states.hear(index + 1, state));
    }, stopping.signal),
  );
  await Promise.all(workers);
  process.off("SIGHUP", reload);
  await server?.stop();
}

/** The embedded server belongs to none of the workers: any of them may end before the others. */
async function serverOf({ database, stateDirectory }: Config) {
  if (database.url !== undefined) return undefined;
  return startEmbeddedPostgres({ directory: join(stateDirectory, database.directory) });
}

interface WorkerOrder {
  readonly configFile: string;
  readonly worker: number;
  readonly count: number;
  readonly env: NodeJS.ProcessEnv;
  /** Descriptors that were passed to us; a worker has them under the same numbers. */
  readonly sockets: readonly number[];
}

function startWorker({ configFile, worker, count, env, sockets }: WorkerOrder): ChildProcess {
  const args = ["run", "--config", configFile, "--workers", String(count), "--worker", String(worker)];
  return fork(join(import.meta.dirname, "cli", "main.ts"), args, {
    env,
    stdio: ["ignore", "inherit", "inherit", ...sockets, "ipc"],
  });
}

async function keepRunning(start: () => ChildProcess, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    const child = start();
    const end = () => child.kill("SIGTERM");
    stopping.addEventListener("abort", end, { once: true });
    const ended = once(child, "exit");
    if (stopping.aborted) end();
    await ended;
    stopping.removeEventListener("abort", end);
    if (!stopping.aborted) await sleep(RESTART_MS, undefined, { signal: stopping }).catch(() => undefined);
  }
}
