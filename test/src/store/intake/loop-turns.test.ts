import { expect, test } from "vitest";
import { inTurns } from "../../../../src/store/intake/loop-turns.ts";

test("loop turns: all come in order, and others have their turns in between", async () => {
  const all = Array.from({ length: 1000 }, (_, index) => index);
  const seen: number[] = [];
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  for await (const some of inTurns(all)) {
    seen.push(...some);
    const endMs = performance.now() + 2;
    while (performance.now() < endMs);
  }
  isOver = true;
  expect(seen).toEqual(all);
  expect(turns).toBeGreaterThan(10);
});

test("loop turns: of nothing nothing comes", async () => {
  for await (const some of inTurns([])) expect(some).toBe("nothing");
});
