/** Where the invocation counters of meters stand: of what the database held at the start, and of what came since. */
import { toHex } from "../../../protocol/bytes/hex.ts";
import { keyFingerprint, type SecretKey } from "../../../protocol/security/secret-key.ts";
import type { SystemTitle } from "../../../protocol/security/system-title.ts";
import type { PushCounter } from "../../store/push/push-counters.ts";

/** What is remembered of counters, for whoever begins to follow them. */
export interface CounterMemory {
  /** Whether it is known what came before. */
  readonly isWhole: boolean;
  /** The lowest counter that has not been used; undefined for a meter that has not pushed under this key. */
  lowestAcceptable(key: SecretKey, sender: SystemTitle): number | undefined;
}

const PURPOSE = "push counter";
const KEY_IDS = new WeakMap<SecretKey, string>();

/** What the counters of a key are remembered by. */
export function pushKeyId(key: SecretKey): string {
  const known = KEY_IDS.get(key) ?? toHex(keyFingerprint(key, PURPOSE));
  KEY_IDS.set(key, known);
  return known;
}

export class PushCounters implements CounterMemory {
  readonly #highest = new Map<string, number>();
  #isWhole = false;

  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Takes what the database holds: from now on it is known what came before. Nothing when that is not to be had. */
  learn(counters: readonly PushCounter[] | undefined): void {
    if (counters === undefined) return;
    for (const counter of counters) this.note(counter);
    this.#isWhole = true;
  }

  note({ keyId, systemTitle, invocationCounter }: PushCounter): void {
    const name = nameOf(keyId, systemTitle);
    this.#highest.set(name, Math.max(invocationCounter, this.#highest.get(name) ?? 0));
  }

  lowestAcceptable(key: SecretKey, sender: SystemTitle): number | undefined {
    const highest = this.#highest.get(nameOf(pushKeyId(key), sender));
    return highest === undefined ? undefined : highest + 1;
  }
}

function nameOf(keyId: string, systemTitle: Uint8Array): string {
  return `${keyId} ${toHex(systemTitle)}`;
}
