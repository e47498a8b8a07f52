import fc from "fast-check";
import { expect, test } from "vitest";
import { DueHeap } from "../../../src/collect/due-heap.ts";

test("due heap: items come out in the order of their times and of adding, none before it is due", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), fc.nat(20), (times, now) => {
      const heap = new DueHeap<{ time: number; order: number }>();
      for (const [order, time] of times.entries()) heap.add(time, { time, order });
      const taken: { time: number; order: number }[] = [];
      for (let item = heap.takeDue(now); item !== undefined; item = heap.takeDue(now)) taken.push(item);
      const due = times.map((time, order) => ({ time, order })).filter(({ time }) => time <= now);
      expect(taken).toEqual(due.sort((a, b) => a.time - b.time || a.order - b.order));
      expect(heap.size).toBe(times.length - taken.length);
    }),
  );
});
