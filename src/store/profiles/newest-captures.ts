/** The newest capture time of each meter that is known: 8 octets a meter, by its key, of which meters have small ones. */
const MOST_METERS = 2 ** 24;
const FIRST_METERS = 1024;

export class NewestCaptures {
  /** NaN for what is not known. */
  #timesMs = new Float64Array(FIRST_METERS).fill(Number.NaN);

  /** -Infinity for a meter of which nothing is held; undefined where that is not known. */
  get(meterKey: number): number | undefined {
    const ms = this.#timesMs[meterKey] ?? Number.NaN;
    return Number.isNaN(ms) ? undefined : ms;
  }

  /** Of what is known already the later one stays. Keys beyond some millions are not remembered. */
  add(meterKey: number, ms: number): void {
    if (!(meterKey >= 0 && meterKey < MOST_METERS)) return;
    if (meterKey >= this.#timesMs.length) this.#grow(meterKey);
    this.#timesMs[meterKey] = Math.max(ms, this.get(meterKey) ?? -Infinity);
  }

  #grow(meterKey: number): void {
    const grown = new Float64Array(2 * meterKey).fill(Number.NaN);
    grown.set(this.#timesMs);
    this.#timesMs = grown;
  }
}
