/** Many sessions at once in one process: what each costs in memory, and whether all get their turn. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { visitMeter } from "../../src/collect/session/meter-session.ts";
import type { Bench } from "./bench.ts";
import { bareSession } from "./load/bare-client.ts";
import { cannedOrder } from "./load/canned-meter.ts";
import { Spawned } from "./load/spawned.ts";
import { at, recordSession } from "./load/transcript.ts";

const SESSIONS = 10_000;
const QUICK_SESSIONS = 200;
const FULL_MS = 1_000;
/** Long enough that all are open at once before the first ends. */
const LATENCY_MS = 4_000;
const QUICK_LATENCY_MS = 100;
const BUDGET_MS = 600_000;
/** What a session may cost beyond its socket, in octets. */
const GOAL_OCTETS = 20_000;
const PERCENTILES = [0.5, 0.99] as const;

/** All sessions of one kind at once. */
interface Crowd {
  /** Octets that the process holds for each while all are open: heap and what lies outside it, after a collection. */
  readonly octetsEach: number;
  readonly mostOpen: number;
  readonly durationsMs: readonly number[];
  readonly wallMs: number;
}

export const bench: Bench = {
  compares:
    "10,000 sessions at once (wrapper, password, clock, registers, 48 rows of block load) with meters that take 4 s for each answer: our client against bare node:net sockets that exchange the same octets; memory is heap and buffers after a collection, while all are open",
  unfair: "the bare client holds no timers, budget, association or decoded value; kernel buffers count for neither",
  async run({ timeMs }) {
    const quick = timeMs < FULL_MS;
    const sessions = quick ? QUICK_SESSIONS : SESSIONS;
    const latencyMs = quick ? QUICK_LATENCY_MS : LATENCY_MS;
    const { target, transcript, work } = await recordSession();
    await using meters = await Spawned.start<{ port: number }>("canned-meter.ts", cannedOrder(transcript, latencyMs));
    const { port } = meters.told;
    const ours = () => visitMeter(at(target, port), { budgetMs: BUDGET_MS }, work);
    const bare = () => bareSession(port, transcript);
    for (const each of [ours, bare]) await crowd(each, QUICK_SESSIONS, latencyMs);
    const socket = await crowd(bare, sessions, latencyMs);
    const session = await crowd(ours, sessions, latencyMs);
    if (session.mostOpen < sessions) throw new Error(`only ${session.mostOpen} sessions were open at once`);
    const beyond = session.octetsEach - socket.octetsEach;
    const [p50 = Number.NaN, p99 = Number.NaN] = PERCENTILES.map((each) => percentile(session.durationsMs, each));
    const perSecond = (count: Crowd) => (sessions / count.wallMs) * 1000;
    return {
      facts: [
        `memory of a session beyond its socket: ${Math.round(beyond)} octets (goal: ${GOAL_OCTETS}; a bare socket: ${Math.round(socket.octetsEach)})`,
        `duration of a session: p50 ${Math.round(p50)} ms, p99 ${Math.round(p99)} ms`,
      ],
      rows: [
        { task: `ours, ${session.mostOpen} at once`, perSecond: perSecond(session), unit: "sessions" },
        { task: `bare, ${socket.mostOpen} at once`, perSecond: perSecond(socket), unit: "sessions" },
      ],
      ratios: {
        "memory-goal": GOAL_OCTETS / beyond,
        "fairness-p50-to-p99": p50 / p99,
        wall: socket.wallMs / session.wallMs,
      },
    };
  },
};

async function crowd(session: () => Promise<void>, count: number, latencyMs: number): Promise<Crowd> {
  let open = 0;
  let mostOpen = 0;
  const durationsMs: number[] = [];
  const before = heldOctets();
  const startedMs = performance.now();
  const all = Array.from({ length: count }, async () => {
    const begunMs = performance.now();
    open++;
    mostOpen = Math.max(mostOpen, open);
    await session();
    open--;
    durationsMs.push(performance.now() - begunMs);
  });
  // Every answer takes this long: in the middle of the second one all are associating or beyond, none has ended.
  await new Promise((resolve) => setTimeout(resolve, latencyMs * 1.5));
  const octetsEach = (heldOctets() - before) / count;
  if (open < count) throw new Error("sessions had ended before all were open: the meters answer too fast");
  await Promise.all(all);
  return { octetsEach, mostOpen, durationsMs, wallMs: performance.now() - startedMs };
}

function heldOctets(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
