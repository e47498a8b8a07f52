/**
 * Keys that came after the start: of meters that were adopted and are in no configuration, from the key store; of meters
 * of the configuration from wherever it says.
 */
import { type SystemTitle, systemTitle } from "../../../protocol/security/system-title.ts";
import type { Fleet } from "../../fleet/fleet.ts";
import type { AssociationKeys, KeyStore } from "../../keys/key-store.ts";
import type { FleetSenders } from "./fleet-senders.ts";
import type { SenderSecurity } from "./sender-directory.ts";

export interface StoredSenderKeysOptions {
  /** Undefined where the configuration names no sealing key. */
  readonly store: Pick<KeyStore, "keysForAny"> | undefined;
  readonly fleet: Pick<Fleet, "byKey">;
  readonly senders: Pick<FleetSenders, "targetOf" | "learnSecurity">;
}

const NO_TITLE: SystemTitle = systemTitle(new Uint8Array(8));
/** Of suite 2; suites 0 and 1 protect alike, and meters set the suite of pushes as they please. */
const LONG_KEY = 32;

export class StoredSenderKeys {
  readonly #options: StoredSenderKeysOptions;

  constructor(options: StoredSenderKeysOptions) {
    this.#options = options;
  }

  /** Fetches what is there now. Throws StoreError, and DlmsError for a key that is sealed under another sealing key. */
  async refresh(meterKeys: Iterable<number>): Promise<void> {
    const { store, fleet, senders } = this.#options;
    for (const key of meterKeys) {
      const target = senders.targetOf(key);
      const meter = fleet.byKey(key);
      if (target !== undefined) {
        target.lock?.();
        // One whose keys still can't be had has been told at the start, and is told again when it is visited.
        await target.unlock?.().catch(() => undefined);
      } else if (store !== undefined && meter !== undefined) {
        const security = securityOf(await store.keysForAny(meter.id));
        if (security !== undefined) senders.learnSecurity(key, security);
      }
    }
  }
}

/** Without a title of ours and counters, such a meter's pushes are opened, but not confirmed where they are ciphered. */
function securityOf({ blockCipherKey, authenticationKey }: AssociationKeys): SenderSecurity | undefined {
  if (blockCipherKey === undefined) return undefined;
  const suite = blockCipherKey.length === LONG_KEY ? 2 : 0;
  return { suite, ownSystemTitle: NO_TITLE, blockCipherKey, authenticationKey };
}
