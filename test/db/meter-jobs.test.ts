import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { type JobHandler, MeterJobs } from "../../src/jobs/meter-jobs.ts";
import { query } from "./query.ts";
import { useTestDatabase } from "./test-database.ts";

const current = useTestDatabase();
const TIMEOUT_MS = 30_000;

async function jobsOf(network: string, handlers: ReadonlyMap<string, JobHandler> = new Map()) {
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
    database: current().database,
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
