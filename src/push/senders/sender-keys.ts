/** The protection of what meters push, one for each meter, so that its counters are followed from push to push. */

import { DlmsError } from "../../../protocol/errors.ts";
import { ApduProtection, type SecurityTolerance } from "../../../protocol/security/apdu-protection.ts";
import type { ProtectionKeys } from "../../../protocol/security/keys-in-force.ts";
import { PROTECTIONS } from "../../../protocol/security/security-control.ts";
import { type SystemTitle, titleText } from "../../../protocol/security/system-title.ts";
import type { CounterMemory } from "../receive/push-counters.ts";
import type { PushSender, SenderSecurity } from "./sender-directory.ts";

/** Meters set the suite and the broadcast bit of pushes as they please; the key tells whether it was them. */
const TOLERATED: readonly SecurityTolerance[] = ["suite-nibble", "broadcast-bit"];

interface Held {
  readonly security: SenderSecurity;
  readonly protection: ApduProtection;
}

export class SenderKeys {
  readonly #memory: CounterMemory | undefined;
  readonly #held = new Map<number, Held>();

  /** Without a memory, counters are followed from the first push on. */
  constructor(memory?: CounterMemory) {
    this.#memory = memory;
  }

  /** Undefined for a meter whose keys nobody knows. A new one when its keys have changed. */
  protectionOf({ meterKey, security, systemTitle, least }: PushSender): ApduProtection | undefined {
    if (security === undefined) {
      this.#held.delete(meterKey);
      return undefined;
    }
    const held = this.#held.get(meterKey);
    if (held?.security === security) return held.protection;
    const { suite, ownSystemTitle, replay } = security;
    const protection = new ApduProtection({
      suite,
      ownSystemTitle,
      keys: keysOf(security),
      nextInvocationCounter: noCounter,
      // A push that came twice is data all the same; that it came twice is told.
      replay: replay ?? "warn",
      rememberedCounter: (_, sender) => this.#remembered(security, sender),
      tolerate: least !== undefined && PROTECTIONS[least].authenticated ? TOLERATED : [...TOLERATED, "unchecked-tag"],
      ...(systemTitle !== undefined && { peerSystemTitle: systemTitle }),
      ...(least !== undefined && { minimum: { received: least } }),
    });
    this.#held.set(meterKey, { security, protection });
    return protection;
  }

  #remembered({ blockCipherKey, replay }: SenderSecurity, sender: SystemTitle): number | undefined {
    if (replay === "strict" && this.#memory?.isWhole === false)
      throw new DlmsError("SECURITY_COUNTER_UNKNOWN", "caller", { systemTitle: titleText(sender) });
    return this.#memory?.lowestAcceptable(blockCipherKey, sender);
  }
}

/** For one APDU to the meter, under a counter that is the caller's. */
export function protectionWith(security: SenderSecurity, counter: number): ApduProtection {
  const { suite, ownSystemTitle } = security;
  return new ApduProtection({ suite, ownSystemTitle, keys: keysOf(security), nextInvocationCounter: () => counter });
}

function keysOf({ blockCipherKey, authenticationKey }: SenderSecurity): ProtectionKeys {
  return { blockCipherKey, ...(authenticationKey !== undefined && { authenticationKey }) };
}

function noCounter(): never {
  throw new DlmsError("SECURITY_COUNTER_EXHAUSTED", "caller", { keySet: "global" });
}
