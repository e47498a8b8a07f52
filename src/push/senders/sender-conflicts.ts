/** Pushes that point to more than one meter: each pair is told once in a while, not with each push. */
import type { EventSink } from "../../observe/events.ts";
import type { Conflict } from "./attribution.ts";

const AGAIN_MS = 3_600_000;
/** Pairs that are remembered; the one that was told longest ago is forgotten. */
const PAIRS = 10_000;

export class SenderConflicts {
  readonly #events: EventSink;
  readonly #toldMs = new Map<string, number>();

  constructor(events: EventSink) {
    this.#events = events;
  }

  /** `meter` is the meter that the push is taken for, or what its unknown sender calls itself. */
  tell(meter: string, conflicts: readonly Conflict[]): void {
    for (const { by, sender: other } of conflicts) {
      const pair = `${by} ${other.meterKey} ${meter}`;
      const toldMs = this.#toldMs.get(pair);
      if (toldMs !== undefined && performance.now() - toldMs < AGAIN_MS) continue;
      this.#remember(pair);
      this.#events({ event: "senderConflict", meter, other: other.name, clue: by });
    }
  }

  #remember(pair: string): void {
    this.#toldMs.delete(pair);
    const [oldest] = this.#toldMs.keys();
    if (oldest !== undefined && this.#toldMs.size >= PAIRS) this.#toldMs.delete(oldest);
    this.#toldMs.set(pair, performance.now());
  }
}
