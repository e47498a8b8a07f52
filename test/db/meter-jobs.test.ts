import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { type JobHandler, MeterJobs } from "../../src/jobs/meter-jobs.ts";
import type { Queryable } from "../../src/store/database/database.ts";
import { query } from "./query.ts";
import { useTestDatabase } from "./test-database.ts";

const current = useTestDatabase();
const TIMEOUT_MS = 30_000;

async function jobsOf(
  network: string,
  handlers: ReadonlyMap<string, JobHandler> = new Map(),
  database: Queryable = current().database,
) {
  const me = { id: randomUUID(), run: 1 };
  const failures: unknown[] = [];
  await query(
    current().url,
    `insert into dlms.gateways (gateway_id, name, networks, silence_ms, away_ms, version) values ($1, $2, '{}', 1000, 1000, 'test')`,
    [me.id, network],
  );
  await query(current().url, "insert into dlms.meter_blocks (network, block, holder) values ($1, 0, $2)", [
    network,
    me.id,
  ]);
  const jobs = new MeterJobs({
    database,
    me: () => me,
    handlers,
    onFailure: (error) => failures.push(error),
  });
  return { jobs, failures };
}

test("jobs: one that comes to nothing is answered", async () => {
  const { jobs, failures } = await jobsOf("nothing", new Map([["setup", async () => undefined]]));
  await using _ = jobs;
  const job = { network: "nothing", block: 0, meter: "a", kind: "setup", what: {} };
  expect(await jobs.request(job, TIMEOUT_MS)).toBe(null);
  expect(failures).toEqual([]);
});

test("jobs: what this version cannot do is told, and is no success", async () => {
  const { jobs } = await jobsOf("newer");
  await using _ = jobs;
  const job = { network: "newer", block: 0, meter: "a", kind: "read-better", what: {} };
  await expect(jobs.request(job, TIMEOUT_MS)).rejects.toThrow(/of another version.*"read-better"/);
});

test("jobs: an answer waits for the database, and the work is done once", async () => {
  let isAway = false;
  let done = 0;
  const handler = async () => {
    done += 1;
    isAway = true;
    return "changed";
  };
  const { database } = current();
  const query = async (text: string, values?: readonly unknown[]) => {
    if (!isAway || !text.includes("answered_at = now()")) return await database.query(text, values);
    isAway = false;
    throw new Error("Connection terminated");
  };
  const { jobs, failures } = await jobsOf("away", new Map([["key", handler]]), { query } as typeof database);
  await using _ = jobs;
  const job = { network: "away", block: 0, meter: "a", kind: "key", what: {} };
  expect(await jobs.request(job, TIMEOUT_MS)).toBe("changed");
  expect([done, failures]).toMatchObject([1, [{ message: "Connection terminated" }]]);
});

test("jobs: an answer that nobody can read harms no other", async () => {
  const { jobs, failures } = await jobsOf("unreadable", new Map([["read", async (meter) => meter]]));
  await using _ = jobs;
  const foreign = { network: "elsewhere", block: 0, meter: "a", kind: "read", what: {} };
  const refused = jobs.request(foreign, TIMEOUT_MS).catch((error: unknown) => error);
  const answered = jobs.request({ ...foreign, network: "unreadable", meter: "b" }, TIMEOUT_MS);
  const answer = "update dlms.jobs set answered_at = now(), answer = '{}' where network = 'elsewhere' returning 1";
  await expect.poll(() => query(current().url, answer), { timeout: TIMEOUT_MS }).toHaveLength(1);
  expect(await answered).toBe("b");
  expect(await refused).toMatchObject({ message: "the answer of the other gateway is none that this version knows" });
  expect(failures).toEqual([]);
});
