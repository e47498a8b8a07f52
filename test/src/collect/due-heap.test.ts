import fc from "fast-check";
import { expect, test } from "vitest";
import { DueHeap } from "../../../src/collect/due-heap.ts";

test("due heap: items come out in the order of their times, none before it is due", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1000)), fc.nat(1000), (times, now) => {
      const heap = new DueHeap<number>();
      for (const time of times) heap.add(time, time);
      const taken: number[] = [];
      for (let item = heap.takeDue(now); item !== undefined; item = heap.takeDue(now)) taken.push(item);
      expect(taken).toEqual(times.filter((time) => time <= now).sort((a, b) => a - b));
      expect(heap.size).toBe(times.length - taken.length);
    }),
  );
});
