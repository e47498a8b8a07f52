import type { ClockPolicy } from "../../protocol/cosem/date-time.ts";
import type { TimeZone } from "../../protocol/cosem/time-zone.ts";
import type { ProfileLayout } from "../../protocol/profile/layout.ts";
import type { AssociationConfig, ConnectionConfig } from "../config/schema.ts";
import type { ProfileKind } from "../profiles/batch.ts";
import type { InvocationCounters } from "./meter-access.ts";
import type { MeterSecrets } from "./meter-secrets.ts";
import type { Companion } from "./profile-objects.ts";

/** One meter as the collector works it: how to reach it, how to get in, and what is known of it by now. */
export interface MeterTarget {
  readonly name: string;
  readonly number: string;
  readonly companion: Companion;
  readonly zone: TimeZone;
  readonly connection: ConnectionConfig;
  readonly association: AssociationConfig;
  readonly secrets: MeterSecrets;
  /** Leases invocation counters for one visit; for ciphered associations. */
  readonly openCounters?: () => Promise<InvocationCounters>;
  /** Layouts that have been read, so that a poll asks for rows only. */
  readonly layouts: Map<ProfileKind, ProfileLayout>;
  /** Found at the first visit. */
  clock: ClockPolicy | undefined;
}
