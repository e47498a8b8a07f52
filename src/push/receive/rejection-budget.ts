/**
 * How much of what can't be read is kept of one host. Noise and attacks must not fill the database: beyond its budget a
 * host's rejected octets are only counted, and the next one that is kept says how many were not.
 */

/** Records that a host may leave at once, and then in a second. */
export interface Allowance {
  readonly atOnce: number;
  readonly perSecond: number;
}

/** Hosts that are remembered; the one that was silent longest is forgotten. */
const HOSTS = 10_000;

interface Account {
  left: number;
  atMs: number;
  notKept: number;
}

export class RejectionBudget {
  readonly #allowance: Allowance;
  readonly #accounts = new Map<string, Account>();

  constructor(allowance: Allowance) {
    this.#allowance = allowance;
  }

  /** Spends one record; how many were not kept since the last one, or undefined when this one must not be either. */
  spend(host: string, nowMs: number): number | undefined {
    const account = this.#accountOf(host, nowMs);
    const { atOnce, perSecond } = this.#allowance;
    account.left = Math.min(atOnce, account.left + ((nowMs - account.atMs) / 1000) * perSecond);
    account.atMs = nowMs;
    if (account.left < 1) {
      account.notKept += 1;
      return undefined;
    }
    account.left -= 1;
    const { notKept } = account;
    account.notKept = 0;
    return notKept;
  }

  #accountOf(host: string, nowMs: number): Account {
    const account = this.#accounts.get(host) ?? { left: this.#allowance.atOnce, atMs: nowMs, notKept: 0 };
    this.#accounts.delete(host);
    const [oldest] = this.#accounts.keys();
    if (oldest !== undefined && this.#accounts.size >= HOSTS) this.#accounts.delete(oldest);
    this.#accounts.set(host, account);
    return account;
  }
}
