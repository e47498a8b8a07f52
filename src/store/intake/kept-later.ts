/** What is written some time soon while nobody waits for it; kept and tried again while the database is away. */
import { BatchQueue } from "./batch-queue.ts";

const GROUP_DELAY_MS = 100;

export interface KeptLaterOptions<Item> {
  /** Safe to repeat. */
  readonly write: (items: readonly Item[]) => Promise<unknown>;
  /** Items that are kept at most. */
  readonly mostKept: number;
  /** Items that are written at once. */
  readonly groupRows?: number;
  /** How long the first of them waits for others at most. */
  readonly groupDelayMs?: number;
  /** Hears which item could not be kept, and why. */
  readonly onLost: (error: unknown, item: Item) => void;
}

export class KeptLater<Item extends object> {
  readonly #options: KeptLaterOptions<Item>;
  readonly #queue: BatchQueue<Item & { readonly rowCount: number }, unknown>;

  constructor(options: KeptLaterOptions<Item>) {
    this.#options = options;
    this.#queue = new BatchQueue<Item & { readonly rowCount: number }, unknown>({
      groupDelayMs: GROUP_DELAY_MS,
      ...options,
      writers: 1,
      keptRows: options.mostKept,
    });
  }

  get isFull(): boolean {
    return this.#queue.rows >= this.#options.mostKept;
  }

  add(item: Item): void {
    const onLost = (error: unknown) => this.#options.onLost(error, item);
    if (this.isFull) {
      onLost(new Error("more has come than can be kept while the database is away"));
      return;
    }
    this.#queue.put({ ...item, rowCount: 1 }).then(({ written }) => void written.catch(onLost), onLost);
  }

  /** Writes what is kept, as far as that can be done in time. */
  async stop(timeoutMs: number): Promise<void> {
    await this.#queue.stop(timeoutMs);
  }
}
