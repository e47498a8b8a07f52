/**
 * The front of a writer: gathers batches until there are enough rows or some time has passed, writes several groups at
 * once, and holds back whoever brings more than it may keep. What the database does not take in good time goes to the
 * spool, in order, and counts as written there; without a spool it is kept and tried again. What can never be written
 * is told to whoever brought it, batch by batch.
 */
import { type Clock, sleep, systemClock, type Timer } from "../../../drivers/clock.ts";
import type { ProfileBatch } from "../../profiles/batch.ts";
import { SpoolError } from "../../spool/spool-error.ts";
import { isTransient, storeFailure } from "../database/database.ts";
import { StoreError } from "../database/store-error.ts";
import type { WriteOutcome } from "../profiles/profile-writer.ts";
import type { QueueSpool } from "./queue-spool.ts";

export interface BatchQueueOptions<Batch, Outcome> {
  /** Writes batches in one transaction; safe to repeat. A repeat may have been written by the try before, whose answer was lost. */
  readonly write: (batches: readonly Batch[], attempt: { readonly isRepeat: boolean }) => Promise<Outcome>;
  /** Most groups that are written at the same time. */
  readonly writers: number;
  /** Rows that make a group full. */
  readonly groupRows?: number;
  /** How long the first batch of a group waits for others at most. */
  readonly groupDelayMs?: number;
  /** Rows that are kept at most before `put` waits. */
  readonly keptRows?: number;
  readonly onWritten?: (outcome: Outcome) => void;
  /** A group could not be written, nor spooled, and is tried again after `retryMs`. */
  readonly onRetry?: (error: Error, retryMs: number) => void;
  readonly spool?: QueueSpool<Batch>;
  readonly clock?: Clock;
}

/** What became of a batch that was put in. */
export interface PutBatch {
  /** Resolves when the batch is durable, in the database or in the spool; rejects with StoreError when it can't be. */
  readonly written: Promise<void>;
}

/** What the queue has to know of a batch. */
interface Countable {
  readonly rowCount: number;
}

interface Entry<Batch> {
  readonly batch: Batch;
  readonly sinceMs: number;
  readonly sinceStep: number;
  readonly written: PromiseWithResolvers<void>;
  settled: boolean;
}

const GROUP_ROWS = 5000;
const GROUP_DELAY_MS = 100;
const KEPT_ROWS = 50_000;
const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 10_000;
const SPOOL_RETRY_MS = 1000;
/** Patience is counted in steps: a process that stood still for long has waited one. */
const PATIENCE_STEPS = 4;
/** For the answer of a database that was given up. */
const LAST_WAIT_MS = 1000;

export class BatchQueue<Batch extends Countable = ProfileBatch, Outcome = WriteOutcome> {
  readonly #options: BatchQueueOptions<Batch, Outcome>;
  readonly #groupRows: number;
  readonly #groupDelayMs: number;
  readonly #keptRows: number;
  readonly #clock: Clock;
  #waiting: Entry<Batch>[] = [];
  #waitingRows = 0;
  #rows = 0;
  #unsettled = 0;
  readonly #running = new Map<Promise<void>, readonly Entry<Batch>[]>();
  #spooling: Promise<void> | undefined;
  #roomWanted: (() => void)[] = [];
  #timer: Timer | undefined;
  #patience: Timer | undefined;
  #step = 0;
  /** When a write was tried, or ended, last. */
  #triedMs = 0;
  #stopping = false;
  readonly #abandon = new AbortController();

  constructor(options: BatchQueueOptions<Batch, Outcome>) {
    this.#options = options;
    this.#groupRows = options.groupRows ?? GROUP_ROWS;
    this.#groupDelayMs = options.groupDelayMs ?? GROUP_DELAY_MS;
    this.#keptRows = options.keptRows ?? KEPT_ROWS;
    this.#clock = options.clock ?? systemClock;
  }

  /** Rows that are kept and not yet durable. */
  get rows(): number {
    return this.#rows;
  }

  /** For how long something is kept and nothing has been tried with it; 0 when nothing is kept. */
  get stalledMs(): number {
    return this.#unsettled === 0 ? 0 : this.#clock.elapsed() - this.#triedMs;
  }

  /** Takes a batch; resolves when there is room for it, which is not yet when it is written. Throws once stopped. */
  async put(batch: Batch): Promise<PutBatch> {
    // Without a spool a batch is taken in the same turn: `stop` may be called in the next.
    if (this.#options.spool !== undefined) await this.#options.spool.room(batch, () => this.#stopping);
    while (!this.#stopping && this.#rows > 0 && this.#rows + batch.rowCount > this.#keptRows) {
      await new Promise<void>((resolve) => this.#roomWanted.push(resolve));
    }
    if (this.#stopping) throw new StoreError("QUEUE_STOPPED");
    const written = Promise.withResolvers<void>();
    // Whoever does not look at the result must not end the process by it.
    written.promise.catch(() => undefined);
    this.#waiting.push({ batch, sinceMs: this.#clock.elapsed(), sinceStep: this.#step, written, settled: false });
    this.#waitingRows += batch.rowCount;
    this.#rows += batch.rowCount;
    if (this.#unsettled === 0) this.#triedMs = this.#clock.elapsed();
    this.#unsettled += 1;
    this.#watchPatience();
    this.#proceed();
    return { written: written.promise };
  }

  /** Hands all that is not durable to the spool: what is being written is older than what waits. */
  divert(): void {
    const writing = [...this.#running.values()].flat().filter((entry) => !entry.settled);
    this.#waiting = [...writing, ...this.#waiting];
    this.#waitingRows = rowsOf(this.#waiting);
    this.#proceed();
  }

  /** Goes on, with the database when the spool is empty. */
  resume(): void {
    this.#watchPatience();
    this.#proceed();
  }

  /** Ends when no write to the database runs any more. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.keys());
  }

  /** Writes all that is kept; what can't be written within `timeoutMs` is given up and its `written` rejects. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping = true;
    this.#wakeAll();
    const deadline = this.#clock.after(timeoutMs, () => this.#abandon.abort());
    const abandoned = new Promise<void>((resolve) => {
      this.#abandon.signal.addEventListener("abort", () => resolve(), { once: true });
    });
    while (this.#unsettled > 0 && !this.#abandon.signal.aborted) {
      this.#proceed();
      const spooling = this.#spooling === undefined ? [] : [this.#spooling];
      await Promise.race([...this.#running.keys(), ...spooling, abandoned]);
    }
    deadline.close();
    if (this.#unsettled > 0) await this.#abandonAll();
    this.#patience?.close();
  }

  /** What is being written may yet end; nobody can wait for it for ever. */
  async #abandonAll(): Promise<void> {
    this.#reject(this.#waiting.splice(0), new StoreError("QUEUE_STOPPED"));
    await Promise.race([this.settled(), sleep(this.#clock, LAST_WAIT_MS)]);
    this.#reject([...this.#running.values()].flat(), new StoreError("QUEUE_STOPPED"));
  }

  get #isSpooling(): boolean {
    return this.#options.spool?.engaged === true;
  }

  #proceed(): void {
    const { spool } = this.#options;
    if (this.#spooling !== undefined || this.#waiting.length === 0) return;
    if (spool?.engaged !== true) return this.#startGroups();
    if (spool.holding) return;
    this.#spooling = this.#spoolWaiting(spool).finally(() => {
      this.#spooling = undefined;
      if (!this.#abandon.signal.aborted) this.#proceed();
    });
  }

  #startGroups(): void {
    this.#timer?.close();
    while (this.#waiting.length > 0 && this.#running.size < this.#options.writers) {
      const waitMs = this.#stopping ? 0 : (this.#waiting[0]?.sinceMs ?? 0) + this.#groupDelayMs - this.#clock.elapsed();
      if (waitMs > 0 && this.#waitingRows < this.#groupRows) {
        this.#timer = this.#clock.after(waitMs, () => this.#proceed());
        return;
      }
      const group = this.#takeGroup();
      const run = this.#writeGroup(group).finally(() => {
        this.#running.delete(run);
        this.#proceed();
      });
      this.#running.set(run, group);
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

  /** Ends early when the group is handed to the spool. */
  async #writeGroup(group: readonly Entry<Batch>[], isLater = false): Promise<void> {
    let isRepeat = isLater;
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS)) {
      this.#triedMs = this.#clock.elapsed();
      try {
        const outcome = await this.#options.write(
          group.map((entry) => entry.batch),
          { isRepeat },
        );
        this.#options.onWritten?.(outcome);
        for (const entry of group) this.#settle(entry);
        return;
      } catch (error) {
        const failure = storeFailure(error);
        if (!isTransient(failure)) return this.#giveUp(group, failure);
        isRepeat = true;
        if (this.#abandon.signal.aborted) return this.#reject(group, failure);
        if (this.#isSpooling) return undefined;
        this.#options.onRetry?.(failure, retryMs);
        await sleep(this.#clock, retryMs, this.#abandon.signal).catch(() => undefined);
        if (group.every((entry) => entry.settled) || this.#isSpooling) return undefined;
      }
    }
  }

  /** One batch must not take the others of its group with it: each is tried alone. */
  async #giveUp(group: readonly Entry<Batch>[], failure: StoreError): Promise<void> {
    if (group.length === 1) return this.#reject(group, failure);
    for (const entry of group) await this.#writeGroup([entry], true);
  }

  async #spoolWaiting(spool: QueueSpool<Batch>): Promise<void> {
    while (this.#waiting.length > 0 && spool.engaged && !spool.holding) {
      const entries = this.#waiting.splice(0);
      this.#waitingRows = 0;
      const refused: Entry<Batch>[] = [];
      const appends = entries.map((entry) => this.#spool(spool, entry, refused));
      const failure = (await Promise.all(appends)).find((each) => each !== undefined);
      if (failure === undefined) continue;
      // Order is kept: what was refused goes before what came meanwhile.
      this.#waiting = [...refused, ...this.#waiting];
      this.#waitingRows = rowsOf(this.#waiting);
      this.#options.onRetry?.(failure, SPOOL_RETRY_MS);
      await sleep(this.#clock, SPOOL_RETRY_MS, this.#abandon.signal).catch(() => undefined);
      if (this.#abandon.signal.aborted) return;
    }
  }

  async #spool(spool: QueueSpool<Batch>, entry: Entry<Batch>, refused: Entry<Batch>[]): Promise<Error | undefined> {
    this.#triedMs = this.#clock.elapsed();
    try {
      await spool.append(entry.batch);
      this.#settle(entry);
      return undefined;
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      const isHopeless = !(failure instanceof SpoolError) || failure.code === "SPOOL_RECORD_INVALID";
      if (isHopeless) this.#settle(entry, failure);
      else if (!entry.settled) refused.push(entry);
      return isHopeless ? undefined : failure;
    }
  }

  #reject(entries: readonly Entry<Batch>[], failure: StoreError): void {
    for (const entry of entries) this.#settle(entry, failure);
  }

  #settle(entry: Entry<Batch>, failure?: Error): void {
    if (entry.settled) return;
    entry.settled = true;
    this.#triedMs = this.#clock.elapsed();
    this.#unsettled -= 1;
    this.#rows -= entry.batch.rowCount;
    if (failure === undefined) entry.written.resolve();
    else entry.written.reject(failure);
    this.#wakeAll();
  }

  /** A batch that the database leaves waiting is spooled, whatever it is that holds the database up. */
  #watchPatience(): void {
    const { spool } = this.#options;
    if (spool === undefined || spool.engaged || this.#unsettled === 0 || this.#patience !== undefined) return;
    this.#patience = this.#clock.after(spool.patienceMs / PATIENCE_STEPS, () => {
      this.#patience = undefined;
      this.#step += 1;
      const oldest = [...this.#running.values()].flat().find((entry) => !entry.settled) ?? this.#waiting[0];
      // The first of its steps had begun before it came.
      const isLate = oldest !== undefined && this.#step - oldest.sinceStep > PATIENCE_STEPS;
      if (isLate && !spool.engaged) spool.engage(`nothing was written for ${spool.patienceMs} ms`);
      this.#watchPatience();
    });
    // A batch that waits is held by whoever brought it; the watch alone is no reason for a process to live.
    this.#patience.unref();
  }

  #wakeAll(): void {
    for (const wake of this.#roomWanted.splice(0)) wake();
  }
}

function rowsOf(group: readonly Entry<Countable>[]): number {
  return group.reduce((sum, entry) => sum + entry.batch.rowCount, 0);
}
