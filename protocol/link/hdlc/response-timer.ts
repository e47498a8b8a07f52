/** How long the client waits before it does something by itself: for the server's answer, between polls, when idle. */
export class ResponseTimer {
  #expiresMs: number | undefined;
  /** How far the end may be put off while a frame is coming in. */
  #latestMs = 0;

  get deadlineMs(): number | undefined {
    return this.#expiresMs;
  }

  /** The server has the turn. A frame that has begun by the end of the time is waited for, once as long again. */
  awaitAnswer(nowMs: number, timeoutMs: number): void {
    this.#expiresMs = nowMs + timeoutMs;
    this.#latestMs = nowMs + 2 * timeoutMs;
  }

  /** We have the turn and use it at this time, whatever comes. */
  pauseUntil(expiresMs: number | undefined, nowMs: number): void {
    this.#expiresMs = expiresMs;
    this.#latestMs = nowMs;
  }

  stop(): void {
    this.#expiresMs = undefined;
  }

  /** Whether the time is over; then the timer has stopped. `frameDeadlineMs` says until when a frame is coming in. */
  expires(nowMs: number, frameDeadlineMs: number | undefined): boolean {
    if (this.#expiresMs === undefined || nowMs < this.#expiresMs) return false;
    if (frameDeadlineMs !== undefined && nowMs < this.#latestMs) {
      this.#expiresMs = Math.min(this.#latestMs, frameDeadlineMs);
      return false;
    }
    this.#expiresMs = undefined;
    return true;
  }
}
