import { fromHex } from "../../../protocol/bytes/hex.ts";
import type { Companion } from "../../../protocol/cosem/companion/companion.ts";
import type { ClockPolicy } from "../../../protocol/cosem/date-time.ts";
import type { ShortNames } from "../../../protocol/cosem/short-names.ts";
import { namedZone, standardTimeOf, type TimeZone } from "../../../protocol/cosem/time-zone.ts";
import type { ProfileLayout } from "../../../protocol/profile/layout.ts";
import type { MeterQuirk } from "../../../protocol/quirks.ts";
import type { SecretKey } from "../../../protocol/security/secret-key.ts";
import { type SystemTitle, systemTitle } from "../../../protocol/security/system-title.ts";
import type { AssociationConfig, ConnectionConfig, MeterConfig } from "../../config/schema.ts";
import type { ProfileKind } from "../../profiles/batch.ts";
import type { ProfileSource } from "../read/profile-objects.ts";
import type { RowWays } from "../read/profile-reader.ts";
import type { CounterMemory, InvocationCounters } from "./meter-access.ts";
import { type MeterSecrets, type OpenStoredKey, resolveMeterSecrets } from "./meter-secrets.ts";

/** One meter as the collector works it: how to reach it, how to get in, and what is known of it by now. */
export interface MeterTarget extends CounterMemory {
  readonly name: string;
  readonly number: string;
  readonly companion: Companion;
  readonly zone: TimeZone;
  /** Day of the month on whose midnight billing periods end; the first when left out. */
  readonly billingDay?: number;
  readonly connection: ConnectionConfig;
  readonly association: AssociationConfig;
  /** Of a meter that calls in: where it called from last. */
  calledFrom?: { readonly host: string; readonly port: number };
  /** Empty until `unlock` has been called. */
  secrets: MeterSecrets;
  /**
   * Fetches the secrets; there until that has succeeded, so that a secret that is put in order serves the next visit.
   * Rejects with ConfigError or KeyError.
   */
  unlock?: (() => Promise<void>) | undefined;
  /** What is asked of its pushes. */
  readonly push?: MeterConfig["push"];
  /** Invocation counters of ciphered associations: leased at the first visit, and kept. */
  openCounters?: (() => Promise<InvocationCounters>) | undefined;
  /** Has the secrets fetched anew at the next visit: they may have been changed. Where they can't be had, these hold on. */
  lock?: (() => void) | undefined;
  /** The same meter under other keys, which it may have taken; counters go on above those of the key in force. */
  withKeys?: ((changed: Partial<MeterSecrets>) => MeterTarget) | undefined;
  /** Another gateway works the meter from now on, with counters of its own: ours are not to be used again. */
  forgetCounters?: (() => void) | undefined;
  /** What the meter does otherwise: its own quirks, those of its model and of its companion specification. */
  readonly quirks: ReadonlySet<MeterQuirk>;
  /** How its profiles can be asked for, as far as visits have shown. */
  readonly ways: RowWays;
  /** Where the layouts were read, and when. */
  layoutOrigins?: Map<ProfileKind, LayoutOrigin>;
  /** What the meter said of itself when it was asked last. */
  identity?: MeterIdentity;
  /** How often a layout was left unread because a part of it was not to be had at the moment. */
  layoutDelays?: Map<ProfileKind, number>;
  /** When rows of a profile were first set aside, of the day that began then. */
  misfitsMs?: Map<ProfileKind, number>;
  /** Layouts that have been read, so that a poll asks for rows only. */
  readonly layouts: Map<ProfileKind, ProfileLayout>;
  /** Event logs by logical name, as they were found. */
  eventLogs?: Map<string, KnownEventLog>;
  /** Found at the first visit. */
  clock: ClockPolicy | undefined;
  /** Of a meter with short names; found at the first visit. */
  shortNames?: ShortNames | undefined;
}

/** What a meter said of itself, as digests, by what it was asked. */
export interface MeterIdentity {
  readonly says: ReadonlyMap<string, string>;
  readonly readAtMs: number;
  /** How often in a row the question broke the session, or was refused whole. */
  readonly failures: number;
}

/** Which object of the meter a layout is of; a meter may get other columns and scalers with a new firmware. */
export interface LayoutOrigin {
  readonly from: ProfileSource;
  readonly readAtMs: number;
}

/** An event log as it was found. */
export interface KnownEventLog {
  /** Undefined where the meter has no such log, or does not show it. */
  readonly layout: ProfileLayout | undefined;
  readonly readAtMs: number;
}

/** What a target needs of the rooms around it. */
export interface TargetServices {
  /** Leases counters of a key for one sender. */
  readonly leaseCounters: (key: SecretKey, clientSystemTitle: SystemTitle) => Promise<InvocationCounters>;
  readonly openStoredKey: OpenStoredKey;
}

/** What all meters of a companion specification need. */
const COMPANION_QUIRKS: Readonly<Record<Companion, readonly MeterQuirk[]>> = {
  is15959: ["range-without-deviation"],
  idis: [],
  dsmr: [],
  nordic: [],
  spodes: [],
  none: [],
};

/** A meter of the configuration, with its secrets still to be fetched. */
export function meterTarget(config: MeterConfig, services: TargetServices): MeterTarget {
  const { name, number, companion, timeZone, connection, association } = config;
  const quirks = new Set([...COMPANION_QUIRKS[companion], ...config.quirks]);
  const target: MeterTarget = {
    name,
    number,
    companion,
    zone: quirks.has("standard-time-all-year") ? standardTimeOf(namedZone(timeZone)) : namedZone(timeZone),
    quirks,
    ways: new Map(),
    billingDay: config.billingDay,
    connection,
    association,
    secrets: { secret: undefined, blockCipherKey: undefined, authenticationKey: undefined },
    push: config.push,
    layouts: new Map(),
    clock: undefined,
    unlock: async () => {
      useSecrets(target, await resolveMeterSecrets(association, services.openStoredKey), services);
      target.unlock = undefined;
    },
    forgetCounters: () => {
      target.countersAccepted = false;
      if (target.openCounters !== undefined) {
        target.openCounters = countersOf(association, target.secrets, services);
      }
    },
  };
  const { unlock } = target;
  target.lock = () => {
    // One that was never unlocked has no secrets to go on with.
    target.unlock ??= async () => {
      await unlock?.().catch(() => undefined);
      target.unlock = undefined;
    };
  };
  target.withKeys = (changed) => {
    const secrets = { ...target.secrets, ...changed };
    const openCounters = countersAbove(target, countersOf(association, secrets, services));
    return { ...target, secrets, openCounters, countersAccepted: false, unlock: undefined, lock: undefined };
  };
  return target;
}

/** Counters belong to a key: those of one that is the same go on. */
function useSecrets(target: MeterTarget, secrets: MeterSecrets, services: TargetServices): void {
  const known = target.secrets.blockCipherKey;
  const isSame = known !== undefined && secrets.blockCipherKey?.equals(known) === true;
  target.secrets = secrets;
  if (isSame) return;
  target.countersAccepted = false;
  target.openCounters = countersOf(target.association, secrets, services);
}

/** Some meters count on when they get another key. */
function countersAbove(target: MeterTarget, open: MeterTarget["openCounters"]): MeterTarget["openCounters"] {
  return (
    open &&
    kept(async () => {
      const counters = await open();
      const former = await target.openCounters?.();
      if (former !== undefined) await counters.raise(former.upcoming);
      return counters;
    })
  );
}

function countersOf(
  { security }: AssociationConfig,
  { blockCipherKey }: MeterSecrets,
  { leaseCounters }: TargetServices,
): MeterTarget["openCounters"] {
  if (security === undefined || blockCipherKey === undefined) return undefined;
  return kept(() => leaseCounters(blockCipherKey, systemTitle(fromHex(security.clientSystemTitle))));
}

/** Opens once; again after a failure. */
function kept<T>(open: () => Promise<T>): () => Promise<T> {
  let opened: Promise<T> | undefined;
  return () => {
    opened ??= open().catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
}
