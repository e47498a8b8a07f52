/** What came of every try to read a meter, gathered and written a second later at the latest; for people, not for billing. */
import type { PoolClient } from "pg";
import { type Clock, systemClock, type Timer } from "../../drivers/clock.ts";
import { type Database, isTransient } from "./database.ts";
import type { QueueSpool } from "./queue-spool.ts";

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

/** Keeps attempts in a transaction of the caller's; those that are held already are kept once. */
export async function keepAttempts(client: PoolClient, attempts: readonly ReadAttempt[]): Promise<void> {
  await client.query(
    `insert into dlms.read_attempts
       (meter_id, started_at, ended_at, what, succeeded, row_count, cause, evidence, next_step)
     select * from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::text[], $5::boolean[], $6::int[],
       $7::text[], $8::text[], $9::text[])
       as a (meter_id, started_at, ended_at, what, succeeded, row_count, cause, evidence, next_step)
     where not exists (
       select from dlms.read_attempts held
       where held.meter_id = a.meter_id and held.started_at = a.started_at and held.what = a.what
         and held.ended_at = a.ended_at and held.succeeded = a.succeeded
     )`,
    [
      attempts.map((each) => each.meterId),
      attempts.map((each) => each.startedAt),
      attempts.map((each) => each.endedAt),
      attempts.map((each) => each.what),
      attempts.map((each) => each.failure === undefined),
      attempts.map((each) => each.rowCount),
      attempts.map((each) => each.failure?.cause ?? null),
      attempts.map((each) => each.failure?.evidence ?? null),
      attempts.map((each) => each.failure?.nextStep ?? null),
    ],
  );
}
