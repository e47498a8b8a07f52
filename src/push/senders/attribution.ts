/** Whose push it is: by system title, logical device name, number in the payload, or address, in this order. */
import type { PushIdentity } from "../../profiles/map-push.ts";
import type { ReceivedPush } from "../../store/push/received-push.ts";
import type { PushSender, SenderDirectory } from "./sender-directory.ts";

export interface SenderClues {
  /** Whose keys opened the push, or who has its system title. */
  readonly byTitle: PushSender | undefined;
  readonly identity: PushIdentity;
  readonly host: string;
}

export type AttributedBy = NonNullable<ReceivedPush["attributedBy"]>;

export interface Attribution {
  readonly sender: PushSender | undefined;
  /** Undefined when nothing tells. */
  readonly by: AttributedBy | undefined;
  /** Other meters that weaker clues point to. */
  readonly conflicts: readonly Conflict[];
}

export interface Conflict {
  /** `number`: the payload's number without its maker's letters, while the meter has other letters. */
  readonly by: AttributedBy | "number";
  readonly sender: PushSender;
}

interface Clue extends Conflict {
  readonly by: AttributedBy;
}

/** What a push says of its sender, the most telling first. */
export function namesOf({ logicalDeviceName, numbers }: PushIdentity): string[] {
  return [...(logicalDeviceName === undefined ? [] : [logicalDeviceName]), ...numbers];
}

export function attribute({ byTitle, identity, host }: SenderClues, directory: SenderDirectory): Attribution {
  const clues: Clue[] = [
    ...(byTitle === undefined ? [] : [{ by: "system-title" as const, sender: byTitle }]),
    ...directory.byIdentity(identity).map((sender) => ({ by: "identity" as const, sender })),
  ];
  const alone = directory.countAt(host) === 1 ? directory.byHost(host) : [];
  const byAddress = alone.map((sender) => ({ by: "address" as const, sender }));
  // A number that nobody has is not that of the meter at this address.
  if (clues.length > 0 || namesOf(identity).length === 0) clues.push(...byAddress);
  const namesakes = (directory.namesakes?.(identity) ?? []).map((sender) => ({ by: "number" as const, sender }));
  const [first, ...others] = clues;
  if (first === undefined) return { sender: undefined, by: undefined, conflicts: namesakes };
  const conflicts = [...others, ...namesakes].filter(({ sender }) => sender.meterKey !== first.sender.meterKey);
  return { ...first, conflicts };
}
