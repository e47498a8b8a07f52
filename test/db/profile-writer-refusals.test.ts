/** What a writer of profile rows does not take: rows that no table can hold, and rows of meters that are gone. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { PROFILE_COLUMNS } from "../../src/profiles/columns.ts";
import { openDatabase } from "../../src/store/database/database.ts";
import { ProfileWriter } from "../../src/store/profiles/profile-writer.ts";
import { blockLoad, START_MS, slots } from "./profile-batches.ts";
import { query } from "./query.ts";
import { useProfileWriter } from "./use-profile-writer.ts";

const { current, newMeter, newMeters, newWriter, countRows } = useProfileWriter();

const IMPOSSIBLE = [
  ["a time that is no number", { instantsMs: [START_MS, Number.NaN] }, "time_missing"],
  ["a time between milliseconds", { instantsMs: [START_MS, START_MS + 0.5] }, "time_missing"],
  ["a time far in the future", { instantsMs: [START_MS, Date.UTC(2099, 0, 1)] }, "time_in_future"],
  ["a time long past", { instantsMs: [START_MS, Date.UTC(1970, 0, 1)] }, "time_too_old"],
  ["a value beyond 32 bits", { columns: [{ column: "voltage_l1", values: [1n, 2n ** 31n] }] }, "value_out_of_range"],
  ["a value beyond 64 bits", { columns: [{ column: "active_import", values: [1n, 2n ** 63n] }] }, "value_out_of_range"],
  ["a column time beyond 9999", { columns: [{ column: "mbus1_time", values: [1n, 2n ** 60n] }] }, "value_out_of_range"],
] as const;

test.each(IMPOSSIBLE)("profile writer: %s is set aside by name, the rest goes in", async (_name, changes, reason) => {
  const meter = await newMeter();
  const batch = blockLoad(meter, [0, 1], changes);
  const outcome = await newWriter().write([batch]);
  expect(outcome).toMatchObject({ rows: 2, inserted: 1, setAside: [{ reason, row: { index: 1 } }] });
  expect(await newWriter().write([batch])).toMatchObject({ inserted: 0, held: 1 });
  const kept = "select reason, detail, row_values->'columns' from dlms.rejected_rows where meter_key = $1";
  const rows = await query(current().url, kept, [meter]);
  expect(rows.length).toBe(1);
  expect(rows[0]?.[0]).toBe(reason);
});

test("profile writer: only rows that no table can hold, for slots that are held, are set aside", async () => {
  const meter = await newMeter();
  const writer = newWriter();
  await writer.write([blockLoad(meter, [0, 1])]);
  const columns = [{ column: "voltage_l1", values: [2n ** 31n, 2n ** 32n] }];
  const outcome = await writer.write([blockLoad(meter, [0, 1], { columns })]);
  expect(outcome.setAside.map(({ reason }) => reason)).toEqual(["value_out_of_range", "value_out_of_range"]);
});

test("profile writer: extremes that fit their columns are exact", async () => {
  const meter = await newMeter();
  const outcome = await newWriter().write([
    blockLoad(meter, [0, 1], {
      columns: [
        { column: "voltage_l1", values: [2n ** 31n - 1n, -(2n ** 31n)] },
        { column: "active_import", values: [2n ** 63n - 1n, -(2n ** 63n)] },
      ],
    }),
  ]);
  expect(outcome).toMatchObject({ inserted: 2, setAside: [] });
  const rows = await query(
    current().url,
    "select voltage_l1::text, active_import::text from dlms.block_load_profile_data where meter_key = $1 order by 1",
    [meter],
  );
  expect(rows.flat()).toEqual(["-2147483648", "-9223372036854775808", "2147483647", "9223372036854775807"]);
});

const INVALID = [
  ["an unknown column", { columns: [{ column: "no_such", values: [1n, 1n] }] }, "column_unknown"],
  [
    "a column twice",
    {
      columns: [
        { column: "voltage_l1", values: [1n, 1n] },
        { column: "voltage_l1", values: [2n, 2n] },
      ],
    },
    "column_repeated",
  ],
  ["a list that is too short", { timeRules: ["zone" as const] }, "batch_uneven"],
  ["an interval that is no number", { intervalS: Number.NaN }, "batch_invalid"],
  ["no time of reading", { readAt: new Date(Number.NaN) }, "batch_invalid"],
  ["a meter key that can't be", { meterKey: 1.5 }, "batch_invalid"],
  ["a meter that is not there", { meterKey: 2_000_000_000 }, "meter_unknown"],
] as const;

test.each(INVALID)(
  "profile writer: a batch with %s is set aside whole, the others go in",
  async (_name, changes, reason) => {
    const meter = await newMeter();
    const outcome = await newWriter().write([blockLoad(meter, [0, 1], changes), blockLoad(meter, [2, 3])]);
    expect(outcome).toMatchObject({ rows: 4, inserted: 2, setAside: [{ reason }, { reason }] });
    expect(await countRows(meter)).toBe(2);
  },
);

test("profile writer: a row that only the database knows to be impossible is found and set aside", async () => {
  const meter = await newMeter();
  const { url } = current();
  await query(url, `alter table dlms.block_load_profile_data add constraint poison check (voltage_l1 <> ${meter}666)`);
  // Connections that have not merged anything yet.
  const database = await openDatabase({ url, connections: 2 });
  try {
    const values = slots(0, 100).map((slot) => (slot === 37 ? BigInt(`${meter}666`) : BigInt(slot)));
    const batch = blockLoad(meter, slots(0, 100), { columns: [{ column: "voltage_l1", values }] });
    const outcome = await new ProfileWriter(database, PROFILE_COLUMNS).write([batch]);
    expect(outcome).toMatchObject({ inserted: 99, setAside: [{ reason: "refused_by_database", row: { index: 37 } }] });
    expect(outcome.setAside[0]?.detail).toContain("poison");
    expect(await countRows(meter)).toBe(99);
  } finally {
    await database.close();
    await query(url, "alter table dlms.block_load_profile_data drop constraint poison");
  }
});

test("profile writer: a meter that was deleted is noticed, its rows are set aside", async () => {
  const [gone = 0, stays = 0] = await newMeters(2);
  const writer = newWriter();
  await writer.write([blockLoad(gone, [0]), blockLoad(stays, [0])]);
  await query(current().url, "delete from public.meters where meter_key = $1", [gone]);
  const outcome = await writer.write([blockLoad(gone, [1]), blockLoad(stays, [1])]);
  expect(outcome).toMatchObject({ inserted: 1, setAside: [{ reason: "meter_unknown" }] });
});

test("profile writer: a meter whose deletion is under way is waited for, and its rows are set aside", async () => {
  const [gone = 0, stays = 0] = await newMeters(2);
  const { database, url } = current();
  const writer = newWriter();
  await writer.write([blockLoad(gone, [0]), blockLoad(stays, [0])]);
  const outcome = await database.transaction(async (deleting) => {
    await deleting.query("delete from public.meters where meter_key = $1", [gone]);
    const writing = writer.write([blockLoad(gone, [1]), blockLoad(stays, [1])]);
    const waits = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    while ((await query(url, waits)).length === 0) await sleep(5);
    return { writing };
  });
  expect(await outcome.writing).toMatchObject({ inserted: 1, setAside: [{ reason: "meter_unknown" }] });
  expect([await countRows(gone), await countRows(stays)]).toEqual([1, 2]);
});

test("profile writer: a meter that is deleted in mid-write goes after the write, which is whole", async () => {
  const [gone = 0, stays = 0] = await newMeters(2);
  const { url } = current();
  const written = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const writing = newWriter().write([blockLoad(gone, [0, 1]), blockLoad(stays, [0, 1])], {
    alsoHere: async () => {
      written.resolve();
      await go.promise;
    },
  });
  await written.promise;
  const deleting = query(url, "delete from public.meters where meter_key = $1", [gone]);
  const waits = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
  while ((await query(url, waits)).length === 0) await sleep(5);
  go.resolve();
  expect(await writing).toMatchObject({ inserted: 4, setAside: [] });
  await deleting;
  expect([await countRows(gone), await countRows(stays)]).toEqual([2, 2]);
});
