import { beforeEach, expect, test } from "vitest";
import { eventLogSink, type GatewayEvent } from "../../src/observe/events.ts";
import { appendEventLog, EventLog, type EventLogEntry, eventLogFaults } from "../../src/store/records/event-log.ts";
import { checkDatabase } from "../../src/store/upkeep/database-check.ts";
import { useTestDatabase } from "./test-database.ts";

const current = useTestDatabase();
const occurredAt = new Date("2026-03-01T12:00:00Z");

beforeEach(async () => {
  await current().database.query("delete from dlms.event_logs");
  await current().database.query("update dlms.event_log_head set event_log_key = 0, digest = ''");
});

function change(subject: string, before: unknown, after: unknown): EventLogEntry {
  return { occurredAt, level: "info", event: "meterChanged", message: "changed", actor: "ann", subject, before, after };
}

async function threeChanges() {
  await appendEventLog(current().database, [change("m1", 1, 2), change("m2", { a: null }, ["b"])]);
  await appendEventLog(current().database, [change("m3", "x\0y", "\ud800")]);
}

test("event log: what is appended is read back in its order, with who, what, before and after", async () => {
  await threeChanges();
  const rows = await current().database.query(
    "select event_log_key::int as key, occurred_at, actor, subject, before, after from dlms.event_logs order by 1",
  );
  expect(rows).toEqual([
    { key: 1, occurred_at: occurredAt, actor: "ann", subject: "m1", before: 1, after: 2 },
    { key: 2, occurred_at: occurredAt, actor: "ann", subject: "m2", before: { a: null }, after: ["b"] },
    { key: 3, occurred_at: occurredAt, actor: "ann", subject: "m3", before: "0x780079", after: "\ufffd" },
  ]);
  expect(await eventLogFaults(current().database)).toEqual([]);
});

test.each([
  ["an entry in the middle is taken out", "delete from dlms.event_logs where event_log_key = 2", 3n, "missing"],
  ["the last entry is taken out", "delete from dlms.event_logs where event_log_key = 3", 3n, "at the end"],
  ["who changed it is altered", "update dlms.event_logs set actor = 'bob' where event_log_key = 2", 2n, "altered"],
  [
    "the time is altered",
    "update dlms.event_logs set occurred_at = occurred_at + interval '1 second' where event_log_key = 3",
    3n,
    "altered",
  ],
  [
    "an entry is put in twice",
    "insert into dlms.event_logs select * from dlms.event_logs where event_log_key = 2",
    2n,
    "twice",
  ],
])("event log: it shows when %s", async (_, statement, key, fault) => {
  await threeChanges();
  await current().database.query(statement);
  const [first] = await eventLogFaults(current().database);
  expect(first).toMatchObject({ event_log_key: key, fault: expect.stringContaining(fault) });
  const { findings } = await checkDatabase(current().database);
  expect(findings).toMatchObject([{ check: "the event log is as it was written" }]);
});

test("event log: the oldest entries may go, as retention takes them", async () => {
  await threeChanges();
  await current().database.query("delete from dlms.event_logs where event_log_key = 1");
  expect(await eventLogFaults(current().database)).toEqual([]);
});

test("event log: writers at the same time make one chain", async () => {
  const { database } = current();
  const writers = Array.from({ length: 8 }, (_, writer) =>
    Promise.all(Array.from({ length: 5 }, (__, entry) => appendEventLog(database, [change(`${writer}`, entry, 0)]))),
  );
  await Promise.all(writers);
  expect(await eventLogFaults(database)).toEqual([]);
  expect(await database.query("select event_log_key::int as entries from dlms.event_log_head")).toEqual([
    { entries: 40 },
  ]);
});

test("event log: events of the gateway go into it, but those of the daily round and those that have a table", async () => {
  const log = new EventLog(current().database);
  const sink = eventLogSink(log);
  const events: readonly GatewayEvent[] = [
    { event: "gatewayStarted", meters: 3, database: "plain PostgreSQL", version: "1" },
    { event: "meterPolled", meter: "m1", profiles: [], rows: 4, durationMs: 1 },
    { event: "meterFailed", meter: "m1", cause: "no answer", evidence: "", nextStep: "", durationMs: 1 },
    { event: "meterQuarantined", meter: "m1" },
  ];
  for (const event of events) sink(event);
  await log.stop(10_000);
  expect(
    await current().database.query("select level, event, subject, details from dlms.event_logs order by event_log_key"),
  ).toEqual([
    {
      level: "info",
      event: "gatewayStarted",
      subject: null,
      details: { meters: 3, database: "plain PostgreSQL", version: "1" },
    },
    { level: "warn", event: "meterQuarantined", subject: "m1", details: { meter: "m1" } },
  ]);
});
