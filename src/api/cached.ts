/** Answers that are costly to make: each is made once for all who ask the same at the same time, and kept for a while. */

export interface KeptFor {
  /** An answer of this age is as good as a new one; so is one for twenty times as long as it took to make. */
  readonly freshMs: number;
  /** One of this age is given at once, while a new one is made. */
  readonly usableMs: number;
}

interface Held<Value> {
  readonly value: Promise<Value>;
  madeMs: number;
  freshMs: number;
  isRenewing: boolean;
}

const MOST_HELD = 200;
/** Making takes no more than this share of the time, whoever looks on. */
const MOST_MAKING = 1 / 20;

export class CachedAnswers<Value> {
  readonly #keptFor: KeptFor;
  readonly #held = new Map<string, Held<Value>>();

  constructor(keptFor: KeptFor) {
    this.#keptFor = keptFor;
  }

  /** `question` names the answer that `make` makes. Rejects as making it does; the next who asks tries again. */
  get(question: string, make: () => Promise<Value>): Promise<Value> {
    const held = this.#held.get(question);
    const ageMs = held === undefined ? Number.POSITIVE_INFINITY : Date.now() - held.madeMs;
    if (held === undefined || ageMs >= this.#keptFor.usableMs) return this.#hold(question, make());
    if (ageMs >= held.freshMs && !held.isRenewing) void this.#renew(question, held, make);
    return held.value;
  }

  /** Who asks when it is too old to be given learns why there is no newer one. */
  async #renew(question: string, held: Held<Value>, make: () => Promise<Value>): Promise<void> {
    held.isRenewing = true;
    const startedMs = Date.now();
    try {
      const value = await make();
      void this.#hold(question, Promise.resolve(value), startedMs);
    } catch {
      held.isRenewing = false;
    }
  }

  #hold(question: string, value: Promise<Value>, startedMs = Date.now()): Promise<Value> {
    const held: Held<Value> = { value, madeMs: Date.now(), freshMs: this.#keptFor.freshMs, isRenewing: false };
    this.#held.delete(question);
    this.#held.set(question, held);
    const [oldest] = this.#held.keys();
    if (this.#held.size > MOST_HELD && oldest !== undefined) this.#held.delete(oldest);
    value.then(
      () => {
        held.madeMs = Date.now();
        held.freshMs = Math.max(held.freshMs, (held.madeMs - startedMs) / MOST_MAKING);
      },
      () => {
        if (this.#held.get(question) === held) this.#held.delete(question);
      },
    );
    return value;
  }
}
