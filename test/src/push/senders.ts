import { UTC } from "../../../protocol/cosem/time-zone.ts";
import { SecretKey } from "../../../protocol/security/secret-key.ts";
import { type SystemTitle, systemTitle } from "../../../protocol/security/system-title.ts";
import type { PushSender, SenderDirectory } from "../../../src/push/senders/sender-directory.ts";

export const BLOCK_CIPHER_KEY = new SecretKey(
  "blockCipherKey",
  Uint8Array.from({ length: 16 }, (_, i) => i),
);
export const AUTHENTICATION_KEY = new SecretKey(
  "authenticationKey",
  Uint8Array.from({ length: 16 }, (_, i) => 0xd0 + i),
);
export const OWN_TITLE = systemTitle(new TextEncoder().encode("HES00001"));

export function title(text: string): SystemTitle {
  return systemTitle(new TextEncoder().encode(text));
}

export function sender(meterKey: number, changes: Partial<PushSender> = {}): PushSender {
  return {
    meterId: `00000000-0000-0000-0000-${String(meterKey).padStart(12, "0")}`,
    meterKey,
    name: `meter-${meterKey}`,
    systemTitle: title(`VMT0000${meterKey}`),
    companion: "is15959",
    clock: { deviation: "standard", zone: UTC },
    security: {
      suite: 0,
      ownSystemTitle: OWN_TITLE,
      blockCipherKey: BLOCK_CIPHER_KEY,
      authenticationKey: AUTHENTICATION_KEY,
    },
    ...changes,
  };
}

/** A directory of a few senders; `hosts` and `numbers` say where they are and what they call themselves. */
export function directory(
  senders: readonly PushSender[],
  { hosts = {}, numbers = {} }: { hosts?: Record<string, PushSender[]>; numbers?: Record<string, PushSender> } = {},
): SenderDirectory {
  return {
    bySystemTitle: (wanted) => senders.filter((each) => each.systemTitle?.every((octet, at) => octet === wanted[at])),
    byIdentity: ({ logicalDeviceName, numbers: own }) =>
      [logicalDeviceName ?? "", ...own].flatMap((name) => numbers[name] ?? []),
    countAt: (host) => hosts[host]?.length ?? 0,
    byHost: (host) => hosts[host] ?? [],
  };
}
