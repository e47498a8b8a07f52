/** Meters that another gateway has asked what their pushes are: it is in the database, and is taken over from there. */
export class LearnedElsewhere {
  readonly #takeOver: (meterIds: readonly string[]) => Promise<void>;
  readonly #waiting = new Set<string>();
  #isTaking = false;

  constructor(takeOver: (meterIds: readonly string[]) => Promise<void>) {
    this.#takeOver = takeOver;
  }

  /** All that come while some are taken over are next. What failed is tried again with the next that comes. */
  add(meterId: string): void {
    this.#waiting.add(meterId);
    if (this.#isTaking) return;
    this.#isTaking = true;
    void this.#take().finally(() => (this.#isTaking = false));
  }

  async #take(): Promise<void> {
    while (this.#waiting.size > 0) {
      const meterIds = [...this.#waiting];
      this.#waiting.clear();
      try {
        await this.#takeOver(meterIds);
      } catch {
        for (const each of meterIds) this.#waiting.add(each);
        return;
      }
    }
  }
}
