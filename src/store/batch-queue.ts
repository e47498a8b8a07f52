/**
 * The front of a writer: gathers batches until there are enough rows or some time has passed, writes several
 * groups at once, and holds back whoever brings more than it may keep. While the database can't be written to, groups
 * are kept in order and tried again; what can never be written is told to whoever brought it, batch by batch.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ProfileBatch } from "../profiles/batch.ts";
import { isTransient, storeFailure } from "./database.ts";
import type { WriteOutcome } from "./profile-writer.ts";
import { StoreError } from "./store-error.ts";

export interface BatchQueueOptions<Batch, Outcome> {
  /** Writes batches in one transaction; safe to repeat. */
  readonly write: (batches: readonly Batch[]) => Promise<Outcome>;
  /** Most groups that are written at the same time. */
  readonly writers: number;
  /** Rows that make a group full. */
  readonly groupRows?: number;
  /** How long the first batch of a group waits for others at most. */
  readonly groupDelayMs?: number;
  /** Rows that are kept at most before `put` waits. */
  readonly keptRows?: number;
  readonly onWritten?: (outcome: Outcome) => void;
  /** A group could not be written and is tried again after `retryMs`. */
  readonly onRetry?: (error: StoreError, retryMs: number) => void;
}

/** What became of a batch that was put in. */
export interface PutBatch {
  /** Resolves when the batch is durable in the database; rejects with StoreError when it can't be written. */
  readonly written: Promise<void>;
}

/** What the queue has to know of a batch. */
interface Countable {
  readonly rowCount: number;
}

interface Entry<Batch> {
  readonly batch: Batch;
  readonly sinceMs: number;
  readonly written: PromiseWithResolvers<void>;
}

const GROUP_ROWS = 5000;
const GROUP_DELAY_MS = 100;
const KEPT_ROWS = 50_000;
const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 10_000;

export class BatchQueue<Batch extends Countable = ProfileBatch, Outcome = WriteOutcome> {
  readonly #options: BatchQueueOptions<Batch, Outcome>;
  readonly #groupRows: number;
  readonly #groupDelayMs: number;
  readonly #keptRows: number;
  readonly #waiting: Entry<Batch>[] = [];
  #waitingRows = 0;
  #rows = 0;
  #running = new Set<Promise<void>>();
  #roomWanted: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #stopping = false;
  readonly #abandon = new AbortController();

  constructor(options: BatchQueueOptions<Batch, Outcome>) {
    this.#options = options;
    this.#groupRows = options.groupRows ?? GROUP_ROWS;
    this.#groupDelayMs = options.groupDelayMs ?? GROUP_DELAY_MS;
    this.#keptRows = options.keptRows ?? KEPT_ROWS;
  }

  /** Rows that are kept and not yet durable. */
  get rows(): number {
    return this.#rows;
  }

  /** Takes a batch; resolves when there is room for it, which is not yet when it is written. Throws once stopped. */
  async put(batch: Batch): Promise<PutBatch> {
    while (!this.#stopping && this.#rows > 0 && this.#rows + batch.rowCount > this.#keptRows) {
      await new Promise<void>((resolve) => this.#roomWanted.push(resolve));
    }
    if (this.#stopping) throw new StoreError("QUEUE_STOPPED");
    const written = Promise.withResolvers<void>();
    // Whoever does not look at the result must not end the process by it.
    written.promise.catch(() => undefined);
    this.#waiting.push({ batch, sinceMs: performance.now(), written });
    this.#waitingRows += batch.rowCount;
    this.#rows += batch.rowCount;
    this.#startGroups();
    return { written: written.promise };
  }

  /** Writes all that is kept; what can't be written within `timeoutMs` is given up and its `written` rejects. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping = true;
    this.#wakeAll();
    const deadline = setTimeout(() => this.#abandon.abort(), timeoutMs);
    while (this.#waiting.length > 0 || this.#running.size > 0) {
      this.#startGroups();
      await Promise.race(this.#running);
    }
    clearTimeout(deadline);
  }

  #startGroups(): void {
    clearTimeout(this.#timer);
    while (this.#waiting.length > 0 && this.#running.size < this.#options.writers) {
      const waitMs = this.#stopping ? 0 : (this.#waiting[0]?.sinceMs ?? 0) + this.#groupDelayMs - performance.now();
      if (waitMs > 0 && this.#waitingRows < this.#groupRows) {
        this.#timer = setTimeout(() => this.#startGroups(), waitMs);
        return;
      }
      const group = this.#takeGroup();
      const run = this.#writeGroup(group).finally(() => {
        this.#running.delete(run);
        this.#rows -= rowsOf(group);
        this.#wakeAll();
        this.#startGroups();
      });
      this.#running.add(run);
    }
  }

  #takeGroup(): Entry<Batch>[] {
    let rows = 0;
    let count = 0;
    while (count < this.#waiting.length && (count === 0 || rows < this.#groupRows)) {
      rows += this.#waiting[count]?.batch.rowCount ?? 0;
      count += 1;
    }
    this.#waitingRows -= rows;
    return this.#waiting.splice(0, count);
  }

  async #writeGroup(group: readonly Entry<Batch>[]): Promise<void> {
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS)) {
      try {
        const outcome = await this.#options.write(group.map((entry) => entry.batch));
        this.#options.onWritten?.(outcome);
        for (const entry of group) entry.written.resolve();
        return;
      } catch (error) {
        const failure = storeFailure(error);
        if (!isTransient(failure)) return this.#giveUp(group, failure);
        if (this.#abandon.signal.aborted) return this.#reject(group, failure);
        this.#options.onRetry?.(failure, retryMs);
        await sleep(retryMs, undefined, { signal: this.#abandon.signal }).catch(() => undefined);
      }
    }
  }

  /** One batch must not take the others of its group with it: each is tried alone. */
  async #giveUp(group: readonly Entry<Batch>[], failure: StoreError): Promise<void> {
    if (group.length === 1) return this.#reject(group, failure);
    for (const entry of group) await this.#writeGroup([entry]);
  }

  #reject(group: readonly Entry<Batch>[], failure: StoreError): void {
    for (const entry of group) entry.written.reject(failure);
  }

  #wakeAll(): void {
    for (const wake of this.#roomWanted.splice(0)) wake();
  }
}

function rowsOf(group: readonly Entry<Countable>[]): number {
  return group.reduce((sum, entry) => sum + entry.batch.rowCount, 0);
}
