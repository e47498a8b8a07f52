/** Whole sessions: connect, associate, read clock, registers and a day of block load, release, close. */
import { visitMeter } from "../../src/collect/meter-session.ts";
import type { Bench, BenchRow } from "./bench.ts";
import { bareSession } from "./load/bare-client.ts";
import { cannedOrder } from "./load/canned-meter.ts";
import { Spawned } from "./load/spawned.ts";
import { at, recordSession, sessionWork } from "./load/transcript.ts";

const AT_ONCE = 32;
const SESSIONS_A_ROUND = 400;
const LEAST_ROUNDS = 3;
const BUDGET_MS = 60_000;
const MICROSECONDS = 1_000_000;

interface Way {
  readonly session: () => Promise<void>;
  readonly cpuUs: number[];
  readonly perSecond: number[];
}

export const bench: Bench = {
  compares:
    "sessions of one process over wrapper with a password, 32 at once (clock, two registers, 48 rows of block load): our client against bare node:net that sends the same octets and counts what comes; the meters are a process of their own that plays a transcript; CPU is this process's, user and system; rounds take turns",
  unfair:
    "the bare client decodes and checks nothing and has no timer; the kernel's work for loopback sockets is in both and counts as CPU of the process",
  async run({ timeMs }) {
    const { target, transcript } = await recordSession();
    await using meters = await Spawned.start<{ port: number }>("canned-meter.ts", cannedOrder(transcript, 0));
    const { port } = meters.told;
    const ours = way(() => visitMeter(at(target, port), { budgetMs: BUDGET_MS }, sessionWork));
    const bare = way(() => bareSession(port, transcript));
    for (const each of [ours, bare]) await round({ ...each, cpuUs: [], perSecond: [] }, SESSIONS_A_ROUND);
    const until = performance.now() + timeMs * 5;
    for (let rounds = 0; rounds < LEAST_ROUNDS || performance.now() < until; rounds++) {
      await round(bare, SESSIONS_A_ROUND);
      await round(ours, SESSIONS_A_ROUND);
    }
    return {
      rows: [
        row("ours, wall clock", median(ours.perSecond)),
        row("bare, wall clock", median(bare.perSecond)),
        row("ours, a second of CPU", MICROSECONDS / median(ours.cpuUs)),
        row("bare, a second of CPU", MICROSECONDS / median(bare.cpuUs)),
      ],
      ratios: { "sessions-cpu": median(bare.cpuUs) / median(ours.cpuUs) },
    };
  },
};

function row(task: string, perSecond: number): BenchRow {
  return { task, perSecond, unit: "sessions" };
}

function way(session: () => Promise<void>): Way {
  return { session, cpuUs: [], perSecond: [] };
}

async function round({ session, cpuUs, perSecond }: Way, sessions: number): Promise<void> {
  const startedMs = performance.now();
  const before = process.cpuUsage();
  let left = sessions;
  const worker = async () => {
    while (left-- > 0) await session();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const { user, system } = process.cpuUsage(before);
  cpuUs.push((user + system) / sessions);
  perSecond.push((sessions / (performance.now() - startedMs)) * 1000);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
