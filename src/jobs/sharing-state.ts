/** What a gateway knows of the other gateways and of who holds which block: from the answers to its signs of life. */
import { isDeepStrictEqual } from "node:util";
import { BLOCKS, type Block, blockKey } from "./block.ts";
import { type Exchange, fairShare } from "./fair-share.ts";
import { meterCounts } from "./meter-blocks.ts";
import type { Renewal, SharingGateway, WantedBlock } from "./share-session.ts";

interface KnownBlock extends Block {
  readonly holder: string | undefined;
  readonly epoch: number;
  /** When it was found without a holder, or with a dead one. */
  freeSinceMs?: number | undefined;
}

interface Sighting {
  readonly gateway: SharingGateway;
  /** When its beat was seen to change last, while we were never away ourselves; undefined for never. */
  readonly aliveMs: number | undefined;
  /** Since when it knows the meters that it knows, and which it knew before. */
  readonly fleetSinceMs: number;
  readonly formerFleet: SharingGateway["fleet"];
}

export interface NetworkExchange {
  readonly give: readonly Block[];
  readonly take: readonly WantedBlock[];
}

export class SharingState {
  readonly #me: () => string;
  readonly #settleMs: number;
  readonly #blocks = new Map<string, KnownBlock>();
  readonly #sightings = new Map<string, Sighting>();
  #seenChange = 0;

  /** `settleMs` is how long a free block waits for whom it is meant for, and what gateways know for it to count. */
  constructor(me: () => string, settleMs: number) {
    this.#me = me;
    this.#settleMs = settleMs;
  }

  /** The last change of holder that is known. */
  get seenChange(): number {
    return this.#seenChange;
  }

  holderOf(block: Block): string | undefined {
    return this.#blocks.get(blockKey(block))?.holder;
  }

  /** The gateway of that id, as it was told last. */
  gateway(id: string): SharingGateway | undefined {
    return this.#sightings.get(id)?.gateway;
  }

  gateways(): SharingGateway[] {
    return this.#sightings
      .values()
      .map((each) => each.gateway)
      .toArray();
  }

  /** How many blocks each gateway holds. */
  blockCounts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { holder } of this.#blocks.values()) {
      if (holder !== undefined) counts.set(holder, (counts.get(holder) ?? 0) + 1);
    }
    return counts;
  }

  /** One of the blocks that a gateway holds; undefined where it holds none. */
  someBlockOf(id: string): Block | undefined {
    return this.#blocks.values().find(({ holder }) => holder === id);
  }

  /** Blocks that are this gateway's by the database's word. */
  mine(): Block[] {
    return this.#blocks
      .values()
      .filter((each) => each.holder === this.#me())
      .toArray();
  }

  /** Our own way to the database was broken: who fell silent meanwhile can't be told from who was cut off like us. */
  distrustSightings(): void {
    for (const [id, seen] of this.#sightings) this.#sightings.set(id, { ...seen, aliveMs: undefined });
  }

  /** There is more to be told than what has changed. */
  lookAnew(): void {
    this.#seenChange = 0;
  }

  learn(renewal: Renewal, nowMs: number): void {
    const present = new Set(renewal.gateways.map((each) => each.id));
    for (const id of this.#sightings.keys()) if (!present.has(id)) this.#sightings.delete(id);
    for (const gateway of renewal.gateways) {
      this.#sightings.set(gateway.id, this.#seen(gateway, nowMs));
    }
    for (const [network, block, holder, epoch, change] of renewal.blocks) {
      this.#blocks.set(blockKey({ network, block }), { network, block, holder: holder ?? undefined, epoch });
      this.#seenChange = Math.max(this.#seenChange, change);
    }
  }

  #seen(gateway: SharingGateway, nowMs: number): Sighting {
    const known = this.#sightings.get(gateway.id);
    if (known === undefined) {
      return { gateway, aliveMs: undefined, fleetSinceMs: -Infinity, formerFleet: gateway.fleet };
    }
    const aliveMs = known.gateway.beat === gateway.beat ? known.aliveMs : nowMs;
    if (isDeepStrictEqual(known.gateway.fleet, gateway.fleet)) return { ...known, gateway, aliveMs };
    return { gateway, aliveMs, fleetSinceMs: nowMs, formerFleet: this.#fleetOf(known, nowMs) };
  }

  /** What a gateway has known for a while: all hear of a meter that is added, but not at the same moment. */
  #fleetOf({ gateway, fleetSinceMs, formerFleet }: Sighting, nowMs: number): SharingGateway["fleet"] {
    return nowMs - fleetSinceMs >= this.#settleMs ? gateway.fleet : formerFleet;
  }

  /** Names of gateways that are there and know other meters of a network than this one. */
  knowingOthers(nowMs: number): string[] {
    const mine = this.#sightings.get(this.#me());
    const ours = mine === undefined ? {} : this.#fleetOf(mine, nowMs);
    return this.#sightings
      .values()
      .filter((each) => each.gateway.ageMs < each.gateway.silenceMs)
      .filter((each) => differ(ours, this.#fleetOf(each, nowMs)))
      .map((each) => each.gateway.name)
      .toArray();
  }

  /** Whether no other gateway that may be alive is there. */
  isAlone(nowMs: number): boolean {
    return !this.#sightings
      .values()
      .some(({ gateway }) => gateway.id !== this.#me() && this.#state(gateway.id, nowMs) !== "dead");
  }

  /** The last beat of a gateway that is dead; undefined of one that may be alive, or has left. */
  lastBeatOfDead(id: string, nowMs: number): number | undefined {
    return this.#state(id, nowMs) === "dead" ? this.gateway(id)?.beat : undefined;
  }

  /** What to give and take of a network. */
  exchange(network: string, nowMs: number): NetworkExchange {
    const me = this.#me();
    const blocks = this.#blocks
      .values()
      .filter((each) => each.network === network)
      .toArray();
    const holders = blocks.map((each) => {
      const isFree = each.holder === undefined || this.#state(each.holder, nowMs) === "dead";
      each.freeSinceMs = isFree ? (each.freeSinceMs ?? nowMs) : undefined;
      return {
        block: each.block,
        holder: isFree ? undefined : each.holder,
        isLeftOver: isFree && nowMs - (each.freeSinceMs ?? nowMs) >= this.#settleMs,
      };
    });
    const living = this.#sharers(network, blocks, nowMs);
    const knowing = this.#knowing(network, nowMs);
    const { give, take }: Exchange = fairShare({ me, living, holders, knowing });
    const known = (block: number) => this.#blocks.get(blockKey({ network, block }));
    return {
      give: give.map((block) => ({ network, block })),
      take: take.map((block) => ({
        network,
        block,
        epoch: known(block)?.epoch ?? 0,
        beat: this.#beatOf(known(block)?.holder),
      })),
    };
  }

  /** Of blocks in which living gateways know different numbers of meters, the gateway that knows most. */
  #knowing(network: string, nowMs: number): ReadonlyMap<number, string> {
    const fleets = this.#sightings
      .values()
      .filter(({ gateway: { id, networks } }) => networks.includes(network) && this.#state(id, nowMs) === "alive")
      .map((each) => ({ id: each.gateway.id, fleet: this.#fleetOf(each, nowMs)[network] ?? "" }))
      .toArray()
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    const knowing = new Map<number, string>();
    if (new Set(fleets.map(({ fleet }) => fleet)).size < 2) return knowing;
    const counts = fleets.map(({ id, fleet }) => ({ id, meters: meterCounts(fleet) }));
    for (let block = 0; block < BLOCKS; block++) {
      const most = Math.max(...counts.map(({ meters }) => meters[block] ?? 0));
      const some = counts.filter(({ meters }) => (meters[block] ?? 0) === most);
      if (some.length < counts.length) knowing.set(block, some[0]?.id ?? "");
    }
    return knowing;
  }

  #beatOf(holder: string | undefined): number | undefined {
    return holder === undefined ? undefined : this.#sightings.get(holder)?.gateway.beat;
  }

  /** Whoever reaches the network and is alive, or may be and holds something of it. */
  #sharers(network: string, blocks: readonly KnownBlock[], nowMs: number): string[] {
    const holding = new Set(blocks.map((each) => each.holder));
    return this.#sightings
      .values()
      .filter(({ gateway: { id, networks } }) => {
        if (!networks.includes(network)) return false;
        const state = this.#state(id, nowMs);
        return id === this.#me() || state === "alive" || (state === "unseen" && holding.has(id));
      })
      .map((each) => each.gateway.id)
      .toArray();
  }

  #state(id: string, nowMs: number): "alive" | "unseen" | "dead" {
    if (id === this.#me()) return "alive";
    const sighting = this.#sightings.get(id);
    // One that has left, or that somebody dismissed.
    if (sighting === undefined) return "dead";
    const { gateway, aliveMs } = sighting;
    if (aliveMs !== undefined) return nowMs - aliveMs < gateway.silenceMs ? "alive" : "dead";
    return gateway.ageMs > gateway.awayMs ? "dead" : "unseen";
  }
}

function differ(ours: SharingGateway["fleet"], theirs: SharingGateway["fleet"]): boolean {
  return Object.entries(ours).some(([network, fingerprint]) => (theirs[network] ?? fingerprint) !== fingerprint);
}
