/** Loaded into a daemon by `--import`, with `--expose-gc`: writes each second how its event loop, its memory and its handles are. */
import { appendFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";

export interface ProbeSample {
  readonly atMs: number;
  /** Of the last second. */
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
  readonly residentMb: number;
  readonly heapMb: number;
  /** Of that what is still needed; known once a minute, when the minute's polls are over and all garbage was collected. */
  readonly livingMb?: number;
  /** Sockets, files, timers and whatever else keeps the loop busy. */
  readonly handles: number;
}

/** Names the file that is written to. */
export const PROBE_FILE = "DLMS_GATEWAY_SOAK_PROBE";
const SECOND_MS = 1000;
const RESOLUTION_MS = 10;
const MINUTE_MS = 60_000;
/** Into each minute: the plans' polls are over long before. */
const QUIET_MS = 45_000;
const MEGABYTE = 1e6;

const file = process.env[PROBE_FILE];
if (file !== undefined && process.argv.includes("run")) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  let quietMinute = Infinity;
  setInterval(() => {
    const { rss, heapUsed } = process.memoryUsage();
    const atMs = Date.now();
    const minute = Math.floor((atMs - QUIET_MS) / MINUTE_MS);
    const isQuiet = minute > quietMinute;
    quietMinute = minute;
    const sample: ProbeSample = {
      atMs,
      delayP99Ms: delayMs(delay.percentile(99)),
      delayMaxMs: delayMs(delay.max),
      residentMb: rss / MEGABYTE,
      heapMb: heapUsed / MEGABYTE,
      handles: process.getActiveResourcesInfo().length,
      ...(isQuiet && { livingMb: living() / MEGABYTE }),
    };
    delay.reset();
    appendFileSync(file, `${JSON.stringify(sample)}\n`);
  }, SECOND_MS).unref();
}

function living(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

/** The monitor measures from one of its timers to the next. */
function delayMs(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
}
