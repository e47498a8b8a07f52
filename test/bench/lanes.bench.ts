/** What people ask while the whole fleet is read: how much longer it takes. */
import { setTimeout as sleep } from "node:timers/promises";
import { UTC } from "../../protocol/cosem/time-zone.ts";
import { PollLoop } from "../../src/collect/lanes/poll-loop.ts";
import { visitMeter } from "../../src/collect/session/meter-session.ts";
import type { Bench } from "./bench.ts";
import { cannedOrder } from "./load/canned-meter.ts";
import { Spawned } from "./load/spawned.ts";
import { at, recordSession } from "./load/transcript.ts";

const METERS = 20_000;
const PLACES = 100;
const LATENCY_MS = 200;
const ASKED_EVERY_MS = 200;
const BUDGET_MS = 600_000;
const FULL_MS = 1_000;

export const bench: Bench = {
  compares: `whole sessions that are asked for on demand, 5 a second, while nothing else runs, against the same while a bulk run of ${METERS} meters fills all places that are not reserved (${PLACES} in all), of meters that the bulk run is not reading just then; the meters are a process of their own that takes ${LATENCY_MS} ms for each answer; waiting and running time together`,
  unfair:
    "a meter has one association at a time: what is asked of one that is being read is done on that visit's, between two of its requests, and is not in the figure; the bulk uses the processor too: what it adds to the running time is in the figure, as it would be in a gateway",
  async run({ timeMs }) {
    const measureMs = timeMs < FULL_MS ? 2_000 : 30_000;
    const { target, transcript, work } = await recordSession();
    await using meters = await Spawned.start<{ port: number }>("canned-meter.ts", cannedOrder(transcript, LATENCY_MS));
    const { port } = meters.told;
    const session = () => visitMeter(at(target, port), { budgetMs: BUDGET_MS }, work);
    let polls = 0;
    const beingRead = new Set<number>();
    const loop = new PollLoop<number>({
      meters: Array.from({ length: METERS }, (_, meter) => meter),
      nameOf: String,
      zoneOf: () => UTC,
      plansOf: () => [{ profile: "block_load", everyMs: 86_400_000, deadlineMs: 86_400_000 }],
      concurrency: PLACES,
      startsPerSecond: 10_000,
      poll: async (meter) => {
        beingRead.add(meter);
        await session();
        beingRead.delete(meter);
        polls++;
        return { answered: true, more: [] };
      },
    });
    const ask = async (meter: number): Promise<number> => {
      const askedMs = performance.now();
      await loop.readNow(meter, session);
      return performance.now() - askedMs;
    };
    const isFree = (meter: number) => !beingRead.has(meter);
    await asked(ask, { isFree, forMs: 1_000 });
    const idle = await asked(ask, { isFree, forMs: measureMs });
    loop.start();
    await sleep(2 * LATENCY_MS);
    const before = polls;
    const busy = await asked(ask, { isFree, forMs: measureMs });
    const bulk = (polls - before) / (measureMs / 1000);
    await loop.stop();
    const [idleP99, busyP99] = [percentile(idle, 0.99), percentile(busy, 0.99)];
    return {
      facts: [
        `on demand, nothing else running: p50 ${Math.round(percentile(idle, 0.5))} ms, p99 ${Math.round(idleP99)} ms`,
        `on demand, the fleet being read: p50 ${Math.round(percentile(busy, 0.5))} ms, p99 ${Math.round(busyP99)} ms`,
      ],
      rows: [{ task: "bulk, beside what is asked", perSecond: bulk, unit: "sessions" }],
      ratios: { "on-demand-p99": idleP99 / busyP99 },
    };
  },
};

interface Asking {
  readonly isFree: (meter: number) => boolean;
  readonly forMs: number;
}

/** How long each took of what is asked at an even pace, of one meter after the other. */
async function asked(ask: (meter: number) => Promise<number>, { isFree, forMs }: Asking): Promise<number[]> {
  const endMs = performance.now() + forMs;
  const answers: Promise<number>[] = [];
  for (let meter = METERS - 1; performance.now() < endMs; meter--) {
    if (!isFree(meter)) continue;
    answers.push(ask(meter));
    await sleep(ASKED_EVERY_MS);
  }
  return Promise.all(answers);
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
