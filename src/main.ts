/** The daemon: read the configuration, wire, run until a signal says stop, drain. */
import { pino } from "pino";
import type { ExitReason } from "./cli/exit-code.ts";
import { VERSION } from "./cli/version.ts";
import { ConfigError } from "./config/config-error.ts";
import { loadConfig } from "./config/load.ts";
import type { Config } from "./config/schema.ts";
import { Gateway, type GatewayOptions } from "./gateway/gateway.ts";
import { logSink } from "./observe/events.ts";
import { runWorkers, workerConfig } from "./workers.ts";

export interface DaemonOptions {
  /** Processes among which the meters are shared. */
  readonly workers?: number;
  /** Which of them this process is, from 1; it starts them all when left out. */
  readonly worker?: number;
}

/** Runs the daemon of a configuration file until SIGTERM or SIGINT. */
export async function runDaemon(configFile: string, { workers = 1, worker }: DaemonOptions = {}): Promise<ExitReason> {
  try {
    const config = withSystemdDirectories(await loadConfig(configFile));
    if (worker !== undefined) await run(workerConfig(config, worker, workers), stopOrDisconnect());
    else if (workers > 1) await runWorkers({ config, configFile, count: workers, stop: stopSignal() });
    else await run(config, stopSignal());
    return "success";
  } catch (error) {
    // Secrets are fetched at the start: a reference that leads nowhere is a fault of the configuration too.
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return "configuration";
  } finally {
    // The channel to the process that started this worker keeps it alive.
    if (process.connected) process.disconnect();
  }
}

/** `stop` is listened for already: one that comes during the start must not leave the database's server behind. */
async function run(config: Config, stop: Promise<string>): Promise<void> {
  const log = pino({ level: config.log.level });
  const stopping = new AbortController();
  void stop.then((signal) => stopping.abort(signal));
  while (!stopping.signal.aborted) {
    try {
      await runOnce({ config, events: logSink(log), version: VERSION, stopping: stopping.signal }, stop);
    } catch (error) {
      // A start that waits for the database ends by the order to stop.
      if (!stopping.signal.aborted || !(error instanceof Error) || error.name !== "AbortError") throw error;
    }
  }
}

/** Until the order to stop, or until a gateway that began without the database has to start anew. */
async function runOnce(options: GatewayOptions, stop: Promise<string>): Promise<void> {
  const gateway = await Gateway.start(options);
  gateway.run();
  await gateway.stop(await Promise.race([stop, gateway.restartWanted]));
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

/** systemd says where state belongs; it wins over the configuration. */
function withSystemdDirectories(config: Config): Config {
  const stateDirectory = process.env["STATE_DIRECTORY"];
  return stateDirectory === undefined ? config : { ...config, stateDirectory };
}
