/**
 * One machine's cores: worker processes, each a gateway that shares the meters with the others as gateways on different
 * machines do. The first has what there is once only: the listeners, the API and the control socket. A worker that ends
 * without an order, or hangs, is started again; its meters are with the others meanwhile. One that can't use the
 * configuration or the database ends all: the others have the same.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { EXIT_CODES, type ExitReason, LASTING_REASONS } from "./cli/terminal/exit-code.ts";
import type { Config } from "./config/schema.ts";
import { startEmbedded } from "./gateway/open-store.ts";
import type { EventSink } from "./observe/events.ts";
import type { WorkerPlace } from "./observe/metrics.ts";
import type { ServiceManager } from "./systemd/service-manager.ts";
import { WorkerWatch } from "./systemd/worker-watch.ts";

export interface WorkersOptions {
  readonly config: Config;
  readonly configFile: string;
  readonly count: number;
  readonly stop: Promise<string>;
  /** Whom is told how the workers are, all together. */
  readonly manager: ServiceManager;
  readonly events: EventSink;
}

const DATABASE_URL = "DLMS_GATEWAY_WORKERS_DATABASE";
/** Before a worker is started again that has ended so often in a row. */
const RESTART_DELAYS_MS = [1000, 2000, 5000, 15_000, 60_000] as const;
/** One that has run so long ended for another reason than the one before. */
const STEADY_MS = 60_000;
const LEAST_CONNECTIONS = 2;

/** The configuration of one of `count` workers, the first is 1. What is bounded is bounded for all together. */
export function workerConfig(config: Config, worker: number, count: number): Config {
  const { stateDirectory, sharing, polling, database, push, calls, api } = config;
  const isFirst = worker === 1;
  const part = (whole: number) => Math.max(1, Math.ceil(whole / count));
  return {
    ...config,
    // The first goes on with what there was before there were workers.
    stateDirectory: isFirst ? stateDirectory : join(stateDirectory, `worker-${worker}`),
    socket: socketOf(config, worker),
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
    calls: isFirst ? calls : { listen: [] },
    api: isFirst ? api : { ...api, listen: undefined },
  };
}

function socketOf({ socket }: Config, worker: number): string {
  return worker === 1 ? socket : `${socket}.${worker}`;
}

/** The first answers for all: their metrics and their health. */
export function workerPlace(config: Config, worker: number, count: number): WorkerPlace {
  const all = Array.from({ length: count }, (_, index) => ({ worker: index + 1, socket: socketOf(config, index + 1) }));
  return { worker, count, others: worker === 1 ? all.slice(1) : [] };
}

/** Ends when all workers have ended, after the order to stop or for a reason that lasts. */
export async function runWorkers(options: WorkersOptions): Promise<ExitReason> {
  const { config, configFile, count, stop, manager, events } = options;
  await using stack = new AsyncDisposableStack();
  // The embedded server belongs to none of the workers: any of them may end before the others.
  const server = config.database.url === undefined ? await startEmbedded(config, events, stack) : undefined;
  const env = { ...process.env, ...(server && { [DATABASE_URL]: server.url }) };
  const stopping = new AbortController();
  void stop.then((signal) => {
    manager.notify("STOPPING=1");
    stopping.abort(signal);
  });
  const sockets = manager.sockets?.descriptors ?? [];
  const order = { configFile, count, env };
  const children = new Map<number, ChildProcess>();
  const onSilent = (worker: number, forMs: number) => {
    events({ event: "workerSilent", worker, forMs });
    children.get(worker)?.kill("SIGKILL");
  };
  const watch = stack.use(new WorkerWatch({ ...manager, count, onSilent }));
  const reload = () => {
    for (const child of children.values()) child.kill("SIGHUP");
  };
  process.on("SIGHUP", reload);
  stack.defer(() => void process.off("SIGHUP", reload));
  const keepWorker = async (worker: number): Promise<ExitReason> => {
    const start = () => {
      const child = startWorker({ ...order, worker, sockets: worker === 1 ? sockets : [] });
      children.set(worker, child);
      child.once("exit", (code, signal) => watch.ended(worker, signal ?? `exit code ${code}`));
      return child.on("message", (state) => typeof state === "string" && watch.hear(worker, state));
    };
    const reason = await keepRunning(start, stopping.signal, (ended) =>
      events({ event: "workerEnded", worker, ...ended }),
    );
    stopping.abort(reason);
    return reason;
  };
  const reasons = await Promise.all(Array.from({ length: count }, (_, index) => keepWorker(index + 1)));
  return reasons.find((reason) => reason !== "success") ?? "success";
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

interface WorkerEnd {
  readonly code: number | null;
  readonly signal: string | null;
  readonly retryMs: number;
}

/** Until the order to stop, or until the worker ends for a reason that lasts. */
async function keepRunning(
  start: () => ChildProcess,
  stopping: AbortSignal,
  onEnd: (end: WorkerEnd) => void,
): Promise<ExitReason> {
  for (let inARow = 0; !stopping.aborted; inARow += 1) {
    const startedMs = performance.now();
    const child = start();
    const end = () => child.kill("SIGTERM");
    stopping.addEventListener("abort", end, { once: true });
    await once(child, "exit");
    const { exitCode: code, signalCode: signal } = child;
    stopping.removeEventListener("abort", end);
    const lasting = LASTING_REASONS.find((reason) => EXIT_CODES[reason].code === code);
    if (lasting !== undefined) return lasting;
    if (stopping.aborted) break;
    if (performance.now() - startedMs > STEADY_MS) inARow = 0;
    const retryMs = RESTART_DELAYS_MS[Math.min(inARow, RESTART_DELAYS_MS.length - 1)] ?? STEADY_MS;
    onEnd({ code, signal, retryMs });
    await sleep(retryMs, undefined, { signal: stopping }).catch(() => undefined);
  }
  return "success";
}
