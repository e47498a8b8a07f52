/**
 * The meters' keys, each sealed on its own and bound to its meter, client, role and version, so that a row copied to
 * another place opens nowhere. Keys leave as SecretKey objects, which never show their octets.
 */
import { Writer } from "../../protocol/bytes/writer.ts";
import { openEnvelope, sealEnvelope } from "../../protocol/security/sealed-envelope.ts";
import { type KeyRole, type SealingKey, SecretKey } from "../../protocol/security/secret-key.ts";
import { ALL_ASSOCIATIONS, type KeyName, type SealedKey, type SealedKeyStorage } from "./sealed-key.ts";

const BINDING = "dlms-gateway sealed key";

/** The first one seals; all of them open, so that a sealing key can be replaced. */
export type SealingKeys = readonly [SealingKey, ...SealingKey[]];

export interface KeyStoreOptions {
  readonly storage: SealedKeyStorage;
  readonly sealingKeys: SealingKeys;
  readonly randomOctets: (length: number) => Uint8Array;
}

/** The keys in force for one association; the role decides the type. */
export type AssociationKeys = { readonly [R in KeyRole]?: SecretKey<R> };

/** A key that was opened, and which one it is. */
export interface StoredKey extends KeyName {
  readonly version: number;
  readonly key: SecretKey;
}

export class KeyStore {
  readonly #options: KeyStoreOptions;
  #sealingKeys: SealingKeys;

  constructor(options: KeyStoreOptions) {
    this.#options = options;
    this.#sealingKeys = options.sealingKeys;
  }

  /** From now on these seal and open. */
  takeSealingKeys(sealingKeys: SealingKeys): void {
    this.#sealingKeys = sealingKeys;
  }

  /** The active keys for a client's association with a meter; a key for this client goes before one for all. */
  async keysFor(meterId: string, clientSap: number): Promise<AssociationKeys> {
    const active = await this.#open(meterId, "active");
    const general = active.filter((each) => each.clientSap === ALL_ASSOCIATIONS);
    const own = active.filter((each) => each.clientSap === clientSap);
    return Object.fromEntries([...general, ...own].map(({ role, key }) => [role, key]));
  }

  /** The active keys of a meter that no association is configured for: those for all clients before those for one. */
  async keysForAny(meterId: string): Promise<AssociationKeys> {
    const active = await this.#open(meterId, "active");
    // Of two with one role, the last one counts.
    const ordered = active.toSorted((a, b) => b.clientSap - a.clientSap);
    return Object.fromEntries(ordered.map(({ role, key }) => [role, key]));
  }

  /** The active key of that role: the client's own before the one for all. */
  async activeKey({ meterId, clientSap, role }: KeyName): Promise<StoredKey | undefined> {
    const active = (await this.#open(meterId, "active")).filter((each) => each.role === role);
    const of = (sap: number) => active.find((each) => each.clientSap === sap);
    return of(clientSap) ?? of(ALL_ASSOCIATIONS);
  }

  /** Meters that have keys. */
  async meters(): Promise<ReadonlySet<string>> {
    return new Set((await this.#options.storage.readAll()).map(({ meterId }) => meterId));
  }

  /** Keys that were sent to a meter and are not proven yet. */
  async pendingKeys(meterId: string): Promise<StoredKey[]> {
    return this.#open(meterId, "pending");
  }

  /** Stores a key as active, or as pending until `activate`; returns its version. */
  async put(name: Omit<KeyName, "role">, key: SecretKey, state: "pending" | "active" = "active"): Promise<number> {
    const full = { meterId: name.meterId, clientSap: name.clientSap, role: key.role };
    const version = (await this.#options.storage.highestVersion(full)) + 1;
    await this.#options.storage.add({ ...full, version, state, sealed: this.#seal(full, version, key.reveal()) });
    return version;
  }

  /** A pending key has been proven: it becomes the active one. False when it is no longer pending. */
  async activate(name: KeyName, version: number): Promise<boolean> {
    return this.#options.storage.activate(name, version);
  }

  /** A pending key has been refused by the meter. */
  async giveUp(name: KeyName, version: number): Promise<void> {
    return this.#options.storage.giveUp(name, version);
  }

  /** Seals every key again under the first sealing key; returns how many. May be repeated after an interruption. */
  async reseal(): Promise<number> {
    const all = await this.#options.storage.readAll();
    for (const each of all) {
      const sealed = this.#seal(each, each.version, this.#octets(each));
      await this.#options.storage.replaceEnvelope(each, each.version, sealed);
    }
    return all.length;
  }

  async #open(meterId: string, state: "pending" | "active"): Promise<StoredKey[]> {
    const sealed = await this.#options.storage.readMeter(meterId);
    return sealed
      .filter((each) => each.state === state)
      .map((each) => {
        const { clientSap, role, version } = each;
        return { meterId, clientSap, role, version, key: new SecretKey(role, this.#octets(each)) };
      });
  }

  #octets(each: SealedKey): Uint8Array {
    return openEnvelope(this.#sealingKeys, each.sealed, binding(each, each.version));
  }

  #seal(name: KeyName, version: number, octets: Uint8Array): Uint8Array {
    return sealEnvelope(this.#sealingKeys[0], octets, binding(name, version), this.#options.randomOctets);
  }
}

/** What an envelope is bound to; every part with its length. */
function binding(name: KeyName, version: number): Uint8Array {
  const text = new TextEncoder();
  const writer = new Writer().octetString(text.encode(BINDING)).octetString(text.encode(name.meterId));
  return writer.u32(name.clientSap).octetString(text.encode(name.role)).u32(version).finish();
}
