import { type Database, isTransient } from "../../src/store/database/database.ts";

/** Lets whatever deletes old rows in this edition do so now. */
export async function expire(database: Database): Promise<void> {
  await database.query("select dlms.drop_expired()");
  if (!database.capabilities.policies) return;
  const jobs = await database.query<{ job_id: number }>(
    "select job_id from timescaledb_information.jobs where proc_name = 'policy_retention'",
  );
  for (const { job_id } of jobs) await runJob(database, job_id);
}

/** The extension's scheduler may be at the same job, and each waits for what the other holds. */
async function runJob(database: Database, job: number): Promise<void> {
  for (;;) {
    try {
      await database.query(`call run_job(${job})`);
      return;
    } catch (error) {
      if (!isTransient(error)) throw error;
    }
  }
}
