import type { ReceivedPush } from "../store/push-history.ts";

interface Waiting {
  readonly meterId: string;
  readonly pushSetup: string;
  readonly resolve: (arrived: boolean) => void;
}

/** Who waits for a push that was ordered. */
export class PushArrivals {
  readonly #waiting = new Set<Waiting>();

  /** Begins to listen at once; resolves with whether a push of the meter's setup came, or one that names no setup. */
  wait(
    meterId: string,
    pushSetup: string,
    { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
  ): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiting = { meterId, pushSetup, resolve };
    this.#waiting.add(waiting);
    const giveUp = () => resolve(false);
    const timer = setTimeout(giveUp, timeoutMs);
    signal.addEventListener("abort", giveUp, { once: true });
    return promise.finally(() => {
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
      this.#waiting.delete(waiting);
    });
  }

  note({ meterId, pushSetup, outcome }: Pick<ReceivedPush, "meterId" | "pushSetup" | "outcome">): void {
    if (outcome === "rejected") return;
    for (const waiting of this.#waiting) {
      const isOurs = waiting.meterId === meterId && (pushSetup === undefined || waiting.pushSetup === pushSetup);
      if (isOurs) waiting.resolve(true);
    }
  }
}
