import { DlmsError } from "../errors.ts";
import { type AadForm, type AeadKeys, type CipheredContent, open } from "./aead.ts";
import type { KeySet } from "./ciphered-apdu.ts";
import {
  type AuthenticationKey,
  type BlockCipherKey,
  type BroadcastKey,
  type DedicatedKey,
  requireSuiteLength,
  type SecretKey,
} from "./secret-key.ts";
import type { SecuritySuite } from "./suites.ts";
import type { SystemTitle } from "./system-title.ts";

export interface ProtectionKeys {
  readonly blockCipherKey?: BlockCipherKey;
  readonly authenticationKey?: AuthenticationKey;
  readonly broadcastKey?: BroadcastKey;
  readonly dedicatedKey?: DedicatedKey;
}

/** The members of a protection's options that say which keys there are and what their tags cover. */
interface KeyOptions {
  readonly suite: SecuritySuite;
  readonly keys: ProtectionKeys;
  readonly aadForm?: AadForm | undefined;
}

/** Content that one of the keys has opened. */
export interface OpenedContent {
  readonly plain: Uint8Array;
  readonly keySet: KeySet;
  /** Another key than the one announced has opened it. */
  readonly otherwise?: "broadcast-bit";
}

const KEY_NAMES = { global: "blockCipherKey", broadcast: "broadcastKey", dedicated: "dedicatedKey" } as const;

/** Which keys protect what is said with one peer at present; the dedicated one changes with an association. */
export class KeysInForce {
  readonly #options: KeyOptions;
  readonly #keySets: Record<KeySet, AeadKeys | undefined>;

  /** Throws SECURITY_KEY_LENGTH. */
  constructor(options: KeyOptions) {
    for (const key of Object.values(options.keys)) requireSuiteLength(key, options.suite);
    this.#options = options;
    this.#keySets = {
      global: this.#aeadKeys(options.keys.blockCipherKey),
      broadcast: this.#aeadKeys(options.keys.broadcastKey),
      dedicated: this.#aeadKeys(options.keys.dedicatedKey),
    };
  }

  /** Throws SECURITY_KEY_MISSING. */
  of(keySet: KeySet): AeadKeys {
    const keys = this.#keySets[keySet];
    if (keys === undefined) throw new DlmsError("SECURITY_KEY_MISSING", "caller", { key: KEY_NAMES[keySet] });
    return keys;
  }

  /** Whether a tag can be made and checked. */
  get authenticates(): boolean {
    return this.#options.keys.authenticationKey !== undefined || this.#options.aadForm === "empty";
  }

  /** Throws SECURITY_KEY_MISSING where no tag can be made or checked. */
  requireAuthenticationKey(): void {
    if (!this.authenticates) throw new DlmsError("SECURITY_KEY_MISSING", "caller", { key: "authenticationKey" });
  }

  /** False when there is no dedicated key, before and after. */
  useDedicated(key: DedicatedKey | undefined): boolean {
    if (key === undefined && this.#keySets.dedicated === undefined) return false;
    if (key !== undefined) requireSuiteLength(key, this.#options.suite);
    this.#keySets.dedicated = this.#aeadKeys(key);
    return true;
  }

  open(keySet: KeySet, sender: SystemTitle, content: CipheredContent): OpenedContent {
    return { plain: open(this.of(keySet), { sender }, content), keySet };
  }

  /** With the broadcast key; where the bit may be set wrongly, with the unicast key as well. */
  openBroadcast(sender: SystemTitle, content: CipheredContent, mayBeUnicast: boolean): OpenedContent {
    try {
      if (!mayBeUnicast || this.#keySets.broadcast !== undefined) return this.open("broadcast", sender, content);
    } catch (error) {
      if (!mayBeUnicast || !isTagMismatch(error)) throw error;
    }
    return { ...this.open("global", sender, content), otherwise: "broadcast-bit" };
  }

  #aeadKeys(encryption: SecretKey | undefined): AeadKeys | undefined {
    const { suite, keys, aadForm = "standard" } = this.#options;
    return encryption && { suite, encryption, authentication: keys.authenticationKey, aadForm };
  }
}

function isTagMismatch(error: unknown): boolean {
  return error instanceof DlmsError && error.code === "SECURITY_TAG_MISMATCH";
}
