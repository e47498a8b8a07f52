import { BatchQueue } from "./batch-queue.ts";
import type { Database } from "./database.ts";
import { type RawBuffer, RawBufferWriter } from "./raw-buffers.ts";

const GROUP_BUFFERS = 500;
const GROUP_DELAY_MS = 1000;
const MOST_KEPT = 5000;

/** Gathers buffers and writes them in groups. It holds nobody back: what comes while it is full is lost, and counted. */
export class RawBufferQueue {
  readonly #queue: BatchQueue<RawBuffer & { readonly rowCount: number }, undefined>;
  readonly #onLost: (count: number) => void;

  constructor(database: Database, onLost: (count: number) => void) {
    const writer = new RawBufferWriter(database);
    this.#onLost = onLost;
    this.#queue = new BatchQueue({
      write: async (buffers) => {
        await writer.write(buffers);
        return undefined;
      },
      writers: 1,
      groupRows: GROUP_BUFFERS,
      groupDelayMs: GROUP_DELAY_MS,
      keptRows: MOST_KEPT,
    });
  }

  add(buffer: RawBuffer): void {
    if (this.#queue.rows >= MOST_KEPT) {
      this.#onLost(1);
      return;
    }
    const lost = () => this.#onLost(1);
    this.#queue.put({ ...buffer, rowCount: 1 }).then(({ written }) => void written.catch(lost), lost);
  }

  /** Writes what is kept, as far as that can be done in time. */
  async stop(timeoutMs: number): Promise<void> {
    await this.#queue.stop(timeoutMs);
  }
}
