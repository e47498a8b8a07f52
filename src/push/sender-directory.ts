/** Who may be pushing: what the receiver of pushes asks of the fleet. Every question costs a look-up, never a scan. */
import type { CaptureObject } from "../../protocol/cosem/capture-object.ts";
import type { Companion } from "../../protocol/cosem/companion/companion.ts";
import type { ClockPolicy } from "../../protocol/cosem/date-time.ts";
import type { LayoutSource, RegisterScaler } from "../../protocol/profile/layout.ts";
import type { ReplayPolicy } from "../../protocol/security/replay-window.ts";
import type { AuthenticationKey, BlockCipherKey } from "../../protocol/security/secret-key.ts";
import type { Protection } from "../../protocol/security/security-control.ts";
import type { SecuritySuite } from "../../protocol/security/suites.ts";
import type { SystemTitle } from "../../protocol/security/system-title.ts";
import type { PushIdentity } from "../profiles/map-push.ts";

/** A meter that pushes. */
export interface PushSender {
  readonly meterId: string;
  /** Key of the profile tables. */
  readonly meterKey: number;
  readonly name: string;
  readonly systemTitle: SystemTitle | undefined;
  readonly companion: Companion;
  readonly clock: ClockPolicy;
  readonly security: SenderSecurity | undefined;
  /** Scalers and units of its registers, as far as they have been read. */
  readonly scalers?: readonly RegisterScaler[];
  /** The push_object_list of each push setup that has been read, by the setup's logical name. */
  readonly pushLists?: ReadonlyMap<string, readonly CaptureObject[]>;
  /** What has been read of its profiles, by logical name. */
  readonly profiles?: ReadonlyMap<string, LayoutSource>;
}

export interface SenderSecurity {
  readonly suite: SecuritySuite;
  readonly ownSystemTitle: SystemTitle;
  readonly blockCipherKey: BlockCipherKey;
  /** Where it is missing, tags go unchecked, and what came is marked. */
  readonly authenticationKey: AuthenticationKey | undefined;
  /** What a push must be protected with at least; anything goes when left out. */
  readonly least?: Protection;
  /** What becomes of a push whose counter came before: `warn` marks it, `strict` refuses it. `warn` when left out. */
  readonly replay?: ReplayPolicy;
  /** For confirmations; without it ciphered pushes are not confirmed. */
  readonly nextInvocationCounter?: () => Promise<number>;
}

export interface SenderDirectory {
  /** More than one where titles are not unique, as those made of a few digits of the meter's number. */
  bySystemTitle(title: SystemTitle): readonly PushSender[];
  /** The meter that a push says it is from, by its most telling name; then others that it names as well. */
  byIdentity(identity: PushIdentity): readonly PushSender[];
  /** Meters that are reached at the host. */
  byHost(host: string): readonly PushSender[];
}
