import type { KeyRole } from "../../protocol/security/secret-key.ts";

/** A key of all associations with a meter, in place of a client's SAP. */
export const ALL_ASSOCIATIONS = 0;

/** Which key: whose, for which client, in which role. */
export interface KeyName {
  readonly meterId: string;
  /** Client SAP of the association that the key is for, or ALL_ASSOCIATIONS. */
  readonly clientSap: number;
  readonly role: KeyRole;
}

/** `pending` is sent to the meter but not yet proven by an association; `retired` is kept for what it once protected. */
export type KeyState = "pending" | "active" | "retired";

/** A key as it is stored. */
export interface SealedKey extends KeyName {
  /** From 1, one higher with each change. */
  readonly version: number;
  readonly state: KeyState;
  readonly sealed: Uint8Array;
}

/** Where sealed keys lie. Holds no plain key and no sealing key. */
export interface SealedKeyStorage {
  /** The pending and active keys of a meter. */
  readMeter(meterId: string): Promise<readonly SealedKey[]>;
  /** Every key, retired ones too. */
  readAll(): Promise<readonly SealedKey[]>;
  /** The highest version that the name ever had; 0 for none. */
  highestVersion(name: KeyName): Promise<number>;
  /** Adds a version. An active one retires the one before, in the same step. Rejects when the version is there. */
  add(key: SealedKey): Promise<void>;
  /** Makes a pending version the active one and retires the one before, in one step. False when it is not pending. */
  activate(name: KeyName, version: number): Promise<boolean>;
  /** Gives up a version that is pending. */
  giveUp(name: KeyName, version: number): Promise<void>;
  /** Puts another envelope around the same key. */
  replaceEnvelope(name: KeyName, version: number, sealed: Uint8Array): Promise<void>;
}
