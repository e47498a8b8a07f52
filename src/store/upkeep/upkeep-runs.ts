/** When each task of upkeep was last done: what people see of it, on editions without policies of their own, too. */
import type { Database } from "../database/database.ts";

/** What upkeep does and how often. */
export const UPKEEP_TASKS = {
  "sums by day": { everyMs: 30_000, unit: "days" },
  "continuous aggregate": { everyMs: 900_000, unit: "days" },
  "ledger of slots": { everyMs: 1_800_000, unit: "entries" },
  retention: { everyMs: 3_600_000, unit: "rows or chunks" },
} as const satisfies Record<string, { readonly everyMs: number; readonly unit: string }>;

export type UpkeepTask = keyof typeof UPKEEP_TASKS;

const SHOWN_IN_ORDER: readonly UpkeepTask[] = ["sums by day", "continuous aggregate", "ledger of slots", "retention"];

/** How many times its period a task may be behind before it counts as late. */
const LATE_PERIODS = 4;

export interface UpkeepStatus {
  readonly task: UpkeepTask;
  /** Undefined where no daemon has done it yet. */
  readonly lastDone: Date | undefined;
  readonly tookMs: number | undefined;
  readonly amount: number | undefined;
  readonly unit: string;
  /** Not done for several periods: no daemon runs, or it can't. */
  readonly isLate: boolean;
}

/**
 * Does a task, which says how much it did, and notes that it was done; undefined says that somebody else is at it. Throws
 * what it throws.
 */
export async function notedUpkeep(
  database: Database,
  task: UpkeepTask,
  work: () => Promise<number | undefined>,
): Promise<void> {
  const beganMs = performance.now();
  const amount = await work();
  if (amount === undefined) return;
  await database.query(
    `insert into dlms.upkeep_runs (task, finished_at, took_ms, amount)
     values ($1::text, clock_timestamp(), $2::int, $3::bigint)
     on conflict (task) do update set finished_at = excluded.finished_at, took_ms = excluded.took_ms, amount = excluded.amount`,
    [task, Math.round(performance.now() - beganMs), amount],
  );
}

interface RunRow {
  task: string;
  finished_at: Date;
  took_ms: number;
  amount: number;
  age_ms: number;
}

/** Each task that this edition leaves to the daemon. Throws StoreError. */
export async function upkeepStatus(database: Database): Promise<UpkeepStatus[]> {
  const { continuousAggregates } = database.capabilities;
  const rows = await database.query<RunRow>(
    `select task, finished_at, took_ms, amount::float8 as amount,
       extract(epoch from clock_timestamp() - finished_at)::float8 * 1000 as age_ms from dlms.upkeep_runs`,
  );
  const byTask = new Map(rows.map((row) => [row.task, row]));
  const shown = SHOWN_IN_ORDER.filter((task) => task !== "continuous aggregate" || continuousAggregates);
  return shown.map((task) => {
    const { everyMs, unit } = UPKEEP_TASKS[task];
    const row = byTask.get(task);
    return {
      task,
      lastDone: row?.finished_at,
      tookMs: row?.took_ms,
      amount: row?.amount,
      unit,
      isLate: row === undefined || row.age_ms > LATE_PERIODS * everyMs,
    };
  });
}
