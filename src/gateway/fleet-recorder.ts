/** The whole fleet is written each time. */
const REST_MS = 10_000;
/** What others have changed, as keys that were imported, is in the record after this time. */
const LONGEST_MS = 3_600_000;

/** Keeps the record for a start without the database as new as what it tells of. */
export class FleetRecorder implements AsyncDisposable {
  readonly #write: () => Promise<void>;
  #writing: Promise<void> = Promise.resolve();
  #writtenMs = -Infinity;
  #isOld = false;
  #timer: NodeJS.Timeout | undefined;

  /** `write` never rejects. */
  constructor(write: () => Promise<void>) {
    this.#write = write;
    this.#writeAfter(LONGEST_MS);
  }

  /** Something that it tells of has changed: it is written soon, and before the gateway ends. */
  renew(): void {
    if (this.#isOld) return;
    this.#isOld = true;
    this.#writeAfter(Math.max(0, this.#writtenMs + REST_MS - performance.now()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    await this.#writing;
    if (this.#isOld) await this.#write();
  }

  #writeAfter(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#isOld = false;
      this.#writing = this.#writing.then(this.#write).then(() => {
        this.#writtenMs = performance.now();
        if (!this.#isOld) this.#writeAfter(LONGEST_MS);
      });
    }, delayMs).unref();
  }
}
