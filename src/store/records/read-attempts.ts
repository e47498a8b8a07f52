/** What came of every try to read a meter, gathered and written a second later at the latest; for people, not for billing. */
import type { PoolClient } from "pg";
import { type Clock, systemClock, type Timer } from "../../../drivers/clock.ts";
import { type Database, isTransient } from "../database/database.ts";
import type { QueueSpool } from "../intake/queue-spool.ts";

export interface ReadAttempt {
  readonly meterId: string;
  readonly startedAt: Date;
  readonly endedAt: Date;
  /** The profiles or objects that were asked for. */
  readonly what: string;
  readonly rowCount: number;
  /** Undefined when it succeeded. */
  readonly failure: { readonly cause: string; readonly evidence: string; readonly nextStep: string } | undefined;
}

type AttemptSpool = Pick<QueueSpool<ReadAttempt>, "engaged" | "append" | "patienceMs">;

const DELAY_MS = 1000;
const MOST_KEPT = 20_000;
const AT_ONCE = 1000;

export class ReadAttempts {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #spool: AttemptSpool | undefined;
  readonly #onLost: (error: unknown, count: number) => void;
  #kept: ReadAttempt[] = [];
  #timer: Timer | undefined;
  #writing: Promise<void> = Promise.resolve();
  #settled: Promise<void> = Promise.resolve();

  /** `onLost` hears how many attempts could neither be written nor spooled. */
  constructor(
    database: Database,
    onLost: (error: unknown, count: number) => void,
    spool?: AttemptSpool,
    clock: Clock = systemClock,
  ) {
    this.#database = database;
    this.#clock = clock;
    this.#spool = spool;
    this.#onLost = onLost;
  }

  add(attempt: ReadAttempt): void {
    this.#kept.push(attempt);
    if (this.#kept.length > MOST_KEPT)
      this.#onLost(new RangeError("too many at once"), this.#kept.splice(0, AT_ONCE).length);
    this.#timer ??= this.#clock.after(DELAY_MS, () => this.#write());
  }

  /** Ends when no write to the database runs any more. */
  settled(): Promise<void> {
    return this.#settled;
  }

  /** Writes what is gathered. */
  async flush(): Promise<void> {
    this.#write();
    await this.#writing;
  }

  #write(): void {
    this.#timer?.close();
    this.#timer = undefined;
    const attempts = this.#kept;
    this.#kept = [];
    this.#writing = this.#writing.then(async () => {
      for (let at = 0; at < attempts.length; at += AT_ONCE) await this.#insert(attempts.slice(at, at + AT_ONCE));
    });
  }

  async #insert(attempts: readonly ReadAttempt[]): Promise<void> {
    const spool = this.#spool;
    try {
      if (spool?.engaged === true) return await this.#append(attempts);
      const writing = this.#database.transaction((client) => keepAttempts(client, attempts));
      this.#settled = writing.then(
        () => undefined,
        () => undefined,
      );
      const inTime = spool === undefined ? writing.then(() => true) : this.#within(writing, spool.patienceMs);
      if (!(await inTime)) await this.#append(attempts);
    } catch (error) {
      if (spool === undefined || !isTransient(error)) return this.#onLost(error, attempts.length);
      await this.#append(attempts).catch((failure: unknown) => this.#onLost(failure, attempts.length));
    }
  }

  /** Whether the work was done in time; what it throws is thrown, in time. */
  async #within(work: Promise<unknown>, ms: number): Promise<boolean> {
    const timer = Promise.withResolvers<boolean>();
    const timeout = this.#clock.after(ms, () => timer.resolve(false));
    try {
      return await Promise.race([work.then(() => true), timer.promise]);
    } finally {
      timeout.close();
    }
  }

  async #append(attempts: readonly ReadAttempt[]): Promise<void> {
    await Promise.all(attempts.map(async (attempt) => this.#spool?.append(attempt)));
  }
}

/** Keeps attempts in a transaction of the caller's; those that are held already are kept, and counted, once. */
export async function keepAttempts(client: PoolClient, attempts: readonly ReadAttempt[]): Promise<void> {
  const failures = attempts.flatMap(({ failure, ...attempt }) =>
    failure === undefined ? [] : [{ ...attempt, ...failure }],
  );
  const successes = attempts.filter(({ failure }) => failure === undefined);
  if (failures.length > 0) await keepFailures(client, failures);
  if (successes.length > 0) await countSuccesses(client, successes);
}

async function keepFailures(
  client: PoolClient,
  failures: readonly (Omit<ReadAttempt, "failure"> & NonNullable<ReadAttempt["failure"]>)[],
): Promise<void> {
  await client.query(
    `insert into dlms.read_failures (meter_id, started_at, ended_at, what, row_count, cause, evidence, next_step)
     select * from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::text[], $5::int[], $6::text[], $7::text[],
       $8::text[]) as f (meter_id, started_at, ended_at, what, row_count, cause, evidence, next_step)
     where not exists (
       select from dlms.read_failures held
       where held.meter_id = f.meter_id and held.started_at = f.started_at and held.what = f.what
         and held.ended_at = f.ended_at
     )`,
    [
      ...commonFields(failures),
      failures.map((each) => each.cause),
      failures.map((each) => each.evidence),
      failures.map((each) => each.nextStep),
    ],
  );
}

/** Reads of a meter end one after the other: what did not end after the last that was counted is counted already. */
async function countSuccesses(client: PoolClient, successes: readonly ReadAttempt[]): Promise<void> {
  await client.query(
    `insert into dlms.read_successes as s (meter_id, day, reads, row_count, started_at, ended_at, what)
     select r.meter_id, r.day, count(*), sum(r.row_count), max(r.started_at), max(r.ended_at),
       (array_agg(r.what order by r.ended_at desc))[1]
     from (
       select *, (started_at at time zone 'UTC')::date as day
       from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::text[], $5::int[])
         as a (meter_id, started_at, ended_at, what, row_count)
     ) r
     left join dlms.read_successes held on held.meter_id = r.meter_id and held.day = r.day
     where held.ended_at is null or r.ended_at > held.ended_at
     group by r.meter_id, r.day order by r.meter_id, r.day
     on conflict (meter_id, day) do update set reads = s.reads + excluded.reads, row_count = s.row_count + excluded.row_count,
       started_at = excluded.started_at, ended_at = excluded.ended_at, what = excluded.what`,
    commonFields(successes),
  );
}

function commonFields(attempts: readonly Omit<ReadAttempt, "failure">[]): unknown[][] {
  return [
    attempts.map((each) => each.meterId),
    attempts.map((each) => each.startedAt),
    attempts.map((each) => each.endedAt),
    attempts.map((each) => each.what),
    attempts.map((each) => each.rowCount),
  ];
}
