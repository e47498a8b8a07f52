import type { ReceivedPush } from "../../store/push/received-push.ts";

interface Waiting {
  readonly meterId: string;
  readonly pushSetup: string;
  readonly resolve: (arrived: boolean) => void;
}

/** Whether a push of the meter's setup, or one that names no setup, is kept that came after an instant. */
export type HasCome = (meterId: string, pushSetup: string, since: Date) => Promise<boolean>;

const LOOK_MS = 1000;

/** Who waits for a push that was ordered. */
export class PushArrivals {
  readonly #hasCome: HasCome;
  readonly #waiting = new Set<Waiting>();

  /** What other gateways have received is found by `hasCome`. */
  constructor(hasCome: HasCome) {
    this.#hasCome = hasCome;
  }

  /** Begins to listen at once; resolves with whether a push of the meter's setup came, or one that names no setup. */
  wait(
    meterId: string,
    pushSetup: string,
    { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
  ): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const since = new Date();
    const waiting = { meterId, pushSetup, resolve };
    this.#waiting.add(waiting);
    const giveUp = () => resolve(false);
    const timer = setTimeout(giveUp, timeoutMs);
    signal.addEventListener("abort", giveUp, { once: true });
    const look = setInterval(() => {
      // While the database is away, what comes here is heard all the same.
      this.#hasCome(meterId, pushSetup, since).then(
        (hasCome) => hasCome && resolve(true),
        () => undefined,
      );
    }, LOOK_MS);
    return promise.finally(() => {
      clearTimeout(timer);
      clearInterval(look);
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
