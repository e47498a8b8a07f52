import { fork } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { openDatabase } from "../../src/store/database/database.ts";
import { checkCoverage, foldCoverage, rebuildCoverage } from "../../src/store/ledger/coverage.ts";
import { keepMemories, loadLedger } from "../../src/store/ledger/ledger-records.ts";
import { blockLoad, SLOT_MS, START_MS, slots } from "./profile-batches.ts";
import { at, DAY_MS, energy, HOUR_MS, useCoverage } from "./use-coverage.ts";

const { current, newMeter, newWriter, pagesOf } = useCoverage();

/** Places of the ones. */
function ones(bits: string | null | undefined): number[] {
  return Array.from(bits ?? "", (bit, at) => (bit === "1" ? at : -1)).filter((at) => at >= 0);
}

async function expectAgreement(meter: number): Promise<void> {
  const before = await checkCoverage(current().database, { meterKeys: [meter] });
  expect(before.faults).toEqual([]);
  await foldCoverage(current().database);
  const after = await checkCoverage(current().database, { meterKeys: [meter] });
  expect(after).toMatchObject({ faults: [], pages: before.pages });
}

test("coverage: rows mark their slots, journal and pages say the same", async () => {
  const meter = await newMeter();
  await newWriter().write([blockLoad(meter, [0, 1, 2, 5, 95, 96, 97])]);
  const journalled = await pagesOf(meter);
  expect(journalled.map((page) => [page.day, page.interval_s, ones(page.held)])).toEqual([
    ["2026-01-01", 900, [0, 1, 2, 5, 95]],
    ["2026-01-02", 900, [0, 1]],
  ]);
  expect(journalled.map((page) => page.held?.length)).toEqual([96, 96]);
  await foldCoverage(current().database);
  expect(await pagesOf(meter)).toEqual(journalled);
  const [row] = await current().database.query(
    "select profile, slots, held from dlms.coverage c join public.meters m on m.id = c.meter_id where m.meter_key = $1 order by day limit 1",
    [meter],
  );
  expect(row).toEqual({ profile: "block_load", slots: 96, held: 5 });
  await expectAgreement(meter);
});

test("coverage: the same rows again, and revised ones, change nothing", async () => {
  const meter = await newMeter();
  const writer = newWriter();
  await writer.write([blockLoad(meter, slots(0, 48))]);
  await writer.write([blockLoad(meter, slots(0, 48))]);
  const revised = blockLoad(meter, slots(0, 48), {
    columns: [{ column: "voltage_l1", values: slots(0, 48).map(() => 1n) }],
  });
  expect((await writer.write([revised])).revised).toBe(48);
  expect((await pagesOf(meter)).map((page) => ones(page.held))).toEqual([slots(0, 48)]);
  await expectAgreement(meter);
});

test("coverage: a run of many days fills each of them whole", async () => {
  const meter = await newMeter();
  await newWriter().write([blockLoad(meter, slots(50, 50 + 96 * 3))]);
  expect((await pagesOf(meter)).map((page) => [page.day, ones(page.held)])).toEqual([
    ["2026-01-01", slots(50, 96)],
    ["2026-01-02", slots(0, 96)],
    ["2026-01-03", slots(0, 96)],
    ["2026-01-04", slots(0, 50)],
  ]);
  await expectAgreement(meter);
});

test("coverage: a capture period changed in mid-day has a page for each period", async () => {
  const meter = await newMeter();
  const noon = START_MS + 12 * HOUR_MS;
  const half = at(
    blockLoad(meter, slots(0, 4)),
    [1, 2, 3, 4].map((n) => noon + n * 2 * SLOT_MS),
    { intervalS: 1800 },
  );
  await newWriter().write([blockLoad(meter, slots(0, 49)), half]);
  expect((await pagesOf(meter)).map((page) => [page.interval_s, page.held?.length, ones(page.held)])).toEqual([
    [900, 96, slots(0, 49)],
    [1800, 48, [25, 26, 27, 28]],
  ]);
  await expectAgreement(meter);
});

test("coverage: hours of a zone that is half an hour off have their own slots", async () => {
  const meter = await newMeter("Asia/Kolkata");
  // 01:00 to 24:00 on the meter's clock, 19:30 of the day before to 18:30 in UTC.
  const hours = slots(1, 25).map((hour) => START_MS - 5.5 * HOUR_MS + hour * HOUR_MS);
  await newWriter().write([at(blockLoad(meter, slots(0, 24)), hours, { intervalS: 3600 })]);
  expect((await pagesOf(meter)).map((page) => [page.day, ones(page.held)])).toEqual([
    ["2025-12-31", [19, 20, 21, 22, 23]],
    ["2026-01-01", slots(0, 19)],
  ]);
  await expectAgreement(meter);
});

test("coverage: stamps a little beside the slot count, those of a power-up or a set clock do not", async () => {
  const meter = await newMeter();
  const beside = [START_MS + 3000, START_MS + SLOT_MS - 2000, START_MS + 2 * SLOT_MS + 7 * 60_000];
  await newWriter().write([at(blockLoad(meter, [0, 1, 2]), beside)]);
  expect((await pagesOf(meter)).map((page) => ones(page.held))).toEqual([[0, 1]]);
  await expectAgreement(meter);
});

test("coverage: an hour's row at half past counts for no slot, an interval that does not divide the day has none", async () => {
  const meter = await newMeter();
  const stamps = [START_MS + HOUR_MS, START_MS + 2.5 * HOUR_MS];
  await newWriter().write([at(blockLoad(meter, [0, 1]), stamps, { intervalS: 3600 })]);
  const thirds = slots(0, 6).map((slot) => START_MS + slot * 1_200_000);
  await newWriter().write([
    at(
      blockLoad(meter, slots(0, 6)),
      thirds.map((ms) => ms + DAY_MS),
      { intervalS: 1200 },
    ),
    at(
      blockLoad(meter, slots(0, 6)),
      slots(0, 6).map((slot) => START_MS + 2 * DAY_MS + slot * 420_000),
      { intervalS: 420 },
    ),
  ]);
  expect((await pagesOf(meter)).map((page) => [page.interval_s, ones(page.held)])).toEqual([
    [3600, [1]],
    [1200, slots(0, 6)],
  ]);
  await expectAgreement(meter);
});

test("coverage: days of 23 and 25 hours have each of their slots once", async () => {
  const meter = await newMeter("Europe/Vienna");
  const writer = newWriter();
  for (const [midnight, count] of [
    [Date.UTC(2026, 2, 28, 23), 92],
    [Date.UTC(2026, 9, 24, 22), 100],
  ] as const) {
    const stamps = slots(1, count + 1).map((slot) => midnight + slot * SLOT_MS);
    await writer.write([at(blockLoad(meter, slots(0, count)), stamps, { readAt: new Date(midnight + 2 * DAY_MS) })]);
  }
  const held = (await pagesOf(meter)).reduce((sum, page) => sum + ones(page.held).length, 0);
  expect(held).toBe(192);
  await expectAgreement(meter);
});

test("coverage: daily load and billing are days and months of the meter's own calendar", async () => {
  const meter = await newMeter("Europe/Vienna");
  // Local midnights around the change to summer time, one of them two seconds late, and a stamp at noon.
  const midnights = [Date.UTC(2026, 2, 27, 23), Date.UTC(2026, 2, 28, 23, 0, 2), Date.UTC(2026, 2, 29, 22)];
  const daily = blockLoad(meter, slots(0, 4), { profile: "daily_load", intervalS: 86_400 });
  const months = blockLoad(meter, slots(0, 3), { profile: "billing", intervalS: undefined });
  const first = [Date.UTC(2025, 11, 31, 23), Date.UTC(2026, 1, 28, 23), Date.UTC(2026, 6, 31, 22)];
  await newWriter().write([
    at(daily, [...midnights, Date.UTC(2026, 3, 5, 10)], { columns: energy(4) }),
    at(months, first, { columns: energy(3) }),
  ]);
  expect((await pagesOf(meter)).map((page) => [page.day, page.interval_s, page.held?.length, ones(page.held)])).toEqual(
    [
      // 28, 29 and 30 March are the 87th to 89th day.
      ["2026-01-01", 86_400, 366, [86, 87, 88]],
      ["2026-01-01", 0, 12, [0, 2, 7]],
    ],
  );
  await expectAgreement(meter);
});

test("coverage: set-aside rows, absent slots and slots while the meter was off are told apart from held ones", async () => {
  const meter = await newMeter();
  const batch = blockLoad(meter, [0, 1, 2], {
    columns: [{ column: "voltage_l1", values: [1n, 1n << 40n, 2n] }],
    absentMs: [START_MS + 3 * SLOT_MS, START_MS + 4 * SLOT_MS],
    offMs: [START_MS + 6 * SLOT_MS],
  });
  expect((await newWriter().write([batch])).setAside).toHaveLength(1);
  const [page] = await pagesOf(meter);
  expect([page?.held, page?.set_aside, page?.absent, page?.meter_off].map(ones)).toEqual([[0, 2], [1], [3, 4], [6]]);
  // A batch without rows may still tell what the meter does not have.
  await newWriter().write([blockLoad(meter, [], { absentMs: [START_MS + 9 * SLOT_MS] })]);
  const [later] = await pagesOf(meter);
  expect(ones(later?.absent)).toEqual([3, 4, 9]);
  await expectAgreement(meter);
});

test("coverage: a write that is undone leaves the ledger as it was", async () => {
  const meter = await newMeter();
  const write = newWriter().write([blockLoad(meter, [0, 1])], {
    alsoHere: () => Promise.reject(new Error("not now")),
  });
  await expect(write).rejects.toMatchObject({ code: "DATABASE_REFUSED" });
  expect(await pagesOf(meter)).toEqual([]);
  await expectAgreement(meter);
});

test("coverage: writers, folding and checks side by side always agree", async () => {
  const { database } = current();
  const meters = await Promise.all([newMeter(), newMeter(), newMeter()]);
  const writers = [newWriter(), newWriter()];
  const writing = new Set([1]);
  const folding = (async () => {
    while (writing.size > 0) await foldCoverage(database);
  })();
  const checking = (async () => {
    while (writing.size > 0) expect((await checkCoverage(database, { meterKeys: meters })).faults).toEqual([]);
  })();
  await Promise.all(
    writers.map(async (writer, which) => {
      for (let round = 0; round < 25; round++) {
        const from = (round * 7 + which * 3) % 300;
        await writer.write(meters.map((meter) => blockLoad(meter, slots(from, from + 10))));
      }
    }),
  );
  writing.clear();
  await Promise.all([folding, checking]);
  for (const meter of meters) await expectAgreement(meter);
});

test("coverage: any rows of any meters agree with the data", async () => {
  const zones = ["UTC", "Asia/Kolkata", "Asia/Kathmandu", "Europe/Vienna", "America/St_Johns", "No/Such"];
  const meters = await Promise.all(zones.map((zone) => newMeter(zone)));
  const writer = newWriter();
  const row = fc.record({
    step: fc.integer({ min: 0, max: 4000 }),
    besideS: fc.constantFrom(0, 0, 0, 3, -59, 61, 400),
  });
  const order = fc.record({
    meter: fc.constantFrom(...meters),
    intervalS: fc.constantFrom(60, 300, 420, 900, 1800, 3600, 7200, 30, undefined),
    profile: fc.constantFrom("block_load" as const, "daily_load" as const, "billing" as const),
    rows: fc.array(row, { maxLength: 8 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(order, { minLength: 1, maxLength: 4 }), async (orders) => {
      const batches = orders.map(({ meter, intervalS, profile, rows }) => {
        const spacingMs = profile === "block_load" ? (intervalS ?? 900) * 1000 : HOUR_MS;
        const stamps = rows.map(({ step, besideS }) => START_MS + step * spacingMs + besideS * 1000);
        const columns = [{ column: "active_import_total", values: rows.map(() => 1n) }];
        const base = blockLoad(meter, slots(0, rows.length), { profile, intervalS });
        return at(base, stamps, profile === "block_load" ? {} : { columns });
      });
      await writer.write(batches);
      expect((await checkCoverage(current().database, { meterKeys: meters })).faults).toEqual([]);
    }),
    { numRuns: 25 },
  );
  for (const meter of meters) await expectAgreement(meter);
});

test("coverage: what was tampered with is found, and made anew from the data", async () => {
  const { database } = current();
  const [lost, invented, untouched] = [await newMeter(), await newMeter(), await newMeter()];
  await newWriter().write([lost, invented, untouched].map((meter) => blockLoad(meter, slots(0, 10))));
  await foldCoverage(database);
  await database.query("delete from dlms.coverage_pages where meter_key = $1", [lost]);
  await database.query("update dlms.coverage_pages set held = ~held where meter_key = $1", [invented]);
  await database.query(
    "insert into dlms.coverage_pages (meter_key, day, interval_s, profile, held) values ($1, '2026-02-02', 900, 2, repeat('1', 96)::varbit)",
    [invented],
  );
  const scope = { meterKeys: [lost, invented, untouched] };
  const { faults } = await checkCoverage(database, scope);
  expect(faults.map(({ meterKey, day, unknown, empty }) => [meterKey, day, unknown, empty])).toEqual([
    [lost, "2026-01-01", 10, 0],
    [invented, "2026-01-01", 10, 86],
    [invented, "2026-02-02", 0, 96],
  ]);
  expect(await rebuildCoverage(database, scope)).toEqual({ pages: 3 });
  expect((await checkCoverage(database, scope)).faults).toEqual([]);
  expect(await rebuildCoverage(database, scope)).toEqual({ pages: 0 });
});

test("coverage: a writer killed at any moment leaves rows and ledger together", async () => {
  const { database, url } = current();
  const meter = await newMeter();
  for (let round = 0; round < 4; round++) {
    const child = fork(new URL("coverage-writer.ts", import.meta.url), [url, String(meter), String(round * 1000)]);
    const ended = new Promise((resolve) => child.once("exit", resolve));
    let told = 0;
    await new Promise<void>((resolve) => {
      child.on("message", () => {
        told++;
        if (told > round * 3) resolve();
      });
    });
    child.kill("SIGKILL");
    await ended;
    await expectAgreement(meter);
    const [row] = await database.query<{ rows: number }>(
      "select count(*)::int as rows from dlms.block_load_profile_data where meter_key = $1",
      [meter],
    );
    expect(row?.rows).toBeGreaterThan(0);
  }
});

test("coverage: a database of its own pool sees the same ledger", async () => {
  const meter = await newMeter();
  await newWriter().write([blockLoad(meter, [3])]);
  await using other = await openDatabase({ url: current().url, connections: 1 });
  expect((await checkCoverage(other, { meterKeys: [meter], fromYear: 2026 })).pages).toBe(1);
  expect((await checkCoverage(other, { meterKeys: [meter], fromYear: 2027 })).pages).toBe(0);
});

test("ledger: a way of capture that was learned once more did not begin anew", async () => {
  const { database } = current();
  const meterKey = await newMeter();
  const memory = (intervalS: number, hours: number) => {
    const validFromMs = START_MS + hours * HOUR_MS;
    return { meterKey, profile: "block_load" as const, validFromMs, intervalS, entries: hours };
  };
  const all = [memory(900, 1), memory(1800, 2), memory(900, 3), memory(900, 5)];
  await database.transaction((client) => keepMemories(client, all));
  const { memories } = await loadLedger(database, meterKey);
  expect(memories).toEqual([
    { profile: "block_load", validFromMs: START_MS + 3 * HOUR_MS, intervalS: 900, entries: 5 },
  ]);
});
