/** Whole sessions: connect, associate, read clock, registers and a day of block load, release, close. */
import { setTimeout as sleep } from "node:timers/promises";
import { visitMeter } from "../../src/collect/session/meter-session.ts";
import { SerialLines } from "../../src/collect/session/serial-lines.ts";
import type { Bench, BenchRow } from "./bench.ts";
import { bareSession } from "./load/bare-client.ts";
import { cannedOrder } from "./load/canned-meter.ts";
import { Spawned } from "./load/spawned.ts";
import { at, recordSession } from "./load/transcript.ts";

/** As many as a gateway talks to at the same time when its configuration says nothing else. */
const AT_ONCE = 200;
/** So that the bare client does not wait for them: processes that never sleep need no waking, which costs whoever writes. */
const METER_PROCESSES = 2;
const SESSIONS_A_ROUND = 1_000;
const QUICK_SESSIONS_A_ROUND = 200;
/** Before the measurement: after some 16,000 sessions the engine compiles next to nothing any more, for either. */
const WARM_ROUNDS = 20;
const QUICK_MS = 500;
/** The same for both, and less than either can do. */
const PACED_A_SECOND = 300;
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
    "sessions of one process over wrapper with a password, 200 at once, the gateway's default, with a meter that sends a kilobyte at a time (clock, two registers, 48 rows of block load): our client against bare node:net that sends the same octets and counts what comes; the meters are processes of their own that play a transcript; CPU is this process's, user and system; rounds take turns after 20,000 sessions of each, when the engine has compiled what it will compile, as in a process that has run for a minute; then the same at a pace of 300 sessions a second for both, where each write of either wakes a meter",
  unfair:
    "the bare client decodes and checks nothing and has no timer; the kernel's work for loopback sockets is in both and counts as CPU of the process",
  async run({ timeMs }) {
    const { target, transcript, work } = await recordSession();
    await using stack = new AsyncDisposableStack();
    const order = cannedOrder(transcript, 0);
    const ports: number[] = [];
    for (let processes = 0; processes < METER_PROCESSES; processes++) {
      ports.push(stack.use(await Spawned.start<{ port: number }>("canned-meter.ts", order)).told.port);
    }
    let turn = 0;
    const nextPort = () => ports[turn++ % ports.length] ?? 0;
    const lines = stack.use(new SerialLines());
    const ours = way(() => visitMeter(at(target, nextPort()), { budgetMs: BUDGET_MS, lines }, work));
    const bare = way(() => bareSession(nextPort(), transcript));
    const isQuick = timeMs < QUICK_MS;
    const sessions = isQuick ? QUICK_SESSIONS_A_ROUND : SESSIONS_A_ROUND;
    for (const each of [ours, bare]) {
      const warm = { ...each, cpuUs: [], perSecond: [] };
      for (let rounds = 0; rounds < (isQuick ? 1 : WARM_ROUNDS); rounds++) await round(warm, sessions);
    }
    const until = performance.now() + timeMs * 5;
    for (let rounds = 0; rounds < LEAST_ROUNDS || performance.now() < until; rounds++) {
      await round(bare, sessions);
      await round(ours, sessions);
    }
    const [oursPaced, barePaced] = [way(ours.session), way(bare.session)];
    const pacedSessions = isQuick ? PACED_A_SECOND / 10 : PACED_A_SECOND;
    for (let rounds = 0; rounds < LEAST_ROUNDS || performance.now() < until + timeMs * 3; rounds++) {
      await pacedRound(barePaced, pacedSessions);
      await pacedRound(oursPaced, pacedSessions);
    }
    return {
      rows: [
        row("ours, wall clock", median(ours.perSecond)),
        row("bare, wall clock", median(bare.perSecond)),
        row("ours, a second of CPU", MICROSECONDS / median(ours.cpuUs)),
        row("bare, a second of CPU", MICROSECONDS / median(bare.cpuUs)),
        row("ours, a second of CPU, paced", MICROSECONDS / median(oursPaced.cpuUs)),
        row("bare, a second of CPU, paced", MICROSECONDS / median(barePaced.cpuUs)),
      ],
      ratios: {
        "sessions-cpu": median(bare.cpuUs) / median(ours.cpuUs),
        "sessions-cpu-paced": median(barePaced.cpuUs) / median(oursPaced.cpuUs),
      },
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

/** Begins a session whenever one is due, however many are under way. */
async function pacedRound({ session, cpuUs }: Way, sessions: number): Promise<void> {
  const startedMs = performance.now();
  const before = process.cpuUsage();
  const begun: Promise<void>[] = [];
  while (begun.length < sessions) {
    const due = ((performance.now() - startedMs) / 1000) * PACED_A_SECOND;
    while (begun.length < Math.min(due, sessions)) begun.push(session());
    await sleep(1);
  }
  await Promise.all(begun);
  const { user, system } = process.cpuUsage(before);
  cpuUs.push((user + system) / sessions);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
