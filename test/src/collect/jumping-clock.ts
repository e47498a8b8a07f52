import type { Clock } from "../../../drivers/clock.ts";

/** Goes from one timer to the next. */
export class JumpingClock implements Clock {
  nowMs: number;
  #timers: { readonly atMs: number; readonly call: () => void }[] = [];

  constructor(nowMs: number) {
    this.nowMs = nowMs;
  }

  now(): number {
    return this.nowMs;
  }

  elapsed(): number {
    return this.nowMs;
  }

  after(delayMs: number, call: () => void) {
    const timer = { atMs: this.nowMs + delayMs, call };
    this.#timers.push(timer);
    const close = () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
    return { close, unref: () => undefined };
  }

  get timerCount(): number {
    return this.#timers.length;
  }

  advance(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      const [next] = this.#timers.filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((each) => each !== next);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.call();
    }
    this.nowMs = endMs;
  }
}
