import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { type ReplayPolicy, ReplayWindow } from "./replay-window.ts";
import { type SystemTitle, sameTitle, titleText } from "./system-title.ts";

/** A counter as it came, and whether a tag vouches for it. */
export interface SeenCounter {
  readonly invocationCounter: number;
  readonly verified: boolean;
}

/** The lowest counter that a sender may use under a key set, as it is known from earlier; undefined for a new sender. */
export type RememberedCounter = (keySet: string, sender: SystemTitle) => number | undefined;

/**
 * The replay windows of all senders and key sets that one protection object meets; bounded in number. Counters without
 * a tag have windows of their own: whoever forges one can at most shut out other APDUs without a tag.
 */
export class PeerCounters {
  readonly #policy: ReplayPolicy;
  readonly #remembered: RememberedCounter;
  readonly #verified = new Map<string, ReplayWindow>();
  readonly #unverified = new Map<string, ReplayWindow>();
  /** The names that were built last; nearly always the next APDU has the same sender and key set. */
  #named: { readonly keySet: string; readonly sender: SystemTitle; readonly name: string } | undefined;

  constructor(policy: ReplayPolicy = "strict", remembered: RememberedCounter = () => undefined) {
    this.#policy = policy;
    this.#remembered = remembered;
  }

  /** Sets where a sender's counter stands, as remembered from earlier sessions. */
  expect(keySet: string, sender: SystemTitle, lowestAcceptable: number): void {
    this.#verified.set(this.#name(keySet, sender), new ReplayWindow(this.#policy, lowestAcceptable));
  }

  /** Of verified counters; undefined before the first. */
  lowestAcceptable(keySet: string, sender: SystemTitle): number | undefined {
    return this.#verified.get(this.#name(keySet, sender))?.lowestAcceptable;
  }

  /** Forgets every sender's counter under a key that is no longer in force. */
  forget(keySet: string): void {
    for (const windows of [this.#verified, this.#unverified])
      for (const name of windows.keys()) if (name.startsWith(`${keySet} `)) windows.delete(name);
  }

  /** Moves the sender's window past the counter. False when it is too low and the policy only warns. */
  follow(keySet: string, sender: SystemTitle, { invocationCounter, verified }: SeenCounter): boolean {
    const name = this.#name(keySet, sender);
    const known = this.#verified.get(name) ?? new ReplayWindow(this.#policy, this.#remembered(keySet, sender));
    if (verified) return keptIn(this.#verified, name, known).accept(invocationCounter);
    const fresh = known.check(invocationCounter);
    const unverified = this.#unverified.get(name) ?? new ReplayWindow(this.#policy);
    return keptIn(this.#unverified, name, unverified).accept(invocationCounter) && fresh;
  }

  #name(keySet: string, sender: SystemTitle): string {
    const last = this.#named;
    if (last !== undefined && last.keySet === keySet && sameTitle(last.sender, sender)) return last.name;
    const name = `${keySet} ${titleText(sender)}`;
    this.#named = { keySet, sender, name };
    return name;
  }
}

function keptIn(windows: Map<string, ReplayWindow>, name: string, window: ReplayWindow): ReplayWindow {
  if (windows.has(name)) return window;
  if (windows.size >= LIMITS.followedTitles)
    throw new DlmsError("LENGTH_OVER_LIMIT", "peer", { titles: windows.size, limit: LIMITS.followedTitles });
  windows.set(name, window);
  return window;
}
