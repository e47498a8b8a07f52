import { expect, test } from "vitest";
import { PROFILE_COLUMNS } from "../../src/profiles/columns.ts";
import { ADVISORY_LOCKS } from "../../src/store/database/advisory-locks.ts";
import { foldCoverage } from "../../src/store/ledger/coverage.ts";
import { noteLoadChanges } from "../../src/store/profiles/load-changes.ts";
import { ProfileWriter } from "../../src/store/profiles/profile-writer.ts";
import { openPushQueue } from "../../src/store/push/push-history.ts";
import type { ReceivedPush } from "../../src/store/push/received-push.ts";
import { keepDailyLoad } from "../../src/store/upkeep/daily-load.ts";
import { blockLoad, makeMeters, slots } from "./profile-batches.ts";
import { useTestDatabase } from "./test-database.ts";

const current = useTestDatabase();

test("advisory locks: each number has one purpose, and functions of the database know no others", async () => {
  const numbers = Object.values(ADVISORY_LOCKS);
  expect(new Set(numbers).size).toBe(numbers.length);
  const found = await current().database.query<{ name: string; number: string }>(
    `select p.proname::text as name, l[1] as number
     from pg_proc p cross join regexp_matches(pg_get_functiondef(p.oid), 'advisory[a-z_]*lock[a-z_]*\\(''?(\\d+)', 'g') as l
     where p.pronamespace = 'dlms'::regnamespace and p.prokind = 'f' group by 1, 2 order by 1`,
  );
  const purposes = new Map(Object.entries(ADVISORY_LOCKS).map(([purpose, number]) => [`${number}`, purpose]));
  const users = Map.groupBy(found, ({ number }) => purposes.get(number) ?? `unknown number ${number}`);
  expect([...users.keys()].toSorted()).toEqual(["coverage", "gateways", "meters"]);
  const namesOf = (purpose: string) => users.get(purpose)?.map(({ name }) => name);
  expect(namesOf("coverage")).toEqual(["fold_coverage"]);
  expect(namesOf("meters")).toEqual(["freeze_run", "keep_meters", "note_meter_deletion"]);
});

function repeatedPush(meterId: string): ReceivedPush {
  return {
    receivedAt: new Date(),
    peer: "192.0.2.9:40000",
    transport: "tcp",
    meterId,
    systemTitle: undefined,
    attributedBy: "address",
    senderNames: [],
    seen: { events: [], words: [] },
    repeatKey: Uint8Array.of(1, 2, 3),
    counter: undefined,
    pushSetup: undefined,
    readAt: undefined,
    protection: "none",
    verified: false,
    marks: [],
    outcome: "stored",
    reason: undefined,
    octets: Uint8Array.of(0x0f),
    values: [],
    rowCount: 1,
  };
}

test("advisory locks: while days are summed, pushes are written, rows are written and the ledger is folded", async () => {
  const { database } = current();
  const [meter = 0] = await makeMeters(database, ["LOCK"]);
  const [row] = await database.query<{ id: string }>("select id from public.meters where meter_key = $1::int", [meter]);
  await database.withClient(async (client) => {
    const key = ADVISORY_LOCKS.dailyLoad.toString();
    await client.query("select pg_advisory_lock($1::bigint)", [key]);
    try {
      const queue = openPushQueue(database);
      const put = await queue.put(repeatedPush(row?.id ?? ""));
      await put.written;
      await queue.stop(0);
      const writer = new ProfileWriter(database, PROFILE_COLUMNS, [noteLoadChanges]);
      expect(await writer.write([blockLoad(meter, slots(0, 4))])).toMatchObject({ inserted: 4 });
      expect(await foldCoverage(database)).toBe(0);
      expect(await keepDailyLoad(database, { sum: true })).toMatchObject({ busyElsewhere: true });
    } finally {
      await client.query("select pg_advisory_unlock($1::bigint)", [key]);
    }
  });
  expect(await database.query("select from dlms.push_history where meter_id = $1::uuid", [row?.id])).toHaveLength(1);
  expect(await keepDailyLoad(database, { sum: true })).toMatchObject({ busyElsewhere: false, taken: 1 });
});
