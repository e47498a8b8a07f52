import { randomBytes } from "node:crypto";
import { type KeyRole, type SealingKey, SecretKey } from "../../protocol/security/secret-key.ts";
import type { Config } from "../config/schema.ts";
import { resolveKey } from "../config/secret.ts";
import type { Database } from "../store/database/database.ts";
import { KeyError } from "./key-error.ts";
import { type AssociationKeys, KeyStore, type SealingKeys } from "./key-store.ts";
import { KeyTable, RecordedKeyTable } from "./key-table.ts";
import type { SealedKey } from "./sealed-key.ts";

const SEALING_KEY_LENGTH = 32;

/**
 * The key store of a configuration; undefined where it names no sealing key. `recorded` are the keys of the time when the
 * database was last there, for the time that it is away. Throws ConfigError.
 */
export async function openKeyStore(
  keys: Config["keys"],
  database: Database,
  recorded: readonly SealedKey[] = [],
): Promise<KeyStore | undefined> {
  const sealingKeys = await sealingKeysOf(keys);
  if (sealingKeys === undefined) return undefined;
  return new KeyStore({
    storage: recorded.length === 0 ? new KeyTable(database) : new RecordedKeyTable(database, recorded),
    sealingKeys,
    randomOctets: (length) => new Uint8Array(randomBytes(length)),
  });
}

/** Undefined where the configuration names none. Throws ConfigError. */
export async function sealingKeysOf({
  sealingKey: first,
  formerSealingKeys,
}: Config["keys"]): Promise<SealingKeys | undefined> {
  if (first === undefined) return undefined;
  return [await sealingKey(first), ...(await Promise.all(formerSealingKeys.map(sealingKey)))];
}

/** Opens keys of one meter for one client as they are now; those that are asked for together are read together. */
export function storedKeys(
  store: KeyStore | undefined,
  meterId: string,
  clientSap: number,
): <R extends KeyRole>(role: R) => Promise<SecretKey<R>> {
  let reading: Promise<AssociationKeys> | undefined;
  return async (role) => {
    if (store === undefined) throw new KeyError("KEY_STORE_CLOSED", { role });
    reading ??= store.keysFor(meterId, clientSap).finally(() => {
      reading = undefined;
    });
    const key = (await reading)[role];
    if (key === undefined) throw new KeyError("KEY_NOT_STORED", { role, clientSap });
    return key;
  };
}

async function sealingKey(reference: string): Promise<SealingKey> {
  return new SecretKey("sealingKey", await resolveKey(reference, [SEALING_KEY_LENGTH]));
}
