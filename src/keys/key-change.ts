/**
 * Gives a meter a new key in two phases. The key is kept as pending before the meter is told, and becomes the active one
 * when an association has proven it; so whenever this is cut short, the key that the meter has is in the store, and
 * `settle` finds out which one that is. A key that both agree on is known with the meter's answer only: until then a key
 * that nobody has is pending in its place, so that `settle` tells whether the old one still holds.
 */

import { fromHex } from "../../protocol/bytes/hex.ts";
import { logicalNameToOctets } from "../../protocol/cosem/obis.ts";
import { DlmsError } from "../../protocol/errors.ts";
import { SecretKey } from "../../protocol/security/secret-key.ts";
import type { SetupKey } from "../../protocol/security/security-setup-client.ts";
import { systemTitle } from "../../protocol/security/system-title.ts";
import type { MeterConnection } from "../collect/session/meter-connection.ts";
import type { MeterTarget } from "../collect/session/meter-target.ts";
import { ConfigError } from "../config/config-error.ts";
import { messageOf } from "../observe/message-of.ts";
import type { KeyStore, StoredKey } from "./key-store.ts";
import { MeterSecuritySetup, SetupRefusedError } from "./meter-security-setup.ts";

/** Keys whose change an association can prove. */
export const CHANGED_KEYS = ["blockCipherKey", "authenticationKey"] as const;
export type ChangedKey = (typeof CHANGED_KEYS)[number];

/** How the key gets to the meter: wrapped under the master key, or agreed on with it (suites 1 and 2). */
export const KEY_CHANGE_WAYS = ["transfer", "agreement"] as const;

/**
 * `active`: the meter has the key, which an association has proven. `refused`: the meter would not take it. `kept`: it was
 * told, but goes on with the old one. `unproven`: neither could be shown; the key stays pending.
 */
export type KeyChangeState = "active" | "refused" | "kept" | "unproven";

export interface KeyChange {
  readonly role: ChangedKey;
  readonly version: number | undefined;
  readonly state: KeyChangeState;
  readonly evidence: string | undefined;
}

export interface KeyOrder {
  readonly role: ChangedKey;
  readonly way: (typeof KEY_CHANGE_WAYS)[number];
}

export interface ChangedMeter {
  readonly meterId: string;
  readonly target: MeterTarget;
}

export interface KeyChangesOptions {
  readonly store: KeyStore;
  readonly randomOctets: (length: number) => Uint8Array;
  /** Associates as the target says and works; rejects with what went wrong on the road. */
  readonly visit: <T>(target: MeterTarget, work: (connection: MeterConnection) => Promise<T>) => Promise<T>;
}

const KEY_LENGTHS = { 0: 16, 1: 16, 2: 32 } as const;
const PROOF = { attribute: { classId: 15, logicalName: logicalNameToOctets("0.0.40.0.0.255"), attributeId: 1 } };

export class KeyChanges {
  readonly #options: KeyChangesOptions;

  constructor(options: KeyChangesOptions) {
    this.#options = options;
  }

  /** Settles what was begun before, then changes the key. Throws ConfigError; rejects with what kept the meter from being told. */
  async change(meter: ChangedMeter, order: KeyOrder): Promise<readonly KeyChange[]> {
    await meter.target.unlock?.();
    requireProof(meter.target, order.role);
    const settled = await this.settle(meter);
    if (settled.some(({ state }) => state === "unproven")) return settled;
    const name = await this.#nameOf(meter, order.role);
    const told = await this.#tell(meter, order, name);
    return [...settled, "state" in told ? told : await this.#prove(meter, told)];
  }

  /** Finds out which of its keys the meter has, of those whose change was cut short. */
  async settle(meter: ChangedMeter): Promise<readonly KeyChange[]> {
    await meter.target.unlock?.();
    const changes: KeyChange[] = [];
    for (const pending of await this.#options.store.pendingKeys(meter.meterId)) {
      requireProof(meter.target, changedKey(pending));
      changes.push(await this.#prove(meter, pending));
    }
    return changes;
  }

  /** The stored key that is to be replaced. */
  async #nameOf(
    { meterId, target }: ChangedMeter,
    role: ChangedKey,
  ): Promise<Pick<StoredKey, "meterId" | "clientSap">> {
    const active = await this.#options.store.activeKey({ meterId, clientSap: target.association.clientSap, role });
    if (active !== undefined) return { meterId, clientSap: active.clientSap };
    throw lacking(
      target,
      `security.${role}`,
      "only a key of the key store can be changed: import it, and say `stored`",
    );
  }

  /** Tells the meter; the key is pending then, unless the meter has refused it. */
  async #tell(
    { target }: ChangedMeter,
    order: KeyOrder,
    name: Pick<StoredKey, "meterId" | "clientSap">,
  ): Promise<StoredKey | KeyChange> {
    const { store, visit } = this.#options;
    let pending: StoredKey | undefined;
    const { role, way } = order;
    const keeping: Keeping = {
      role,
      keep: async (key) => {
        const former = pending;
        const version = await store.put(name, key, "pending");
        pending = { ...name, role: key.role, version, key };
        if (former !== undefined) await store.giveUp(former, former.version);
      },
    };
    const tell = way === "transfer" ? this.#transfer(target, keeping) : this.#agreement(target, keeping);
    try {
      await visit(target, async (connection) => tell(await MeterSecuritySetup.find(connection)));
    } catch (error) {
      if (error instanceof SetupRefusedError) {
        if (pending !== undefined) await store.giveUp(pending, pending.version);
        return { role, version: undefined, state: "refused", evidence: error.result };
      }
      // It may have heard us: only an association tells.
      if (pending === undefined || error instanceof DlmsError) throw error;
    }
    if (pending === undefined) throw new Error("a key was changed and not kept");
    return pending;
  }

  #transfer(target: MeterTarget, { role, keep }: Keeping): Telling {
    const { masterKey } = target.secrets;
    if (masterKey === undefined) throw lacking(target, "security.masterKey", "the new key is wrapped under it");
    return async (setup) => {
      const fresh = new SecretKey(role, this.#options.randomOctets(KEY_LENGTHS[suiteOf(target)]));
      await keep(fresh);
      await setup.invoke(setup.client.transferKeys(masterKey, [fresh]));
    };
  }

  #agreement(target: MeterTarget, { role, keep }: Keeping): Telling {
    const { signingKey, serverSigningKey } = target.secrets;
    const { security } = target.association;
    if (signingKey === undefined) throw lacking(target, "security.signingKey", "our part is signed with it");
    if (serverSigningKey === undefined)
      throw lacking(target, "security.serverSigningKey", "the meter's part is checked with it");
    return async (setup) => {
      const order = setup.client.agreeOnKeys({
        suite: suiteOf(target),
        roles: [role],
        clientSystemTitle: systemTitle(fromHex(security?.clientSystemTitle ?? "")),
        serverSystemTitle: systemTitle(await setup.serverSystemTitle()),
        signingKey,
        serverSigningKey,
        randomOctets: this.#options.randomOctets,
        ...(security && { kdfIdentifier: security.keyDerivation }),
      });
      await keep(new SecretKey(role, this.#options.randomOctets(KEY_LENGTHS[suiteOf(target)])));
      const [agreed] = order.accept(await setup.invoke(order));
      if (agreed !== undefined) await keep(agreed);
    };
  }

  /** By an association under the new key, or else under the old one. */
  async #prove({ target }: ChangedMeter, pending: StoredKey): Promise<KeyChange> {
    const { store } = this.#options;
    const { version, key } = pending;
    const role = changedKey(pending);
    const renewed = target.withKeys?.({ [role]: key }) ?? target;
    const failure = await this.#failureUnder(renewed);
    if (failure === undefined) {
      if (!(await store.activate(pending, version)))
        return { role, version, state: "unproven", evidence: "somebody else has settled this key meanwhile" };
      target.secrets = renewed.secrets;
      target.openCounters = renewed.openCounters;
      return { role, version, state: "active", evidence: undefined };
    }
    if ((await this.#failureUnder(target)) !== undefined)
      return { role, version, state: "unproven", evidence: failure };
    await store.giveUp(pending, version);
    return { role, version, state: "kept", evidence: failure };
  }

  /** Why no association came about in which the meter answered; undefined when one did. */
  async #failureUnder(target: MeterTarget): Promise<string | undefined> {
    try {
      await this.#options.visit(target, async (connection) => await connection.get(PROOF));
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }
}

type Telling = (setup: MeterSecuritySetup) => Promise<void>;

interface Keeping {
  readonly role: ChangedKey;
  readonly keep: (key: SetupKey) => Promise<void>;
}

function suiteOf({ association }: MeterTarget): keyof typeof KEY_LENGTHS {
  return association.security?.suite ?? 0;
}

function changedKey({ role }: StoredKey): ChangedKey {
  const found = CHANGED_KEYS.find((each) => each === role);
  if (found === undefined) throw new DlmsError("DATA_OUT_OF_RANGE", "caller", { role });
  return found;
}

/** An association that does not use a key proves nothing about it. */
function requireProof(target: MeterTarget, role: ChangedKey): void {
  const { mechanism, security } = target.association;
  const protection = security?.protection ?? "none";
  const uses =
    mechanism === "hls-5" ||
    (role === "blockCipherKey" ? protection !== "none" : protection.startsWith("authenticated"));
  if (!uses)
    throw lacking(target, "security.protection", `an association that does not use the ${role} can't prove a new one`);
}

function lacking(target: MeterTarget, field: string, message: string): ConfigError {
  return new ConfigError(target.name, [{ path: `association.${field}`, message }]);
}
