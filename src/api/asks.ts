/**
 * Reads that were asked for: each is carried out at once, and its result can be fetched for an hour. Who asks again with
 * the same key gets the same ask.
 */
import { randomUUID } from "node:crypto";
import { ApiError } from "./api-error.ts";
import { type ReadAnswer, type ReadRefusal, ReadRefusedError, type ReadWishes } from "./read-answer.ts";

export interface ReadAsk extends ReadWishes {
  readonly meter: string;
  readonly what: string;
}

export interface Ask {
  readonly id: string;
  readonly actor: string;
  readonly order: ReadAsk;
  readonly askedAt: Date;
  /** Resolves when the read has ended, however that was. */
  readonly ended: Promise<void>;
  endedAt?: Date;
  answer?: ReadAnswer;
  refusal?: ReadRefusal;
}

const KEPT_MS = 3_600_000;
const MOST_KEPT = 10_000;
const MOST_RUNNING = 1000;

export class Asks {
  readonly #read: (order: ReadAsk) => Promise<ReadAnswer>;
  /** Oldest first. */
  readonly #asks = new Map<string, Ask>();
  readonly #byKey = new Map<string, { readonly id: string; readonly order: string }>();
  #running = 0;

  constructor(read: (order: ReadAsk) => Promise<ReadAnswer>) {
    this.#read = read;
  }

  /**
   * The read of that order, which starts now, or the one that the same key started before: then `isNew` is false.
   * Throws ApiError.
   */
  ask(order: ReadAsk, actor: string, key?: string): { readonly ask: Ask; readonly isNew: boolean } {
    const held = key === undefined ? undefined : this.#byKey.get(`${actor}\n${key}`);
    const known = held === undefined ? undefined : this.#asks.get(held.id);
    if (known !== undefined) {
      if (held?.order !== JSON.stringify(order)) {
        throw new ApiError("conflict", "the idempotency key was used for another order");
      }
      return { ask: known, isNew: false };
    }
    if (this.#running >= MOST_RUNNING)
      throw new ApiError("unavailable", `${MOST_RUNNING} reads are under way; try later`);
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const ask: Ask = { id: randomUUID(), actor, order, askedAt: new Date(), ended };
    this.#forgetOld();
    this.#asks.set(ask.id, ask);
    if (key !== undefined) this.#byKey.set(`${actor}\n${key}`, { id: ask.id, order: JSON.stringify(order) });
    this.#running++;
    void this.#run(ask).then(end);
    return { ask, isNew: true };
  }

  find(id: string): Ask | undefined {
    return this.#asks.get(id);
  }

  async #run(ask: Ask): Promise<void> {
    try {
      ask.answer = await this.#read(ask.order);
    } catch (error) {
      ask.refusal = refusalOf(ask, error);
    } finally {
      ask.endedAt = new Date();
      this.#running--;
    }
  }

  #forgetOld(): void {
    const beforeMs = Date.now() - KEPT_MS;
    for (const [id, ask] of this.#asks) {
      if (this.#asks.size < MOST_KEPT && ask.askedAt.getTime() > beforeMs) break;
      if (ask.endedAt !== undefined) this.#asks.delete(id);
    }
    for (const [key, { id }] of this.#byKey) {
      if (this.#asks.has(id)) break;
      this.#byKey.delete(key);
    }
  }
}

function refusalOf({ order }: Ask, error: unknown): ReadRefusal {
  if (error instanceof ReadRefusedError) return error.refusal;
  const evidence = error instanceof Error ? error.message : "unknown";
  return { meter: order.meter, cause: "internal error", evidence, nextStep: "see the log of the gateway" };
}
