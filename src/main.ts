/** The daemon: read the configuration, wire, run until a signal says stop, drain. */
import { join } from "node:path";
import { pino } from "pino";
import { hostPort } from "../drivers/tcp/address.ts";
import type { ExitReason } from "./cli/terminal/exit-code.ts";
import { VERSION } from "./cli/version.ts";
import type { LivePart } from "./config/live-parts.ts";
import { loadConfig } from "./config/load.ts";
import type { Config } from "./config/schema.ts";
import { Gateway } from "./gateway/gateway.ts";
import { reload } from "./gateway/reload.ts";
import { EventCounts } from "./observe/event-counts.ts";
import { type EventSink, logSink, tellAll } from "./observe/events.ts";
import type { WorkerPlace } from "./observe/metrics.ts";
import { startTracing } from "./observe/tracing.ts";
import type { PassedSockets } from "./systemd/passed-sockets.ts";
import { reloading, type ServiceManager, serviceManager } from "./systemd/service-manager.ts";
import { ServiceWatch } from "./systemd/service-watch.ts";
import { runWorkers, workerConfig, workerPlace } from "./workers.ts";

export interface DaemonOptions {
  /** Processes among which the meters are shared. */
  readonly workers?: number;
  /** Which of them this process is, from 1; it starts them all when left out. */
  readonly worker?: number;
}

/** Runs the daemon of a configuration file until SIGTERM or SIGINT. */
export async function runDaemon(configFile: string, { workers = 1, worker }: DaemonOptions = {}): Promise<ExitReason> {
  process.title = "dlms-gateway";
  try {
    const load = async () => withSystemdDirectories(await loadConfig(configFile));
    const config = await load();
    const manager = await serviceManager(process.env, worker !== undefined);
    if (worker !== undefined) {
      const loadPart = async () => workerConfig(await load(), worker, workers);
      const place = workerPlace(config, worker, workers);
      await run({ load: loadPart, manager, stop: stopOrDisconnect(), place });
    } else if (workers > 1) {
      const events = logSink(pino({ level: config.log.level }));
      return await runWorkers({ config, configFile, count: workers, stop: stopSignal(), manager, events });
    } else await run({ load, manager, stop: stopSignal() });
    return "success";
  } finally {
    // The channel to the process that started this worker keeps it alive.
    if (process.connected) process.disconnect();
  }
}

interface RunOptions {
  readonly load: () => Promise<Config>;
  readonly manager: ServiceManager;
  /** Listened for already: one that comes during the start must not leave the database's server behind. */
  readonly stop: Promise<string>;
  readonly place?: WorkerPlace;
}

async function run({ load, manager, stop, place }: RunOptions): Promise<void> {
  const { notify, watchdogMs, sockets } = manager;
  const config = await load();
  await using stack = new AsyncDisposableStack();
  if (config.tracing !== undefined) stack.use(await startTracing({ ...config.tracing, version: VERSION }));
  const counts = new EventCounts();
  let running: Gateway | undefined;
  let started = Promise.withResolvers<Gateway>();
  const log = pino({ level: config.log.level });
  const logged = logSink(log);
  using watch = new ServiceWatch({ notify, watchdogMs, vitals: () => running?.vitals(), counts, events: logged });
  const events = tellAll(logged, counts.sink, watch.sink);
  const stopping = new AbortController();
  void stop.then((signal) => stopping.abort(signal));
  using _ = onSignal("SIGHUP", async () => {
    const gateway = await started.promise;
    const take = async (part: LivePart) => {
      if (part === "log") log.level = config.log.level;
      else await gateway.configure(part);
    };
    notify(reloading());
    await reload(config, { load, take, events });
    watch.ready();
  });
  const options = { events, version: VERSION, stopping: stopping.signal, boundSocket: sockets?.take, place };
  while (!stopping.signal.aborted) {
    try {
      running = await Gateway.start({ ...options, config });
      tellUntaken(sockets, events);
      running.run();
      watch.ready();
      started.resolve(running);
      const reason = await Promise.race([stop, running.restartWanted]);
      if (stopping.signal.aborted) notify("STOPPING=1");
      await running.stop(reason);
      running = undefined;
      started = Promise.withResolvers();
    } catch (error) {
      // A start that waits for the database ends by the order to stop.
      if (!stopping.signal.aborted || !(error instanceof Error) || error.name !== "AbortError") throw error;
    }
  }
}

/** Calls each time that the signal comes, one call after the other, until it is disposed of. */
function onSignal(signal: NodeJS.Signals, work: () => Promise<void>): Disposable {
  let last = Promise.resolve();
  const listener = () => {
    last = last.then(work);
  };
  process.on(signal, listener);
  return { [Symbol.dispose]: () => void process.off(signal, listener) };
}

function tellUntaken(sockets: PassedSockets | undefined, events: EventSink): void {
  for (const { transport, ...address } of sockets?.untaken() ?? []) {
    events({ event: "socketUntaken", address: hostPort(address), transport });
  }
}

/** A worker ends with the process that started it, however that ended. */
function stopOrDisconnect(): Promise<string> {
  const gone = new Promise<string>((resolve) => process.once("disconnect", () => resolve("disconnect")));
  return Promise.race([stopSignal(), gone]);
}

/** Resolves with the name of the signal that asks the process to stop; a second one of its kind ends it at once. */
export function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve(signal));
  });
}

/** systemd says where state and the socket belong; it wins over the configuration. */
function withSystemdDirectories(config: Config): Config {
  const { STATE_DIRECTORY: stateDirectory = config.stateDirectory, RUNTIME_DIRECTORY: runtime } = process.env;
  return { ...config, stateDirectory, socket: runtime === undefined ? config.socket : join(runtime, "control.sock") };
}
