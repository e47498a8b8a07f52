/** What is written some time soon while nobody waits for it; kept and tried again while the database is away. */
import { BatchQueue } from "./batch-queue.ts";

const GROUP_DELAY_MS = 100;

export interface KeptLaterOptions<Item> {
  /** Safe to repeat. */
  readonly write: (items: readonly Item[]) => Promise<unknown>;
  /** Items that are kept at most. */
  readonly mostKept: number;
  /** Hears why an item could not be kept. */
  readonly onLost: (error: unknown) => void;
}

export class KeptLater<Item extends object> {
  readonly #options: KeptLaterOptions<Item>;
  readonly #queue: BatchQueue<Item & { readonly rowCount: number }, unknown>;

  constructor(options: KeptLaterOptions<Item>) {
    const { write, mostKept } = options;
    this.#options = options;
    this.#queue = new BatchQueue<Item & { readonly rowCount: number }, unknown>({
      write,
      writers: 1,
      groupDelayMs: GROUP_DELAY_MS,
      keptRows: mostKept,
    });
  }

  add(item: Item): void {
    const { mostKept, onLost } = this.#options;
    if (this.#queue.rows >= mostKept) {
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
