import { fromHex } from "../../protocol/bytes/hex.ts";
import type { Companion } from "../../protocol/cosem/companion/companion.ts";
import type { ClockPolicy } from "../../protocol/cosem/date-time.ts";
import type { ShortNames } from "../../protocol/cosem/short-names.ts";
import { namedZone, type TimeZone } from "../../protocol/cosem/time-zone.ts";
import type { ProfileLayout } from "../../protocol/profile/layout.ts";
import type { SecretKey } from "../../protocol/security/secret-key.ts";
import { type SystemTitle, systemTitle } from "../../protocol/security/system-title.ts";
import type { AssociationConfig, ConnectionConfig, MeterConfig } from "../config/schema.ts";
import type { ProfileKind } from "../profiles/batch.ts";
import type { CounterMemory, InvocationCounters } from "./meter-access.ts";
import { type MeterSecrets, resolveMeterSecrets } from "./meter-secrets.ts";

/** One meter as the collector works it: how to reach it, how to get in, and what is known of it by now. */
export interface MeterTarget extends CounterMemory {
  readonly name: string;
  readonly number: string;
  readonly companion: Companion;
  readonly zone: TimeZone;
  readonly connection: ConnectionConfig;
  readonly association: AssociationConfig;
  readonly secrets: MeterSecrets;
  /** Invocation counters of ciphered associations: leased at the first visit, and kept. */
  readonly openCounters?: () => Promise<InvocationCounters>;
  /** Layouts that have been read, so that a poll asks for rows only. */
  readonly layouts: Map<ProfileKind, ProfileLayout>;
  /** Found at the first visit. */
  clock: ClockPolicy | undefined;
  /** Of a meter with short names; found at the first visit. */
  shortNames?: ShortNames | undefined;
}

/** Leases counters of a key for one sender. */
export type LeaseCounters = (key: SecretKey, clientSystemTitle: SystemTitle) => Promise<InvocationCounters>;

/** A meter of the configuration with its secrets fetched. Throws ConfigError for a secret that can't be had. */
export async function meterTarget(config: MeterConfig, leaseCounters: LeaseCounters): Promise<MeterTarget> {
  const { name, number, companion, timeZone, connection, association } = config;
  const secrets = await resolveMeterSecrets(association);
  const { blockCipherKey } = secrets;
  const title = association.security?.clientSystemTitle;
  return {
    name,
    number,
    companion,
    zone: namedZone(timeZone),
    connection,
    association,
    secrets,
    layouts: new Map(),
    clock: undefined,
    ...(title !== undefined &&
      blockCipherKey !== undefined && {
        openCounters: kept(() => leaseCounters(blockCipherKey, systemTitle(fromHex(title)))),
      }),
  };
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
