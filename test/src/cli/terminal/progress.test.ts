import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Progress } from "../../../../src/cli/terminal/progress.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("progress: after a second with rate and time left, wiped for what is told and at the end", () => {
  const lines: string[] = [];
  const output = { status: (line: string) => lines.push(line) };
  const progress = new Progress(output, 40, "meters");
  progress.at(1);
  progress.wipe();
  expect(lines).toEqual([]);
  vi.advanceTimersByTime(2000);
  progress.at(10);
  progress.at(11);
  expect(lines).toEqual(["██████░░░░░░░░░░░░░░░░░░  10/40 meters  5.0/s  6.0 s left"]);
  progress[Symbol.dispose]();
  expect(lines.at(-1)).toBe("");
});

test("progress: nowhere but on a terminal", () => {
  using progress = new Progress({}, 40, "meters");
  vi.advanceTimersByTime(2000);
  expect(() => progress.at(10)).not.toThrow();
});
