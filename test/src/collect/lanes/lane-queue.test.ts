import PQueue from "p-queue";
import { expect, test } from "vitest";
import { type Lane, LaneQueue, lanePriority } from "../../../../src/collect/lanes/lane-queue.ts";

test("lanes: a later on-demand job goes before waiting scheduled ones, each lane in its order", async () => {
  const queue = new PQueue({ concurrency: 1, queueClass: LaneQueue, autoStart: false });
  const done: string[] = [];
  const add = (lane: Lane, name: string) =>
    queue.add(async () => void done.push(name), { priority: lanePriority(lane) });
  const jobs = [
    add("backfill", "b1"),
    add("scheduled", "s1"),
    add("scheduled", "s2"),
    add("on_demand", "o1"),
    add("control", "c1"),
    add("on_demand", "o2"),
  ];
  queue.start();
  await Promise.all(jobs);
  expect(done).toEqual(["c1", "o1", "o2", "s1", "s2", "b1"]);
});
