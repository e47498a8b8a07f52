import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { WorkerWatch } from "../../../src/systemd/worker-watch.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const LOOK_MS = 10_000;

function watched() {
  const notified: string[] = [];
  const silent: [worker: number, forMs: number][] = [];
  const watch = new WorkerWatch({
    count: 2,
    watchdogMs: 3 * LOOK_MS,
    notify: (text) => notified.push(text),
    onSilent: (...told) => silent.push(told),
  });
  return { watch, notified, silent };
}

test("worker watch: ready once all are, and each says how it is", () => {
  const { watch, notified } = watched();
  using _ = watch;
  watch.hear(2, "READY=1\nWATCHDOG=1\nSTATUS=b");
  watch.hear(2, "READY=1");
  expect(notified).toEqual(["STATUS=worker 1: starts | worker 2: b"]);
  watch.hear(1, "READY=1\nWATCHDOG=1\nSTATUS=a");
  expect(notified.slice(1)).toEqual(["READY=1", "STATUS=worker 1: a | worker 2: b"]);
  watch.ended(2, "SIGSEGV");
  expect(notified.at(-1)).toBe("STATUS=worker 1: a | worker 2: has ended: SIGSEGV");
  watch.hear(2, "READY=1");
  expect(notified.filter((text) => text === "READY=1")).toHaveLength(1);
});

test("worker watch: one that gives no sign of life has to be ended, and until it has the service gives none", () => {
  const { watch, notified, silent } = watched();
  using _ = watch;
  for (const worker of [1, 2]) watch.hear(worker, "READY=1");
  const signsIn = (looks: number) => {
    notified.length = 0;
    for (let look = 0; look < looks; look++) {
      watch.hear(1, "WATCHDOG=1");
      // A part of it stands still: it tells how it is, and gives no sign.
      watch.hear(2, "STATUS=rows stalled");
      vi.advanceTimersByTime(LOOK_MS);
    }
    return notified.filter((text) => text === "WATCHDOG=1").length;
  };
  expect([signsIn(3), silent]).toEqual([3, []]);
  expect([signsIn(2), silent]).toEqual([
    0,
    [
      [2, 4 * LOOK_MS],
      [2, 5 * LOOK_MS],
    ],
  ]);
  watch.ended(2, "SIGKILL");
  expect(signsIn(5)).toBe(5);
  watch.hear(2, "READY=1");
  expect([signsIn(3), silent.length]).toEqual([3, 2]);
});

test("worker watch: a start may take what it takes", () => {
  const { watch, notified, silent } = watched();
  using _ = watch;
  watch.hear(1, "WATCHDOG=1\nSTATUS=waits for the database");
  vi.advanceTimersByTime(10 * LOOK_MS);
  expect([notified.filter((text) => text === "WATCHDOG=1").length, silent]).toEqual([10, []]);
});
