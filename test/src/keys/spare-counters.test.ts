import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { systemTitle } from "../../../protocol/security/system-title.ts";
import { CounterLease } from "../../../src/keys/counter-lease.ts";
import { type CounterName, type CounterReservations, counterText } from "../../../src/keys/counter-reservations.ts";
import { SpareCounters } from "../../../src/keys/spare-counters.ts";

const NAME: CounterName = { keyId: "k", systemTitle: systemTitle(fromHex("4d4d4d0000000001")), association: "" };
const OTHER: CounterName = { ...NAME, keyId: "other" };
const RESERVE = 1024;

/** Remembers as a database does, and may be away. */
class AwayCounters implements CounterReservations {
  readonly next = new Map<string, number>();
  isAway = false;

  async reserve(name: CounterName, count: number, floor: number): Promise<number> {
    if (this.isAway) throw new DlmsError("SECURITY_COUNTER_UNRESERVED", "caller", {});
    const first = Math.max(this.next.get(counterText(name)) ?? 0, floor);
    this.next.set(counterText(name), first + count);
    return first;
  }
}

let directory = "";
let files = 0;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "dlms-gateway-spare-"));
});
afterAll(async () => rm(directory, { recursive: true, force: true }));

function freshPath(): string {
  return join(directory, `counters${files++}`);
}

test("spare counters: what was reserved beside is given while the database is away, and not beyond", async () => {
  const table = new AwayCounters();
  await using spares = await SpareCounters.open(table, freshPath());
  expect(await spares.reserve(NAME, RESERVE, 0)).toBe(0);
  expect(table.next.get(counterText(NAME))).toBe(2 * RESERVE);
  table.isAway = true;
  expect(await spares.reserve(NAME, 1000, 0)).toBe(RESERVE);
  expect(await spares.reserve(NAME, 20, 0)).toBe(RESERVE + 1000);
  const unreserved = expect.objectContaining({ code: "SECURITY_COUNTER_UNRESERVED" });
  await expect(spares.reserve(NAME, 5, 0)).rejects.toThrow(unreserved);
  await expect(spares.reserve(OTHER, 1, 0)).rejects.toThrow(unreserved);
  expect(await spares.reserve(NAME, 4, 0)).toBe(2 * RESERVE - 4);
});

test("spare counters: they outlive the process, and a floor above them leaves none", async () => {
  const table = new AwayCounters();
  const path = freshPath();
  const spares = await SpareCounters.open(table, path);
  await spares.reserve(NAME, RESERVE, 0);
  await spares.close();
  table.isAway = true;
  await using later = await SpareCounters.open(table, path);
  expect(await later.reserve(NAME, 16, 0)).toBe(RESERVE);
  expect(await later.reserve(NAME, 16, RESERVE + 100)).toBe(RESERVE + 100);
  await expect(later.reserve(NAME, 16, 2 * RESERVE)).rejects.toThrow("SECURITY_COUNTER_UNRESERVED");
});

test("spare counters: whatever becomes of database and process, none comes twice, nor one of the database's", async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("reserve" as const), count: fc.constantFrom(1, 100, RESERVE), floor: fc.nat(5000) }),
    fc.record({ do: fc.constant("away" as const), isAway: fc.boolean() }),
    fc.record({ do: fc.constant("die" as const), torn: fc.boolean() }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const table = new AwayCounters();
      const path = freshPath();
      let spares = await SpareCounters.open(table, path);
      const given: { readonly from: number; readonly to: number }[] = [];
      for (const each of steps) {
        if (each.do === "away") table.isAway = each.isAway;
        else if (each.do === "die") {
          if (each.torn) await writeFile(path, `${await readFile(path, "latin1")}12 99`);
          await spares.close();
          spares = await SpareCounters.open(table, path);
        } else {
          const first = await spares.reserve(NAME, each.count, each.floor).catch(() => undefined);
          if (first !== undefined) given.push({ from: first, to: first + each.count });
        }
      }
      const inOrder = given.toSorted((a, b) => a.from - b.from);
      const overlapping = inOrder.filter(({ from }, index) => from < (inOrder[index - 1]?.to ?? 0));
      expect(overlapping).toEqual([]);
      await spares.close();
    }),
    { numRuns: 40 },
  );
});

test("spare counters: a file with a flipped bit is not believed", async () => {
  const table = new AwayCounters();
  const path = freshPath();
  const spares = await SpareCounters.open(table, path);
  await spares.reserve(NAME, RESERVE, 0);
  table.isAway = true;
  await spares.reserve(NAME, 16, 0);
  await spares.close();
  const octets = await readFile(path);
  let refused = 0;
  for (let at = 0; at < octets.length - 1; at++) {
    const damaged = Uint8Array.from(octets);
    damaged[at] = (damaged[at] ?? 0) ^ 0x04;
    const copy = freshPath();
    await writeFile(copy, damaged);
    await using again = await SpareCounters.open(table, copy);
    const first = await again.reserve(NAME, 16, 0).catch(() => undefined);
    expect(first === undefined || first >= RESERVE + 16).toBe(true);
    if (first === undefined) refused += 1;
  }
  expect(refused).toBeGreaterThan(octets.length / 2);
});

test("spare counters: a lease lives on them through an outage, tells when few are left, and ends with a cause", async () => {
  const table = new AwayCounters();
  await using spares = await SpareCounters.open(table, freshPath());
  const few: number[] = [];
  let nowMs = 0;
  const lease = await CounterLease.open(spares, NAME, {
    block: 16,
    reserve: RESERVE,
    onFew: (remaining) => few.push(remaining),
    now: () => nowMs,
  });
  expect(table.next.get(counterText(NAME))).toBe(16 + RESERVE);
  nowMs = 61_000;
  lease.next();
  await lease.ensure(1);
  expect(lease.remaining).toBe(15 + RESERVE);
  table.isAway = true;
  const taken = new Set<number>();
  let failure: unknown;
  while (failure === undefined) {
    nowMs += 1000;
    // oxlint-disable-next-line no-loop-func -- it is awaited before the next turn
    failure = await Promise.resolve(lease.ensure(8)).then(
      () => void taken.add(lease.next()),
      (error: unknown) => error,
    );
  }
  expect(failure).toMatchObject({ code: "SECURITY_COUNTER_UNRESERVED" });
  // All that was ahead, and nearly all that was spare.
  expect(taken.size).toBeGreaterThan(2 * RESERVE - 16);
  expect(few).toHaveLength(1);
  expect(few[0]).toBeLessThanOrEqual(RESERVE / 4);
  table.isAway = false;
  nowMs += 10_000;
  await lease.ensure(8);
  expect(taken.has(lease.next())).toBe(false);
});
