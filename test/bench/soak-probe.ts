/** Loaded into a daemon by `--import`: writes each second how its event loop, its memory and its handles are. */
import { appendFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { queryObjects } from "node:v8";

export interface ProbeSample {
  readonly atMs: number;
  /** Of the last second. */
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
  readonly residentMb: number;
  readonly heapMb: number;
  /** Of that what is still needed; known once a minute, when all garbage has just been collected. */
  readonly livingMb?: number;
  /** Sockets, files, timers and whatever else keeps the loop busy. */
  readonly handles: number;
}

/** Names the file that is written to. */
export const PROBE_FILE = "DLMS_GATEWAY_SOAK_PROBE";
const SECOND_MS = 1000;
const RESOLUTION_MS = 10;
const SAMPLES_A_MINUTE = 60;
const MEGABYTE = 1e6;

const file = process.env[PROBE_FILE];
if (file !== undefined && process.argv.includes("run")) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  let samples = 0;
  setInterval(() => {
    const { rss, heapUsed } = process.memoryUsage();
    samples += 1;
    const sample: ProbeSample = {
      atMs: Date.now(),
      delayP99Ms: delayMs(delay.percentile(99)),
      delayMaxMs: delayMs(delay.max),
      residentMb: rss / MEGABYTE,
      heapMb: heapUsed / MEGABYTE,
      handles: process.getActiveResourcesInfo().length,
      ...(samples % SAMPLES_A_MINUTE === 0 && { livingMb: living() / MEGABYTE }),
    };
    delay.reset();
    appendFileSync(file, `${JSON.stringify(sample)}\n`);
  }, SECOND_MS).unref();
}

/** To count objects, V8 collects all garbage first. */
function living(): number {
  queryObjects(URL, { format: "count" });
  return process.memoryUsage().heapUsed;
}

/** The monitor measures from one of its timers to the next. */
function delayMs(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
}
