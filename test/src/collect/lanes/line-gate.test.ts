import { expect, test } from "vitest";
import { LineGate } from "../../../../src/collect/lanes/line-gate.ts";

test("line gate: whoever hears that a job has ended finds the gate idle", async () => {
  const gate = new LineGate<string>();
  const idle = await gate.pass("scheduled", "meter", async () => "done").finally(() => expect(gate.idle).toBe(true));
  expect(idle).toBe("done");
  await expect(gate.pass("scheduled", "meter", () => Promise.reject(new Error("failed")))).rejects.toThrow("failed");
  expect(gate.idle).toBe(true);
});

test("line gate: however much is asked in the lanes before it, each lane has its turns", async () => {
  const gate = new LineGate<string>();
  const done: string[] = [];
  const jobs = (["backfill", "scheduled", "on_demand", "control"] as const).flatMap((lane) =>
    Array.from({ length: lane === "control" ? 2 : 12 }, (_, meter) =>
      gate.pass(lane, `meter ${meter}`, async () => void done.push(lane)),
    ),
  );
  await Promise.all(jobs);
  // What was there first has begun before anything else was asked.
  const [first, ...turns] = done;
  expect([first, ...turns.slice(0, 2)]).toEqual(["backfill", "control", "control"]);
  const inTurn = ["on_demand", "scheduled", "backfill", "on_demand"];
  expect(turns.slice(2, 14)).toEqual([...inTurn, ...inTurn, ...inTurn]);
});

test("line gate: what its width becomes holds for those that wait", async () => {
  const width = { places: 1 };
  const gate = new LineGate<string>(width);
  const ends: (() => void)[] = [];
  let running = 0;
  const jobs = ["a", "b", "c", "d"].map((meter) =>
    gate.pass("scheduled", meter, () => {
      running++;
      return new Promise<void>((resolve) => ends.push(resolve)).finally(() => running--);
    }),
  );
  expect(running).toBe(1);
  width.places = 3;
  ends[0]?.();
  await jobs[0];
  expect(running).toBe(3);
  for (const end of ends) end();
  await Promise.all(jobs);
});

test("line gate: thousands that wait begin when a reload makes room for all of them", async () => {
  const width = { places: 1 };
  const gate = new LineGate<number>(width);
  const [first, others] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let begun = 0;
  const waiting = Array.from({ length: 20_000 }, (_, meter) =>
    gate.pass("scheduled", meter, () => {
      begun++;
      return meter === 0 ? first.promise : others.promise;
    }),
  );
  width.places = 20_000;
  first.resolve();
  await waiting[0];
  expect(begun).toBe(20_000);
  others.resolve();
  await Promise.all(waiting);
  expect(gate.idle).toBe(true);
});
