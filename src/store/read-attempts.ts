/** What came of every try to read a meter, gathered and written a second later at the latest; for people, not for billing. */
import type { Database } from "./database.ts";

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

const DELAY_MS = 1000;
const MOST_KEPT = 20_000;
const AT_ONCE = 1000;

export class ReadAttempts {
  readonly #database: Database;
  readonly #onLost: (error: unknown, count: number) => void;
  #kept: ReadAttempt[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  /** `onLost` hears how many attempts could not be written. */
  constructor(database: Database, onLost: (error: unknown, count: number) => void) {
    this.#database = database;
    this.#onLost = onLost;
  }

  add(attempt: ReadAttempt): void {
    this.#kept.push(attempt);
    if (this.#kept.length > MOST_KEPT)
      this.#onLost(new RangeError("too many at once"), this.#kept.splice(0, AT_ONCE).length);
    this.#timer ??= setTimeout(() => this.#write(), DELAY_MS);
  }

  /** Writes what is gathered. */
  async flush(): Promise<void> {
    this.#write();
    await this.#writing;
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const attempts = this.#kept;
    this.#kept = [];
    this.#writing = this.#writing.then(async () => {
      for (let at = 0; at < attempts.length; at += AT_ONCE) await this.#insert(attempts.slice(at, at + AT_ONCE));
    });
  }

  async #insert(attempts: readonly ReadAttempt[]): Promise<void> {
    try {
      await this.#database.query(
        `insert into dlms.read_attempts
           (meter_id, started_at, ended_at, what, succeeded, row_count, cause, evidence, next_step)
         select * from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::text[], $5::boolean[], $6::int[],
           $7::text[], $8::text[], $9::text[])`,
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
    } catch (error) {
      this.#onLost(error, attempts.length);
    }
  }
}
