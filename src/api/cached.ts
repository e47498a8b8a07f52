/** A value that is costly to make: made once for all who ask at the same time, and again when it has become old. */
export class Cached<Value> {
  readonly #make: () => Promise<Value>;
  readonly #keptMs: number;
  #held: { readonly value: Promise<Value>; readonly untilMs: number } | undefined;

  constructor(make: () => Promise<Value>, keptMs: number) {
    this.#make = make;
    this.#keptMs = keptMs;
  }

  /** Rejects as making it does; the next who asks tries again. */
  get(): Promise<Value> {
    const nowMs = Date.now();
    if (this.#held !== undefined && this.#held.untilMs > nowMs) return this.#held.value;
    const value = this.#make();
    this.#held = { value, untilMs: nowMs + this.#keptMs };
    value.catch(() => {
      this.#held = undefined;
    });
    return value;
  }
}
