/** Finding what is due in a fleet of a million meters: the planner against a bare heap of due times. */
import { UTC } from "../../protocol/cosem/time-zone.ts";
import { DueTimes } from "../../src/collect/plan/due-times.ts";
import { Planner } from "../../src/collect/plan/planner.ts";
import { MeterLedger } from "../../src/collect/slots/meter-ledger.ts";
import { chooseSlots } from "../../src/collect/slots/profile-slots.ts";
import { nextSlotMs } from "../../src/collect/slots/slot.ts";
import type { Bench, BenchReport } from "./bench.ts";

const METERS = 1_000_000;
const FEW_METERS = 10_000;
const START_MS = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;
const PLANS = [
  { profile: "block_load" as const, everyMs: 15 * MINUTE_MS, deadlineMs: 60 * MINUTE_MS },
  { profile: "daily_load" as const, everyMs: 1440 * MINUTE_MS, deadlineMs: 720 * MINUTE_MS },
];

export const bench: Bench = {
  compares:
    "taking what is due and finishing it, for a registry of 1,000,000 meters with two plans each, against a bare heap of as many due times that are set anew; a million jobs, which is what a fleet read every 15 minutes does in 15 minutes",
  unfair:
    "the heap knows neither plans, failures nor what is left over, and computes one due time where the planner computes those of each plan that was read; meters' names stand in for the meters that a gateway holds",
  async run({ timeMs }) {
    const quick = timeMs < 1000;
    const count = quick ? FEW_METERS : METERS;
    const names = Array.from({ length: count }, (_, index) => `meter-${index}`);
    const rows: { task: string; perSecond: number; unit: string }[] = [];
    const before = heapOctets();
    const planner = new Planner<string>({ nameOf: (meter) => meter, zoneOf: () => UTC, plansOf: () => PLANS });
    const added = timed(() => {
      for (const name of names) planner.add(name, START_MS);
    });
    rows.push({ task: `planner: meters taken on`, perSecond: count / added, unit: "meters" });
    // All are due at once, as after a start; then each in its turn.
    const first = timed(() => drainPlanner(planner, START_MS, count));
    rows.push({ task: "planner: jobs taken and finished, all due at once", perSecond: count / first, unit: "jobs" });
    const octets = (heapOctets() - before) / count;
    const turned = timed(() => runPlanner(planner, count));
    rows.push({ task: "planner: jobs taken and finished in their turn", perSecond: count / turned, unit: "jobs" });
    const bare = bareHeap(names, count);
    rows.push({ task: "bare heap: due times taken and set anew", perSecond: count / bare, unit: "jobs" });
    const small = smallFleet();
    rows.push({ task: `planner: the same in a fleet of ${FEW_METERS}`, perSecond: FEW_METERS / small, unit: "jobs" });
    rows.push({ task: "planner: octets of memory a meter", perSecond: octets, unit: "(not a rate)" });
    const ledger = timed(() => askLedgers(count));
    rows.push({ task: "ledger: open slots of a meter found", perSecond: count / ledger, unit: "meters" });
    return report(rows, {
      "planner-to-bare-heap": bare / turned,
      "planner-large-to-small-fleet": small / FEW_METERS / (turned / count),
    });
  },
};

function report(rows: BenchReport["rows"], ratios: Record<string, number>): BenchReport {
  return { rows, ratios };
}

/** Seconds. */
function timed(work: () => unknown): number {
  const beganMs = performance.now();
  work();
  return (performance.now() - beganMs) / 1000;
}

function heapOctets(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const ANSWERED = { answered: true, more: [] } as const;

function drainPlanner(planner: Planner<string>, nowMs: number, count: number): void {
  for (let done = 0; done < count; done++) {
    const job = planner.take("scheduled", nowMs);
    if (job === undefined) throw new Error("the planner lost a meter");
    planner.finish(job, ANSWERED, nowMs);
  }
}

function runPlanner(planner: Planner<string>, count: number): void {
  for (let done = 0; done < count; done++) {
    const nowMs = planner.nextMs ?? Number.NaN;
    const job = planner.take("scheduled", nowMs);
    if (job === undefined) throw new Error("the planner lost a meter");
    planner.finish(job, ANSWERED, nowMs);
  }
}

function bareHeap(names: readonly string[], count: number): number {
  const due = new DueTimes();
  const [times] = PLANS;
  if (times === undefined) throw new Error("there is no plan");
  for (const [number, name] of names.entries()) due.set(number, nextSlotMs(START_MS, times, { name, zone: UTC }));
  return timed(() => {
    for (let done = 0; done < count; done++) {
      const nowMs = due.nextMs ?? Number.NaN;
      const number = due.takeDue(nowMs) ?? 0;
      due.set(number, nextSlotMs(nowMs, times, { name: names[number] ?? "", zone: UTC }));
    }
  });
}

function smallFleet(): number {
  const planner = new Planner<string>({ nameOf: (meter) => meter, zoneOf: () => UTC, plansOf: () => PLANS });
  for (let index = 0; index < FEW_METERS; index++) planner.add(`meter-${index}`, START_MS);
  drainPlanner(planner, START_MS, FEW_METERS);
  return timed(() => runPlanner(planner, FEW_METERS));
}

/** What a meter is asked for, of a ledger that is settled up to the newest slot but one. */
function askLedgers(count: number): void {
  const memory = { profile: "block_load" as const, validFromMs: START_MS, intervalS: 900, entries: 3000 };
  const ledger = new MeterLedger({ zone: UTC }, { memories: [memory], pages: [] });
  for (let done = 1; done <= count; done++) {
    const nowMs = START_MS + done * 15 * MINUTE_MS;
    const found = ledger.of("block_load");
    if (found === undefined || chooseSlots(found, { nowMs, order: "oldest-first" }).open !== 1) {
      throw new Error("the ledger lost a slot");
    }
    ledger.settle("block_load", 900, [nowMs]);
  }
}
