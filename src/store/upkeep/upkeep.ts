/**
 * What has to be done in the database now and then, over a connection of its own without limits of time: sums by day, and
 * the deletion of what is older than it is to be kept. Nothing that is read depends on when it happens.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Database, openDatabase } from "../database/database.ts";
import { keepDailyLoad } from "./daily-load.ts";
import { notedUpkeep, UPKEEP_TASKS, type UpkeepTask } from "./upkeep-runs.ts";

export interface UpkeepOptions {
  readonly url: string;
  /** Hears why something could not be done; it is tried again. */
  readonly onFailure: (error: unknown) => void;
}

/** How often notes become due days. */
const TAKE_MS = 5_000;
/** After a failure; a database that is away is told of once a minute. */
const RETRY_MS = 60_000;
/** What runs longer when we stop is cancelled: it is undone, and done again another time. */
const STOP_MS = 5_000;

export class Upkeep {
  readonly #database: Database;
  readonly #name: string;
  readonly #onFailure: (error: unknown) => void;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;
  #pausedUntilMs = -Infinity;
  #summedMs = -Infinity;
  #aggregatedMs = -Infinity;
  #expiredMs = -Infinity;

  static async start(options: UpkeepOptions): Promise<Upkeep> {
    const { url, onFailure } = options;
    const name = `dlms-gateway upkeep ${randomUUID()}`;
    // The second connection cancels what the first is at.
    const database = await openDatabase({ url, connections: 2, applicationName: name, unlimited: true });
    return new Upkeep(database, name, onFailure);
  }

  private constructor(database: Database, name: string, onFailure: (error: unknown) => void) {
    this.#database = database;
    this.#name = name;
    this.#onFailure = onFailure;
    this.#timer = setInterval(() => this.#run(), TAKE_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.race([this.#running, sleep(STOP_MS, undefined, { ref: false })]);
    if (this.#running !== undefined) await this.#cancel().catch(this.#onFailure);
    await this.#running;
    await this.#database.close();
  }

  async #cancel(): Promise<void> {
    await this.#database.query(
      "select pg_cancel_backend(pid) from pg_stat_activity where application_name = $1::text and pid <> pg_backend_pid()",
      [this.#name],
    );
  }

  #run(): void {
    if (performance.now() < this.#pausedUntilMs) return;
    this.#running ??= this.#work()
      .catch((error: unknown) => {
        this.#pausedUntilMs = performance.now() + RETRY_MS;
        this.#onFailure(error);
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  async #work(): Promise<void> {
    const database = this.#database;
    const nowMs = performance.now();
    const isDue = (task: UpkeepTask, lastMs: number) => nowMs - lastMs >= UPKEEP_TASKS[task].everyMs;
    if (isDue("sums by day", this.#summedMs)) {
      await notedUpkeep(database, "sums by day", async () => {
        const { busyElsewhere, summed } = await keepDailyLoad(database, { sum: true, aggregate: false });
        return busyElsewhere ? undefined : summed;
      });
      this.#summedMs = nowMs;
    } else {
      await keepDailyLoad(database, { sum: false });
    }
    // Days are summed meter by meter; an aggregate takes a day of the whole fleet at once, and so more rarely.
    if (database.capabilities.continuousAggregates && isDue("continuous aggregate", this.#aggregatedMs)) {
      await notedUpkeep(database, "continuous aggregate", async () => {
        const { busyElsewhere, aggregated } = await keepDailyLoad(database, { sum: false, aggregate: true });
        return busyElsewhere ? undefined : aggregated;
      });
      this.#aggregatedMs = nowMs;
    }
    if (isDue("retention", this.#expiredMs)) {
      await notedUpkeep(database, "retention", async () => {
        const [row] = await database.query<{ gone: number }>("select dlms.drop_expired()::float8 as gone");
        return row?.gone;
      });
      this.#expiredMs = nowMs;
    }
  }
}
