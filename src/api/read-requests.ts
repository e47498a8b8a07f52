/**
 * Reads that were asked for: each is carried out at once, and its result can be fetched for an hour. Who asks again with
 * the same key gets the same request.
 */
import { randomUUID } from "node:crypto";
import { ApiError } from "./api-error.ts";
import { type ReadAnswer, type ReadRefusal, ReadRefusedError, type ReadWishes } from "./read-answer.ts";

export interface RequestedRead extends ReadWishes {
  readonly meter: string;
  readonly what: string;
}

export interface ReadRequest {
  readonly id: string;
  readonly actor: string;
  readonly order: RequestedRead;
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

export class ReadRequests {
  readonly #read: (order: RequestedRead) => Promise<ReadAnswer>;
  /** Oldest first. */
  readonly #requests = new Map<string, ReadRequest>();
  readonly #byKey = new Map<string, { readonly id: string; readonly order: string }>();
  #running = 0;

  constructor(read: (order: RequestedRead) => Promise<ReadAnswer>) {
    this.#read = read;
  }

  /**
   * The read of that order, which starts now, or the one that the same key started before: then `isNew` is false.
   * Throws ApiError.
   */
  start(order: RequestedRead, actor: string, key?: string): { readonly request: ReadRequest; readonly isNew: boolean } {
    const held = key === undefined ? undefined : this.#byKey.get(`${actor}\n${key}`);
    const known = held === undefined ? undefined : this.#requests.get(held.id);
    if (known !== undefined) {
      if (held?.order !== JSON.stringify(order)) {
        throw new ApiError("conflict", "the idempotency key was used for another order");
      }
      return { request: known, isNew: false };
    }
    if (this.#running >= MOST_RUNNING)
      throw new ApiError("unavailable", `${MOST_RUNNING} reads are under way; try later`);
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const request: ReadRequest = { id: randomUUID(), actor, order, askedAt: new Date(), ended };
    this.#forgetOld();
    this.#requests.set(request.id, request);
    if (key !== undefined) this.#byKey.set(`${actor}\n${key}`, { id: request.id, order: JSON.stringify(order) });
    this.#running++;
    void this.#run(request).then(end);
    return { request, isNew: true };
  }

  find(id: string): ReadRequest | undefined {
    return this.#requests.get(id);
  }

  async #run(request: ReadRequest): Promise<void> {
    try {
      request.answer = await this.#read(request.order);
    } catch (error) {
      request.refusal = refusalOf(request, error);
    } finally {
      request.endedAt = new Date();
      this.#running--;
    }
  }

  #forgetOld(): void {
    const beforeMs = Date.now() - KEPT_MS;
    for (const [id, request] of this.#requests) {
      if (this.#requests.size < MOST_KEPT && request.askedAt.getTime() > beforeMs) break;
      if (request.endedAt !== undefined) this.#requests.delete(id);
    }
    for (const [key, { id }] of this.#byKey) {
      if (this.#requests.has(id)) break;
      this.#byKey.delete(key);
    }
  }
}

function refusalOf({ order }: ReadRequest, error: unknown): ReadRefusal {
  if (error instanceof ReadRefusedError) return error.refusal;
  const evidence = error instanceof Error ? error.message : "unknown";
  return { meter: order.meter, cause: "internal error", evidence, nextStep: "see the log of the gateway" };
}
