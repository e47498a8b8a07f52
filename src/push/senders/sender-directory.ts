/** Who may be pushing: what the receiver of pushes asks of the fleet. Every question costs a look-up, never a scan. */
import type { Companion } from "../../../protocol/cosem/companion/companion.ts";
import type { ClockPolicy } from "../../../protocol/cosem/date-time.ts";
import type { ReplayPolicy } from "../../../protocol/security/replay-window.ts";
import type { AuthenticationKey, BlockCipherKey } from "../../../protocol/security/secret-key.ts";
import type { Protection } from "../../../protocol/security/security-control.ts";
import type { SecuritySuite } from "../../../protocol/security/suites.ts";
import type { SystemTitle } from "../../../protocol/security/system-title.ts";
import type { PushIdentity } from "../../profiles/map-push.ts";
import type { PushLayoutVersion } from "../receive/push-layouts.ts";

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
  /** What its pushes must be protected with at least; anything goes when left out. */
  readonly least?: Protection;
  /** What its pushes are, as far as it has been read, the oldest version first. */
  readonly layouts?: readonly PushLayoutVersion[];
}

export interface SenderSecurity {
  readonly suite: SecuritySuite;
  readonly ownSystemTitle: SystemTitle;
  readonly blockCipherKey: BlockCipherKey;
  /** Where it is missing, tags go unchecked, and what came is marked. */
  readonly authenticationKey: AuthenticationKey | undefined;
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
  /** Meters with a number that the push says, but of another maker. */
  namesakes?(identity: PushIdentity): readonly PushSender[];
  /** How many meters are reached at the host: thousands, where it is a concentrator. */
  countAt(host: string): number;
  /** Meters that are reached at the host; none where there are too many for it to tell anything. */
  byHost(host: string): readonly PushSender[];
  /** A push of the meter does not fit what is known of that setup: it is to be asked at the next visit. */
  doubt?(meterKey: number, pushSetup: string): void;
}
