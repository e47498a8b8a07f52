/**
 * What was asked of a meter, a read or an order: each is carried out at once, and its result can be fetched for an hour.
 * Who asks again with the same key gets the same request.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { requestProgress } from "./answers/requests.ts";
import { ApiError } from "./api-error.ts";
import type { Caller } from "./callers.ts";
import { type ReadRefusal, ReadRefusedError, type ReadWishes } from "./read-answer.ts";

export interface RequestedRead extends ReadWishes {
  readonly meter: string;
  readonly what: string;
}

export interface MeterRequest<Order, Answer> {
  readonly id: string;
  /** Named in the log; `owner` alone may follow it. */
  readonly actor: string;
  readonly owner: string;
  readonly order: Order;
  /** Of the owner and the idempotency key, where there was one. */
  readonly key: string | undefined;
  readonly askedAt: Date;
  /** Resolves when it has been carried out, however that ended. */
  readonly ended: Promise<void>;
  endedAt?: Date;
  answer?: Answer;
  /** What the answer takes up, in cells of a table. */
  cells: number;
  refusal?: ReadRefusal;
}

/** Hears of each request that has ended: what it was, and whether the meter did it. */
export type RequestEnded = (
  request: Pick<MeterRequest<{ readonly meter: string }, unknown>, "id" | "order" | "actor" | "askedAt" | "endedAt">,
  outcome: { readonly kind: string; readonly done: boolean },
) => void;

/** What a request of the API says that follows one of these. */
export const followed = {
  params: z.object({ id: z.uuid() }),
  query: z.object({ wait: z.coerce.number().min(0).max(60).default(0).describe("Seconds to wait for its end.") }),
};

const SECOND_MS = 1000;
const KEPT_MS = 3_600_000;
const MOST_KEPT = 10_000;
const MOST_RUNNING = 1000;
/** Whoever asks for a thousand meters that call in once a day leaves room for others. */
const MOST_RUNNING_OF_ONE = 500;
/** Cells of all answers that are kept: some hundred megabytes. */
const MOST_CELLS = 2_000_000;

export class MeterRequests<Order extends { readonly meter: string }, Answer> {
  readonly #carryOut: (order: Order, actor: string) => Promise<Answer>;
  readonly #onEnded: (request: MeterRequest<Order, Answer>) => void;
  readonly #cellsOf: (answer: Answer) => number;
  /** Oldest first. */
  readonly #requests = new Map<string, MeterRequest<Order, Answer>>();
  readonly #byKey = new Map<string, MeterRequest<Order, Answer>>();
  readonly #runningOf = new Map<string, number>();
  #running = 0;
  #cells = 0;

  constructor(
    carryOut: (order: Order, actor: string) => Promise<Answer>,
    onEnded: (request: MeterRequest<Order, Answer>) => void,
    cellsOf: (answer: Answer) => number = () => 1,
  ) {
    this.#carryOut = carryOut;
    this.#onEnded = onEnded;
    this.#cellsOf = cellsOf;
  }

  /**
   * The request of that order, which starts now, or the one that the same key started before: then `isNew` is false.
   * Throws ApiError.
   */
  start(
    order: Order,
    { id: owner, actor }: Pick<Caller, "id" | "actor">,
    idempotencyKey?: string,
  ): { readonly request: MeterRequest<Order, Answer>; readonly isNew: boolean } {
    const key = idempotencyKey === undefined ? undefined : `${owner}\n${idempotencyKey}`;
    const known = key === undefined ? undefined : this.#byKey.get(key);
    if (known !== undefined) {
      if (JSON.stringify(known.order) !== JSON.stringify(order)) {
        throw new ApiError("conflict", "the idempotency key was used for another order");
      }
      return { request: known, isNew: false };
    }
    this.#refuseTooMany(owner);
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const about = { id: randomUUID(), actor, owner, order, key, askedAt: new Date() };
    const request: MeterRequest<Order, Answer> = { ...about, ended, cells: 0 };
    this.#requests.set(request.id, request);
    if (key !== undefined) this.#byKey.set(key, request);
    this.#forgetOld();
    this.#running++;
    this.#runningOf.set(owner, (this.#runningOf.get(owner) ?? 0) + 1);
    void this.#run(request).then(end);
    return { request, isNew: true };
  }

  /** What the owner has asked for, as soon as it has ended or the time is over. Throws ApiError. */
  async follow(id: string, { id: owner }: Pick<Caller, "id">, waitS: number): Promise<MeterRequest<Order, Answer>> {
    const found = this.#requests.get(id);
    if (found === undefined || found.owner !== owner) {
      throw new ApiError("not-found", "nothing of that id was asked for, or it was more than an hour ago");
    }
    await Promise.race([found.ended, sleep(waitS * SECOND_MS, undefined, { ref: false })]);
    return found;
  }

  #refuseTooMany(owner: string): void {
    if (this.#running >= MOST_RUNNING) throw new ApiError("unavailable", `${MOST_RUNNING} are under way; try later`);
    if ((this.#runningOf.get(owner) ?? 0) >= MOST_RUNNING_OF_ONE) {
      throw new ApiError("too-many-requests", `${MOST_RUNNING_OF_ONE} of yours are under way; try later`);
    }
  }

  async #run(request: MeterRequest<Order, Answer>): Promise<void> {
    try {
      request.answer = await this.#carryOut(request.order, request.actor);
      request.cells = this.#cellsOf(request.answer);
      this.#cells += request.cells;
    } catch (error) {
      request.refusal = refusalOf(request.order, error);
    } finally {
      request.endedAt = new Date();
      this.#running--;
      const left = (this.#runningOf.get(request.owner) ?? 1) - 1;
      if (left === 0) this.#runningOf.delete(request.owner);
      else this.#runningOf.set(request.owner, left);
      this.#forgetOld();
      this.#onEnded(request);
    }
  }

  #forgetOld(): void {
    const beforeMs = Date.now() - KEPT_MS;
    for (const [id, request] of this.#requests) {
      const isRoom = this.#requests.size <= MOST_KEPT && this.#cells <= MOST_CELLS;
      if (isRoom && request.askedAt.getTime() > beforeMs) break;
      // However large the last answer is, whoever asked gets it.
      if (request.endedAt === undefined || this.#cells === request.cells) continue;
      this.#cells -= request.cells;
      this.#requests.delete(id);
      if (request.key !== undefined) this.#byKey.delete(request.key);
    }
  }
}

/** How far it is, in the form that is answered. */
export function progressOf<Order extends { readonly meter: string }, Answer>(
  request: MeterRequest<Order, Answer>,
): z.output<typeof requestProgress> {
  const { id, order, askedAt, endedAt, answer, refusal = null } = request;
  const ended = answer === undefined ? "failed" : "done";
  return {
    id,
    meter: order.meter,
    state: endedAt === undefined ? "running" : ended,
    askedAt: askedAt.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
    refusal,
  };
}

function refusalOf({ meter }: { readonly meter: string }, error: unknown): ReadRefusal {
  if (error instanceof ReadRefusedError) return error.refusal;
  const evidence = error instanceof Error ? error.message : "unknown";
  if (error instanceof ApiError && error.kind === "not-found") {
    const nextStep = "see `dlms-gateway meters list`; a meter that was removed is worked again after `meters add`";
    return { meter, cause: "not worked", evidence, nextStep };
  }
  return { meter, cause: "internal error", evidence, nextStep: "see the log of the gateway" };
}
