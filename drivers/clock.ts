/** Time as those want it who wait for something. A simulation brings a clock of its own, which jumps from one event to the next. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds on a clock that never jumps. */
  elapsed(): number;
  /** Calls once after a time, or already after 2^31 − 1 milliseconds where that is longer. */
  after(delayMs: number, call: () => void): Timer;
}

/** A call that is still to come. */
export interface Timer {
  /** It comes no more. */
  close(): void;
  /** The timer alone is no reason for the process to live. */
  unref(): void;
}

/** A timer of the machine that is set for longer fires at once. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

class SystemTimer implements Timer {
  readonly #timeout: NodeJS.Timeout;

  constructor(delayMs: number, call: () => void) {
    this.#timeout = setTimeout(call, Math.min(delayMs, LONGEST_DELAY_MS));
  }

  close(): void {
    clearTimeout(this.#timeout);
  }

  unref(): void {
    this.#timeout.unref();
  }
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after: (delayMs, call) => new SystemTimer(delayMs, call),
};

/** Resolves after a time; rejects with the signal's reason when it is aborted before. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  if (signal?.aborted === true) {
    reject(signal.reason);
    return promise;
  }
  const abort = () => {
    timer.close();
    reject(signal?.reason);
  };
  const timer = clock.after(delayMs, () => {
    signal?.removeEventListener("abort", abort);
    resolve();
  });
  signal?.addEventListener("abort", abort, { once: true });
  return promise;
}
