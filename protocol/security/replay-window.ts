import { DlmsError } from "../errors.ts";
import { MAX_INVOCATION_COUNTER } from "./suites.ts";

/** `strict` refuses a counter that is too low, `warn` accepts and tells: for meters whose counter falls back on reboot. */
export type ReplayPolicy = "strict" | "warn";

/**
 * The lowest invocation counter acceptable from one sender under one key. Gaps are allowed, repetition is not. `accept`
 * is for counters whose tag has been verified: an unverified one must not move the window.
 */
export class ReplayWindow {
  readonly #policy: ReplayPolicy;
  #lowest: number;

  constructor(policy: ReplayPolicy = "strict", lowestAcceptable = 0) {
    this.#policy = policy;
    this.#lowest = lowestAcceptable;
  }

  /** Above FFFFFFFF when the key is used up. */
  get lowestAcceptable(): number {
    return this.#lowest;
  }

  /** False when the counter is too low and the policy only warns; throws SECURITY_COUNTER_REPLAYED when it is strict. */
  check(invocationCounter: number): boolean {
    if (invocationCounter >= this.#lowest) return true;
    if (this.#policy === "warn") return false;
    throw new DlmsError("SECURITY_COUNTER_REPLAYED", "peer", {
      invocationCounter,
      lowestAcceptable: Math.min(this.#lowest, MAX_INVOCATION_COUNTER),
    });
  }

  /** Checks and moves the window past a verified counter. A counter accepted with a warning does not lower it. */
  accept(invocationCounter: number): boolean {
    const fresh = this.check(invocationCounter);
    if (fresh) this.#lowest = invocationCounter + 1;
    return fresh;
  }
}
