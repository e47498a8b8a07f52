import fc from "fast-check";
import { expect, test } from "vitest";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { systemTitle } from "../../../protocol/security/system-title.ts";
import { CounterLease } from "../../../src/keys/counter-lease.ts";
import { type CounterName, type CounterReservations, counterText } from "../../../src/keys/counter-reservations.ts";

const NAME: CounterName = {
  keyId: "meter 1/blockCipherKey/1",
  systemTitle: systemTitle(fromHex("4d4d4d0000000001")),
  association: "48",
};

/** Remembers like a disk: what was reserved stays so, whatever becomes of the lease. */
class RememberedCounters implements CounterReservations {
  readonly next = new Map<string, number>();
  failure: Error | undefined;

  async reserve(name: CounterName, count: number, floor: number): Promise<number> {
    if (this.failure !== undefined) throw this.failure;
    const first = Math.max(this.next.get(counterText(name)) ?? 0, floor);
    this.next.set(counterText(name), first + count);
    return first;
  }
}

test("lease: counters rise by one within a block, and go on above it after a new start", async () => {
  const counters = new RememberedCounters();
  const lease = await CounterLease.open(counters, NAME, { block: 4, floor: 0x6b4 });
  expect([lease.next(), lease.next()]).toEqual([0x6b4, 0x6b5]);
  const later = await CounterLease.open(counters, NAME, { block: 4 });
  expect(later.next()).toBeGreaterThan(0x6b5);
});

test("lease: another block is reserved in time, so that an association never waits", async () => {
  const lease = await CounterLease.open(new RememberedCounters(), NAME, { block: 4 });
  const taken: number[] = [];
  for (let i = 0; i < 50; i++) {
    taken.push(lease.next());
    await new Promise(setImmediate);
  }
  expect(taken).toEqual(Array.from({ length: 50 }, (_, i) => i));
});

test("lease: without a new block the counters end with an error, and the end comes before any repetition", async () => {
  const counters = new RememberedCounters();
  const lease = await CounterLease.open(counters, NAME, { block: 4 });
  counters.failure = new Error("disk full");
  for (let i = 0; i < 4; i++) lease.next();
  await new Promise(setImmediate);
  expect(() => lease.next()).toThrow(expect.objectContaining({ code: "SECURITY_COUNTER_UNRESERVED", fault: "caller" }));
  counters.failure = undefined;
  await lease.ensure(1);
  expect(lease.next()).toBe(4);
});

test("lease: of what went wrong code and words are kept, not the errors with all that they hold on to", async () => {
  const counters = new RememberedCounters();
  const code = "SECURITY_COUNTER_UNRESERVED";
  const away = new DlmsError(code, "caller", { keyId: "1", count: 4 }, { cause: new Error("no route") });
  for (const [failure, message] of [
    [new Error("disk full"), "disk full"],
    [away, "no route"],
  ] as const) {
    counters.failure = undefined;
    const lease = await CounterLease.open(counters, NAME, { block: 4 });
    counters.failure = failure;
    for (let i = 0; i < 4; i++) lease.next();
    await new Promise(setImmediate);
    const told = await lease
      .raise(0)
      .then(() => lease.next())
      .catch((error: unknown) => error);
    expect(told).toMatchObject({ code, fault: "caller", cause: { message } });
    expect([told, told instanceof Error && told.cause]).not.toContain(failure.cause ?? failure);
    expect(told).not.toBe(failure);
  }
});

test("lease: a floor raises the counter and never lowers it", async () => {
  const lease = await CounterLease.open(new RememberedCounters(), NAME, { block: 10, floor: 100 });
  await lease.raise(50);
  expect(lease.next()).toBe(100);
  await lease.raise(105);
  expect(lease.next()).toBe(105);
  await lease.raise(5000);
  expect(lease.next()).toBe(5000);
});

const IMPLAUSIBLE = expect.objectContaining({ code: "SECURITY_COUNTER_IMPLAUSIBLE", fault: "peer" });
const DAY_MS = 86_400_000;

test("lease: a meter cannot use a key up by asking for a counter near the end", async () => {
  const counters = new RememberedCounters();
  await expect(CounterLease.open(counters, NAME, { floor: 0xffff_ff00 })).rejects.toThrow(IMPLAUSIBLE);
  const lease = await CounterLease.open(counters, NAME, { block: 4 });
  // Other head ends count by the clock, so that a key that is new to us may be far on.
  await lease.raise(0x8d0d_c2d7);
  expect(lease.next()).toBe(0x8d0d_c2d7);
  await expect(lease.raise(0xffff_fffe)).rejects.toThrow(IMPLAUSIBLE);
  expect(lease.next()).toBe(0x8d0d_c2d8);
});

test("lease: false answers use up little of a key in a day, however many there are", async () => {
  let now = 0;
  const lease = await CounterLease.open(new RememberedCounters(), NAME, { block: 4, now: () => now });
  await lease.raise(0x10_0000);
  const answers = async () => {
    for (let visit = 0; visit < 100; visit++) await lease.raise(lease.upcoming + 0x4_0000).catch(() => undefined);
    return lease.upcoming;
  };
  const first = await answers();
  expect(first).toBeLessThanOrEqual(0x10_0000 + 0x10_0000 + 1000);
  now += DAY_MS;
  const second = await answers();
  expect(second).toBeGreaterThan(first + 0x4_0000);
  expect(second).toBeLessThanOrEqual(first + 0x10_0000 + 1000);
});

test("lease: an operator's word is enough for a step that no answer is believed for", async () => {
  const counters = new RememberedCounters();
  const lease = await CounterLease.open(counters, NAME, { block: 4, floor: 0x2_0000 });
  await expect(lease.raise(0x5000_0000)).rejects.toThrow(IMPLAUSIBLE);
  counters.next.set(counterText(NAME), 0x5000_0000);
  await lease.raise(0x5000_0000);
  expect(lease.next()).toBeGreaterThanOrEqual(0x5000_0000);
});

test("lease: it is told long before the end that the counters run out, at each mark once", async () => {
  const told: number[] = [];
  const counters = new RememberedCounters();
  counters.next.set(counterText(NAME), 0xbfff_fffe);
  const lease = await CounterLease.open(counters, NAME, { block: 2, onLow: (left) => told.push(left) });
  expect(told).toEqual([]);
  for (let i = 0; i < 20; i++) {
    await lease.ensure(1);
    lease.next();
  }
  expect(told).toHaveLength(1);
  expect(told[0]).toBeGreaterThan(0x3fff_ff00);
  counters.next.set(counterText(NAME), 0xff00_0000);
  for (let i = 0; i < 4; i++) {
    await lease.ensure(2);
    lease.next();
  }
  expect(told).toHaveLength(2);
});

test("lease: the highest counter is given out, none beyond it", async () => {
  const counters = new RememberedCounters();
  counters.next.set(counterText(NAME), 0xffff_fffe);
  const lease = await CounterLease.open(counters, NAME, { block: 2 });
  expect([lease.next(), lease.next()]).toEqual([0xffff_fffe, 0xffff_ffff]);
  await expect(CounterLease.open(counters, NAME, { block: 2 })).rejects.toThrow(
    expect.objectContaining({ code: "SECURITY_COUNTER_EXHAUSTED" }),
  );
});

function* takeUpTo(lease: CounterLease, times: number): Generator<number> {
  for (let i = 0; i < times && lease.remaining > 0; i++) yield lease.next();
}

test("lease: whatever is done with leases of one name, no counter comes twice and each lease only rises", async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("open" as const), floor: fc.nat(500), block: fc.integer({ min: 1, max: 20 }) }),
    fc.record({ do: fc.constant("next" as const), lease: fc.nat(3), times: fc.integer({ min: 1, max: 30 }) }),
    fc.record({ do: fc.constant("raise" as const), lease: fc.nat(3), floor: fc.nat(2000) }),
    fc.record({ do: fc.constant("ensure" as const), lease: fc.nat(3), count: fc.nat(40) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const counters = new RememberedCounters();
      const first = await CounterLease.open(counters, NAME, { block: 5 });
      const leases = [first];
      const last = new Map<CounterLease, number>();
      const seen = new Set<number>();
      for (const each of steps) {
        const lease = leases["lease" in each ? each.lease % leases.length : 0] ?? first;
        if (each.do === "open") leases.push(await CounterLease.open(counters, NAME, each));
        else if (each.do === "raise") await lease.raise(each.floor);
        else if (each.do === "ensure") await lease.ensure(each.count);
        const times = each.do === "next" ? each.times : 0;
        for (const counter of takeUpTo(lease, times)) {
          expect(seen.has(counter)).toBe(false);
          expect(counter).toBeGreaterThan(last.get(lease) ?? -1);
          seen.add(counter);
          last.set(lease, counter);
        }
        await Promise.resolve();
      }
    }),
    { numRuns: 200 },
  );
});
