/** systemd as the one who started this process: what it is told of our state, and what it holds for us (sd_notify(3)). */
import { Libc } from "./libc.ts";
import { PassedSockets, passedCount } from "./passed-sockets.ts";

export interface ServiceManager {
  /** Lines of sd_notify(3), as READY=1; goes nowhere when nobody listens. */
  readonly notify: (state: string) => void;
  /** Within this time a sign of life is wanted; undefined when nobody waits for one. */
  readonly watchdogMs: number | undefined;
  readonly sockets: PassedSockets | undefined;
}

/** The state of a service that reads its configuration again; READY=1 ends it. */
export function reloading(): string {
  return `RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`;
}

/** What the environment says of it; a worker has what the process has that started it. */
export async function serviceManager(env: NodeJS.ProcessEnv, isWorker: boolean): Promise<ServiceManager> {
  const path = isWorker ? undefined : env["NOTIFY_SOCKET"];
  const passed = passedCount(env, isWorker ? process.ppid : process.pid);
  const libc = path !== undefined || passed > 0 ? await Libc.load() : undefined;
  return {
    notify: isWorker ? tellParent : path === undefined || libc === undefined ? () => undefined : libc.datagramsTo(path),
    watchdogMs: watchdogMs(env, isWorker),
    sockets: libc === undefined || passed === 0 ? undefined : new PassedSockets(libc, passed),
  };
}

/** The process that started the workers speaks for all of them. */
function tellParent(state: string): void {
  if (process.connected) process.send?.(state);
}

function watchdogMs(env: NodeJS.ProcessEnv, isWorker: boolean): number | undefined {
  const pid = env["WATCHDOG_PID"];
  const isMine = pid === undefined || Number(pid) === (isWorker ? process.ppid : process.pid);
  const micros = Number(env["WATCHDOG_USEC"] ?? 0);
  return isMine && micros > 0 ? micros / 1000 : undefined;
}
