import { type Clock, systemClock, type Timer } from "../../../drivers/clock.ts";

const SECOND_MS = 1000;

/** Lets so many begin in each second, in their order. */
export class StartRate {
  readonly #clock: Clock;
  readonly #waiting: PromiseWithResolvers<void>[] = [];
  #perSecond: number;
  #secondEndsMs = -Infinity;
  #started = 0;
  #timer: Timer | undefined;

  constructor(perSecond: number, clock: Clock = systemClock) {
    this.#perSecond = perSecond;
    this.#clock = clock;
  }

  set perSecond(perSecond: number) {
    this.#perSecond = perSecond;
    this.#next();
  }

  /** Resolves when one may begin. Rejects where `clear` comes before. */
  turn(): Promise<void> {
    const waiting = Promise.withResolvers<void>();
    this.#waiting.push(waiting);
    this.#next();
    return waiting.promise;
  }

  /** Refuses those that wait. */
  clear(): void {
    this.#timer?.close();
    this.#timer = undefined;
    for (const { reject } of this.#waiting.splice(0)) reject(new Error("nothing more begins"));
  }

  #next(): void {
    const nowMs = this.#clock.elapsed();
    if (nowMs >= this.#secondEndsMs) {
      this.#secondEndsMs = nowMs + SECOND_MS;
      this.#started = 0;
    }
    const free = Math.max(0, this.#perSecond - this.#started);
    for (const { resolve } of this.#waiting.splice(0, free)) {
      this.#started++;
      resolve();
    }
    if (this.#waiting.length === 0 || this.#timer !== undefined) return;
    this.#timer = this.#clock.after(Math.ceil(this.#secondEndsMs - nowMs), () => {
      this.#timer = undefined;
      this.#next();
    });
  }
}
