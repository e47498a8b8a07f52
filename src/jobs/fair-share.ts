/** Which blocks of a network a gateway gives away or takes, so that all that reach it hold about the same number. */
export interface NetworkShares {
  readonly me: string;
  /** All gateways that reach the network and are not known to be dead, this one too. */
  readonly living: readonly string[];
  /** By block. */
  readonly holders: readonly HeldBlock[];
  /** Blocks of which gateways know different meters, each with the gateway that knows most: that one works them. */
  readonly knowing?: ReadonlyMap<number, string>;
}

export interface HeldBlock {
  readonly block: number;
  /** Undefined where anybody may take it. */
  readonly holder: string | undefined;
  /** Free for so long that whoever it was for does not come. */
  readonly isLeftOver?: boolean;
}

export interface Exchange {
  readonly give: readonly number[];
  readonly take: readonly number[];
}

export function fairShare({ me, living, holders, knowing = new Map() }: NetworkShares): Exchange {
  const even = evenShare({
    me,
    living,
    holders: holders.filter(({ block }) => !knowing.has(block)),
  });
  const uneven = holders.filter(({ block }) => knowing.has(block));
  const isMine = ({ block }: HeldBlock) => knowing.get(block) === me;
  const give = uneven.filter((each) => each.holder === me && !isMine(each));
  const take = uneven.filter((each) => each.holder === undefined && (isMine(each) || each.isLeftOver === true));
  return {
    give: [...even.give, ...give.map(({ block }) => block)],
    take: [...even.take, ...take.map(({ block }) => block)],
  };
}

function evenShare({ me, living, holders }: Omit<NetworkShares, "knowing">): Exchange {
  const targets = targetsOf(living, holders.length);
  const held = Map.groupBy(
    holders.filter((each) => each.holder !== undefined),
    (each) => each.holder,
  );
  const free = holders.filter((each) => each.holder === undefined);
  const mine = held.get(me) ?? [];
  const surplus = mine.length - (targets.get(me) ?? 0);
  if (surplus <= 0) return { give: [], take: wantedOf(free, -surplus) };
  const lacking = targets
    .entries()
    .filter(([gateway]) => gateway !== me)
    .reduce((sum, [gateway, target]) => sum + Math.max(0, target - (held.get(gateway)?.length ?? 0)), 0);
  // Nothing is given away before somebody is there to take it.
  const count = Math.max(0, Math.min(surplus, lacking - free.length));
  return {
    give: mine.slice(mine.length - count).map((each) => each.block),
    take: wantedOf(free, 0),
  };
}

/** The same for whoever looks: the first get one more where the number does not divide. */
function targetsOf(living: readonly string[], blocks: number): ReadonlyMap<string, number> {
  const each = Math.floor(blocks / living.length);
  const more = blocks % living.length;
  return new Map(living.toSorted().map((gateway, rank) => [gateway, each + (rank < more ? 1 : 0)]));
}

function wantedOf(free: readonly HeldBlock[], count: number): number[] {
  return free.filter((each, index) => index < count || each.isLeftOver === true).map((each) => each.block);
}
