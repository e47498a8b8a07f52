/** Whose push it is: by system title, logical device name, number in the payload, or address, in this order. */
import type { PushIdentity } from "../profiles/map-push.ts";
import type { PushSender, SenderDirectory } from "./sender-directory.ts";

export interface SenderClues {
  /** Whose keys opened the push, or who has its system title. */
  readonly byTitle: PushSender | undefined;
  readonly identity: PushIdentity;
  readonly host: string;
}

export interface Attribution {
  readonly sender: PushSender | undefined;
  readonly by: "system-title" | "identity" | "address" | "nothing";
  /** Another meter that a weaker clue points to. */
  readonly conflict: PushSender | undefined;
}

export function attribute({ byTitle, identity, host }: SenderClues, directory: SenderDirectory): Attribution {
  const byIdentity = directory.byIdentity(identity);
  if (byTitle !== undefined) {
    const conflict = byIdentity?.meterKey === byTitle.meterKey ? undefined : byIdentity;
    return { sender: byTitle, by: "system-title", conflict };
  }
  if (byIdentity !== undefined) return { sender: byIdentity, by: "identity", conflict: undefined };
  // A number that nobody has is not that of the meter at this address.
  const hasName = identity.numbers.length > 0 || identity.logicalDeviceName !== undefined;
  const atHost = hasName ? [] : directory.byHost(host);
  const [only] = atHost;
  if (only !== undefined && atHost.length === 1) return { sender: only, by: "address", conflict: undefined };
  return { sender: undefined, by: "nothing", conflict: undefined };
}
