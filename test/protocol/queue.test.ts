import fc from "fast-check";
import { expect, test } from "vitest";
import { Queue } from "../../protocol/queue.ts";

interface Numbered {
  readonly number: number;
}

const ORDERS = {
  push: (queue: Queue<Numbered>, model: Numbered[], number: number) => {
    queue.push({ number });
    model.push({ number });
  },
  take: (queue: Queue<Numbered>, model: Numbered[]) => expect(queue.take()).toEqual(model.shift()),
  clear: (queue: Queue<Numbered>, model: Numbered[]) => {
    queue.clear();
    model.length = 0;
  },
};

test("queue: what goes in comes out in its order, each once", () => {
  const orders = fc.array(fc.constantFrom("push", "push", "take", "clear"), { maxLength: 60 });
  const same = fc.property(orders, (names) => {
    const [queue, model] = [new Queue<Numbered>(), [] as Numbered[]];
    for (const [number, name] of names.entries()) ORDERS[name](queue, model, number);
    for (const left of [...model, undefined]) expect(queue.take()).toEqual(left);
  });
  expect(fc.defaultReportMessage(fc.check(same))).toBeUndefined();
});
