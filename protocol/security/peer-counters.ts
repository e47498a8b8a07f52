import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { type ReplayPolicy, ReplayWindow } from "./replay-window.ts";
import { type SystemTitle, titleText } from "./system-title.ts";

/** A counter as it came, and whether a tag vouches for it. */
export interface SeenCounter {
  readonly invocationCounter: number;
  readonly verified: boolean;
}

/** The replay windows of all senders and key sets that one protection object meets; bounded in number. */
export class PeerCounters {
  readonly #policy: ReplayPolicy;
  readonly #windows = new Map<string, ReplayWindow>();

  constructor(policy: ReplayPolicy = "strict") {
    this.#policy = policy;
  }

  /** Sets where a sender's counter stands, as remembered from earlier sessions. */
  expect(keySet: string, sender: SystemTitle, lowestAcceptable: number): void {
    this.#windows.set(windowName(keySet, sender), new ReplayWindow(this.#policy, lowestAcceptable));
  }

  lowestAcceptable(keySet: string, sender: SystemTitle): number | undefined {
    return this.#windows.get(windowName(keySet, sender))?.lowestAcceptable;
  }

  /** Forgets every sender's counter under a key that is no longer in force. */
  forget(keySet: string): void {
    for (const name of this.#windows.keys()) if (name.startsWith(`${keySet} `)) this.#windows.delete(name);
  }

  /** False when the counter is too low and the policy only warns. Only a verified counter moves the window. */
  follow(keySet: string, sender: SystemTitle, seen: SeenCounter): boolean {
    const name = windowName(keySet, sender);
    const known = this.#windows.get(name);
    if (!seen.verified) return known?.check(seen.invocationCounter) ?? true;
    if (known !== undefined) return known.accept(seen.invocationCounter);
    if (this.#windows.size >= LIMITS.followedTitles)
      throw new DlmsError("LENGTH_OVER_LIMIT", "peer", { titles: this.#windows.size, limit: LIMITS.followedTitles });
    const window = new ReplayWindow(this.#policy);
    this.#windows.set(name, window);
    return window.accept(seen.invocationCounter);
  }
}

function windowName(keySet: string, title: SystemTitle): string {
  return `${keySet} ${titleText(title)}`;
}
