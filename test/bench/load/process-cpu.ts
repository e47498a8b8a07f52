/** What processes beside ours cost, as Linux keeps account of it. */
import { readdir, readFile } from "node:fs/promises";

/** Of the clock that /proc counts with: the same on all Linux systems. */
const TICK_US = 10_000;

interface ProcessTimes {
  readonly parent: number;
  readonly ownUs: number;
  /** Of children that have ended. */
  readonly endedUs: number;
}

/** The process that started another one. */
export async function parentOf(pid: number): Promise<number> {
  return (await timesOf(pid))?.parent ?? 0;
}

/** CPU time of a process and of all that it has started, in µs. */
export async function treeCpuUs(root: number): Promise<number> {
  const pids = (await readdir("/proc")).map(Number).filter(Number.isInteger);
  const all = new Map<number, ProcessTimes>();
  for (const pid of pids) {
    const times = await timesOf(pid);
    if (times !== undefined) all.set(pid, times);
  }
  let sum = 0;
  for (const [pid, times] of all) if (isWithin(pid, root, all)) sum += times.ownUs + times.endedUs;
  return sum;
}

function isWithin(pid: number, root: number, all: ReadonlyMap<number, ProcessTimes>): boolean {
  for (let at: number | undefined = pid; at !== undefined; at = all.get(at)?.parent) if (at === root) return true;
  return false;
}

/** Undefined for a process that has ended. */
async function timesOf(pid: number): Promise<ProcessTimes | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  // The name, in parentheses, may hold blanks.
  const [, parent = 0, ...fields] = text
    .slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(9);
  return { parent, ownUs: (user + system) * TICK_US, endedUs: (endedUser + endedSystem) * TICK_US };
}
