import { setTimeout as sleep } from "node:timers/promises";
import { queryObjects } from "node:v8";
import { expect, test } from "vitest";
import type { ProfileBatch } from "../../../../src/profiles/batch.ts";
import { BatchQueue } from "../../../../src/store/intake/batch-queue.ts";
import type { QueueSpool } from "../../../../src/store/intake/queue-spool.ts";
import type { WriteOutcome } from "../../../../src/store/profiles/profile-writer.ts";
import { JumpingClock } from "../../collect/jumping-clock.ts";

function batch(meterKey: number, rowCount: number): ProfileBatch {
  return {
    meterKey,
    profile: "block_load",
    source: "poll",
    layoutFingerprint: "x",
    readAt: new Date(0),
    rowCount,
    instantsMs: Array.from({ length: rowCount }, (_, index) => index),
    timeRules: Array.from({ length: rowCount }, () => "zone" as const),
    meterTimes: undefined,
    intervalS: 900,
    columns: [],
    others: [],
  };
}

function outcomeOf(batches: readonly ProfileBatch[]): WriteOutcome {
  const rows = batches.reduce((sum, each) => sum + each.rowCount, 0);
  return { rows, inserted: rows, held: 0, completed: 0, revised: 0, setAside: [] };
}

function failure(code: string): Error {
  return Object.assign(new Error(`failure ${code}`), { code });
}

const NO_SPOOL: QueueSpool<ProfileBatch> = {
  engaged: false,
  holding: false,
  patienceMs: 60_000,
  engage: () => undefined,
  append: async () => undefined,
  room: async () => undefined,
};

/** Notes the meters of each group and writes at once. */
function recorder(): { groups: number[][]; write: (batches: readonly ProfileBatch[]) => Promise<WriteOutcome> } {
  const groups: number[][] = [];
  return {
    groups,
    write: async (batches) => {
      groups.push(batches.map((each) => each.meterKey));
      return outcomeOf(batches);
    },
  };
}

test("batch queue: a group is written when it is full, the rest when it has waited", async () => {
  const { groups, write } = recorder();
  const queue = new BatchQueue({ write, writers: 1, groupRows: 10, groupDelayMs: 30 });
  const put = await Promise.all([queue.put(batch(1, 6)), queue.put(batch(2, 6)), queue.put(batch(3, 1))]);
  await put[0].written;
  expect(groups).toEqual([[1, 2]]);
  await put[2].written;
  expect(groups).toEqual([[1, 2], [3]]);
  await queue.stop(1000);
  expect(queue.rows).toBe(0);
});

test("batch queue: whoever brings more than it may keep waits until there is room", async () => {
  const gate = Promise.withResolvers<void>();
  const queue = new BatchQueue({
    write: async (batches) => {
      await gate.promise;
      return outcomeOf(batches);
    },
    writers: 1,
    groupRows: 1,
    keptRows: 10,
  });
  await queue.put(batch(1, 8));
  let taken = false;
  const second = queue.put(batch(2, 8)).then((put) => {
    taken = true;
    return put.written;
  });
  await sleep(20);
  expect([taken, queue.rows]).toEqual([false, 8]);
  gate.resolve();
  await second;
  await queue.stop(1000);
  expect([taken, queue.rows]).toEqual([true, 0]);
});

test("batch queue: a batch larger than all that may be kept still goes through", async () => {
  const { groups, write } = recorder();
  const queue = new BatchQueue({ write, writers: 2, keptRows: 10 });
  await queue.put(batch(1, 5));
  const large = await queue.put(batch(2, 500));
  await large.written;
  expect(groups.flat()).toEqual([1, 2]);
});

test("batch queue: no more groups at once than there are writers", async () => {
  let [now, most] = [0, 0];
  const queue = new BatchQueue({
    write: async (batches) => {
      most = Math.max(most, ++now);
      await sleep(5);
      now -= 1;
      return outcomeOf(batches);
    },
    writers: 3,
    groupRows: 1,
  });
  for (let meter = 0; meter < 20; meter++) await queue.put(batch(meter, 1));
  await queue.stop(1000);
  expect(most).toBe(3);
});

test("batch queue: what fails for now is tried again until it is written, and said", async () => {
  let failures = 2;
  const retries: string[] = [];
  const repeats: boolean[] = [];
  const queue = new BatchQueue({
    write: async (batches, { isRepeat }) => {
      repeats.push(isRepeat);
      if (failures-- > 0) throw failure("57P03");
      return outcomeOf(batches);
    },
    writers: 1,
    groupDelayMs: 0,
    onRetry: (error) => retries.push(String("code" in error && error.code)),
  });
  const { written } = await queue.put(batch(1, 1));
  await written;
  expect(retries).toEqual(["DATABASE_UNREACHABLE", "DATABASE_UNREACHABLE"]);
  expect(repeats).toEqual([false, true, true]);
});

test("batch queue: a batch that can never be written does not take its neighbours with it", async () => {
  const done: number[] = [];
  const queue = new BatchQueue({
    write: async (batches) => {
      if (batches.some((each) => each.meterKey === 2)) throw failure("42804");
      done.push(...batches.map((each) => each.meterKey));
      return outcomeOf(batches);
    },
    writers: 1,
    groupDelayMs: 5,
  });
  const put = await Promise.all([1, 2, 3].map((meter) => queue.put(batch(meter, 1))));
  const results = await Promise.allSettled(put.map((each) => each.written));
  expect(results.map((result) => result.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(done).toEqual([1, 3]);
});

test("batch queue: stopping writes what is kept and refuses more", async () => {
  const { groups, write } = recorder();
  const queue = new BatchQueue({ write, writers: 1, groupDelayMs: 60_000 });
  const { written } = await queue.put(batch(1, 1));
  await queue.stop(1000);
  await written;
  expect(groups).toEqual([[1]]);
  await expect(queue.put(batch(2, 1))).rejects.toMatchObject({ code: "QUEUE_STOPPED" });
});

test("batch queue: stopping gives up what the database does not take in time, and says so", async () => {
  const queue = new BatchQueue({
    write: () => Promise.reject(failure("ECONNREFUSED")),
    writers: 1,
    groupDelayMs: 0,
  });
  const { written } = await queue.put(batch(1, 1));
  await queue.stop(30);
  await expect(written).rejects.toMatchObject({ code: "DATABASE_UNREACHABLE" });
});

test("batch queue: whoever waits for room when it stops is refused", async () => {
  const gate = Promise.withResolvers<void>();
  const write = async (batches: readonly ProfileBatch[]) => {
    await gate.promise;
    return outcomeOf(batches);
  };
  const queue = new BatchQueue({ write, writers: 1, groupRows: 1, keptRows: 1 });
  await queue.put(batch(1, 1));
  const waiting = queue.put(batch(2, 1));
  const stopped = queue.stop(1000);
  await expect(waiting).rejects.toMatchObject({ code: "QUEUE_STOPPED" });
  gate.resolve();
  await stopped;
});

test("batch queue: time in which the process stood still is no patience with the database", async () => {
  const clock = new JumpingClock(0);
  const engaged: string[] = [];
  const spool: QueueSpool<ProfileBatch> = { ...NO_SPOOL, patienceMs: 3000, engage: (reason) => engaged.push(reason) };
  const gate = Promise.withResolvers<void>();
  const write = () => gate.promise.then(() => outcomeOf([]));
  const queue = new BatchQueue({ write, writers: 1, groupRows: 1, spool, clock });
  await queue.put(batch(1, 1));
  clock.nowMs += 60_000;
  clock.advance(2999);
  expect(engaged).toEqual([]);
  clock.advance(1);
  expect(engaged).toEqual(["nothing was written for 3000 ms"]);
  gate.resolve();
  await queue.stop(1000);
});

test("batch queue: nothing is kept of what has been written", async () => {
  const { write } = recorder();
  const queue = new BatchQueue({ write, writers: 1, groupRows: 1, spool: NO_SPOOL });
  const before = queryObjects(Promise, { format: "count" });
  for (let meterKey = 0; meterKey < 1000; meterKey++) await (await queue.put(batch(meterKey, 1))).written;
  expect(queryObjects(Promise, { format: "count" }) - before).toBeLessThan(100);
  await queue.stop(1000);
});
