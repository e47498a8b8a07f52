/**
 * Shares the meters of networks with other gateways over the database: gives signs of life, takes and gives blocks, and
 * says which this gateway may work. All blocks are renewed by one statement; nothing is written for single meters. See
 * LeaseState for how long work may go on while the database is away.
 */
import { systemClock, type Timer } from "../../drivers/clock.ts";
import type { EventSink } from "../observe/events.ts";
import { messageOf } from "../observe/message-of.ts";
import { BLOCKS, type Block, blockKey } from "./block.ts";
import type { GatewayIdentity } from "./gateway-identity.ts";
import { leaseEndMs } from "./lease-rule.ts";
import { isServerAway, ShareSession, type SharingGateway } from "./share-session.ts";
import { SharingState } from "./sharing-state.ts";

export interface FleetShareOptions {
  readonly url: string;
  readonly identity: GatewayIdentity;
  readonly name: string;
  readonly silenceMs: number;
  readonly awayMs: number;
  readonly version: string;
  /** Whether this gateway listens now for what meters send by themselves. */
  readonly listens: () => boolean;
  /** By network that this gateway reaches, a fingerprint of the meters that are known here now. */
  readonly fleet: () => Readonly<Record<string, string>>;
  readonly events: EventSink;
  /** These blocks are this gateway's to work from now on. */
  readonly onHeld: (blocks: readonly Block[]) => void;
  /** These are not any more; resolves when nothing runs for their meters. */
  readonly onGiven: (blocks: readonly Block[]) => Promise<void>;
  /** All are lost at once: what runs has to be cut. */
  readonly onCut: () => void;
  /** How many meters are worked now. */
  readonly meterCount: () => number;
  readonly channels?: readonly string[];
  readonly onNotice?: (channel: string, payload: string) => void;
}

/** Signs of life within the silence after which others take over. */
const BEATS = 6;
const ALONE_KEPT_MS = 60_000;

export class FleetShare implements AsyncDisposable {
  readonly #options: FleetShareOptions;
  readonly #sharing: SharingState;
  readonly #beatMs: number;
  /** Blocks that are worked, and those of them that are about to be given. */
  readonly #worked = new Map<string, Block>();
  readonly #giving = new Set<string>();
  #fleet: Readonly<Record<string, string>>;
  #toldFleet: Readonly<Record<string, string>> | undefined;
  #toldListens: boolean | undefined;
  #session: ShareSession | undefined;
  #isDirect = false;
  #incarnation: number | undefined;
  #renewedMs = -Infinity;
  #alone = false;
  #serverAway = false;
  #aloneKeptMs = -Infinity;
  #differing = "";
  #beatTimer: NodeJS.Timeout | undefined;
  #endTimer: Timer | undefined;
  #beating: Promise<void> | undefined;
  #stopped = false;

  constructor(options: FleetShareOptions) {
    this.#options = options;
    this.#fleet = options.fleet();
    this.#sharing = new SharingState(() => options.identity.id, 2 * options.silenceMs);
    this.#beatMs = options.silenceMs / BEATS;
  }

  /** Joins the others and takes what is free; goes on trying where the database does not answer. */
  async start(): Promise<void> {
    this.#resume();
    await this.#beat();
  }

  /** Whether a block is this gateway's to work now. */
  works(block: Block): boolean {
    return this.#worked.has(blockKey(block)) && !this.#giving.has(blockKey(block));
  }

  /** Meters have come or gone: others are told, and blocks of new networks are shared too. */
  async tellFleet(): Promise<void> {
    const before = this.#networks.length;
    this.#fleet = this.#options.fleet();
    if (this.#networks.length !== before) this.#sharing.lookAnew();
    await this.#beat();
  }

  /** The gateway that holds a block, as far as is known. */
  holderOf(block: Block): SharingGateway | undefined {
    const holder = this.#sharing.holderOf(block);
    return holder === undefined ? undefined : this.#sharing.gateway(holder);
  }

  /** All gateways that have not taken leave. */
  gateways(): SharingGateway[] {
    return this.#sharing.gateways();
  }

  /** How many blocks each gateway holds. */
  blockCounts(): ReadonlyMap<string, number> {
    return this.#sharing.blockCounts();
  }

  /** One of the blocks that a gateway holds; undefined where it holds none. */
  someBlockOf(id: string): Block | undefined {
    return this.#sharing.someBlockOf(id);
  }

  /** Whether the last sign of life that was taken lets this gateway go on with what it has. */
  get isLeased(): boolean {
    return leaseEndMs(this.#lease()) > performance.now();
  }

  /** The last sign of life of a gateway that is dead; undefined of one that may be alive, or has left. */
  lastBeatOfDead(id: string): number | undefined {
    return this.#sharing.lastBeatOfDead(id, performance.now());
  }

  /** The number of this run; undefined until the database has been reached. */
  get incarnation(): number | undefined {
    return this.#incarnation;
  }

  get id(): string {
    return this.#options.identity.id;
  }

  get name(): string {
    return this.#options.name;
  }

  /** Says that a gateway is dead, for whoever knows: its blocks are free at once. False when there is none. */
  async dismiss(id: string): Promise<boolean> {
    if (this.#session === undefined) throw new Error("the database does not answer");
    return this.#session.leave(id);
  }

  get #networks(): string[] {
    return Object.keys(this.#fleet);
  }

  /** Gives all back; nothing of this gateway's may run any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#beatTimer);
    this.#endTimer?.close();
    await this.#beating;
    if (this.#session === undefined) return;
    await this.#session.leave(this.id, this.#incarnation).catch(() => false);
    await this.#session.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Where this gateway was the only one just before, it goes on with all its meters, database or not. */
  #resume(): void {
    const { identity, awayMs, silenceMs } = this.#options;
    const networks = this.#networks;
    if (identity.aloneAtMs === undefined) return;
    const agoMs = Date.now() - identity.aloneAtMs;
    if (agoMs < 0) return;
    this.#renewedMs = performance.now() - agoMs;
    this.#alone = true;
    if (leaseEndMs({ ...this.#lease(), awayMs, silenceMs }) <= performance.now()) return;
    this.#hold(networks.flatMap((network) => Array.from({ length: BLOCKS }, (_, block) => ({ network, block }))));
    this.#watchEnd();
  }

  #lease() {
    const { silenceMs, awayMs } = this.#options;
    return { renewedMs: this.#renewedMs, alone: this.#alone, serverAway: this.#serverAway, silenceMs, awayMs };
  }

  #beatSoon(): void {
    if (this.#stopped) return;
    clearTimeout(this.#beatTimer);
    this.#beatTimer = setTimeout(() => void this.#beat(), this.#beatMs);
  }

  async #beat(): Promise<void> {
    this.#beating ??= this.#renewAll()
      .catch((error: unknown) => this.#lose(error))
      .finally(() => {
        this.#beating = undefined;
        this.#watchEnd();
        this.#beatSoon();
      });
    await this.#beating;
  }

  /** Renews, and exchanges blocks; what was taken is renewed, and with that ours, at once. */
  async #renewAll(): Promise<void> {
    const session = await this.#joined();
    const fleet = this.#fleet;
    if (this.#toldFleet !== fleet) {
      await session.know(this.id, Object.keys(fleet), JSON.stringify(fleet));
      this.#toldFleet = fleet;
    }
    const listens = this.#options.listens();
    if (this.#toldListens !== listens) {
      await session.tellListens(this.id, listens);
      this.#toldListens = listens;
    }
    await this.#renew(session);
    if ((await this.#exchange(session)) > 0) await this.#renew(session);
  }

  async #joined(): Promise<ShareSession> {
    if (this.#session !== undefined) return this.#session;
    const { url, silenceMs, channels = [], onNotice = () => undefined, identity, ...presence } = this.#options;
    let opened: ShareSession | undefined;
    const { session, isDirect } = await ShareSession.open({
      url,
      timeoutMs: Math.ceil(silenceMs / 2),
      channels,
      onNotice,
      // It may be lost before it is there; opening it fails then.
      onLost: () => {
        if (opened !== undefined && this.#session === opened)
          this.#lose(new Error("the connection to the database ended"));
      },
    });
    opened = session;
    this.#isDirect = isDirect;
    if (this.#stopped) {
      await session.close();
      throw new Error("the gateway stops");
    }
    try {
      if (this.#incarnation === undefined) {
        const [networks, fleet] = [this.#networks, this.#fleet];
        const listens = presence.listens();
        const known = { networks, fleet: JSON.stringify(fleet), listens };
        this.#incarnation = await session.join({ ...presence, ...known, silenceMs, id: identity.id });
        this.#toldFleet = fleet;
        this.#toldListens = listens;
      }
    } catch (error) {
      await session.close();
      throw error;
    }
    this.#session = session;
    return session;
  }

  async #renew(session: ShareSession): Promise<void> {
    const sentMs = performance.now();
    const told = { meters: this.#options.meterCount(), seen: this.#sharing.seenChange };
    const renewal = await session.renew(this.id, this.#incarnation ?? 0, told);
    if (!renewal.known) return this.#startAnew(renewal.gateways);
    const nowMs = performance.now();
    this.#sharing.learn(renewal, nowMs);
    this.#renewedMs = sentMs;
    this.#serverAway = false;
    this.#alone = this.#sharing.isAlone(nowMs);
    this.#adjust();
    await this.#keepAlone(nowMs);
    this.#tellFleets(nowMs);
  }

  /** Somebody said that this gateway is dead, or another process runs under its identity. */
  async #startAnew(gateways: readonly SharingGateway[]): Promise<void> {
    this.#cut("another process runs as this gateway, or it was said to be dead");
    this.#incarnation = undefined;
    if (gateways.some((each) => each.id === this.id)) await this.#options.identity.renew();
    const session = this.#session;
    this.#session = undefined;
    await session?.close();
  }

  /** Begins with what has become ours and ends with what is ours no more. */
  #adjust(): void {
    const mine = new Map(this.#sharing.mine().map((block) => [blockKey(block), block]));
    const lost = this.#worked
      .entries()
      .filter(([key]) => !mine.has(key))
      .map(([, block]) => block)
      .toArray();
    for (const block of lost) this.#worked.delete(blockKey(block));
    if (lost.length > 0) void this.#options.onGiven(lost);
    this.#hold(
      mine
        .entries()
        .filter(([key]) => !this.#worked.has(key) && !this.#giving.has(key))
        .map(([, block]) => block)
        .toArray(),
    );
  }

  #hold(blocks: readonly Block[]): void {
    if (blocks.length === 0) return;
    for (const block of blocks) this.#worked.set(blockKey(block), block);
    this.#options.onHeld(blocks);
    this.#options.events({ event: "blocksHeld", taken: blocks.length, held: this.#worked.size });
  }

  async #exchange(session: ShareSession): Promise<number> {
    const nowMs = performance.now();
    let taken = 0;
    for (const network of this.#networks) {
      const { give, take } = this.#sharing.exchange(network, nowMs);
      if (take.length > 0) taken += await session.take(this.id, this.#incarnation ?? 0, take);
      const leaving = give.filter((block) => !this.#giving.has(blockKey(block)));
      if (leaving.length > 0) void this.#give(leaving);
    }
    return taken;
  }

  /** What runs for the meters of a block ends before another gateway gets them. */
  async #give(blocks: readonly Block[]): Promise<void> {
    for (const block of blocks) this.#giving.add(blockKey(block));
    await this.#options.onGiven(blocks);
    for (const block of blocks) this.#worked.delete(blockKey(block));
    await this.#session?.give(this.id, blocks).catch(() => undefined);
    for (const block of blocks) this.#giving.delete(blockKey(block));
    this.#options.events({ event: "blocksGiven", given: blocks.length, held: this.#worked.size });
  }

  #lose(error: unknown): void {
    const session = this.#session;
    this.#session = undefined;
    void session?.close();
    this.#sharing.distrustSightings();
    this.#serverAway = this.#isDirect && isServerAway(error);
    this.#watchEnd();
    if (session === undefined || this.#stopped) return;
    const forMs = Math.max(0, Math.round(leaseEndMs(this.#lease()) - performance.now()));
    const reason = messageOf(error);
    this.#options.events({ event: "sharingLost", reason, forMs });
    // Whether the server is away for all is soon known: by the next try.
    void this.#beat();
  }

  #watchEnd(): void {
    this.#endTimer?.close();
    if (this.#stopped || (this.#worked.size === 0 && this.#options.meterCount() === 0)) return;
    const leftMs = leaseEndMs(this.#lease()) - performance.now();
    if (leftMs <= 0) return this.#cut("the database has not been reached for as long as the lease allows");
    this.#endTimer = systemClock.after(Math.ceil(leftMs), () => this.#watchEnd());
  }

  #cut(reason: string): void {
    const blocks = [...this.#worked.values()];
    if (blocks.length === 0 && this.#options.meterCount() === 0) return;
    this.#worked.clear();
    void this.#options.onGiven(blocks);
    this.#options.onCut();
    this.#options.events({ event: "blocksLost", lost: blocks.length, reason });
  }

  async #keepAlone(nowMs: number): Promise<void> {
    const { identity } = this.#options;
    const isKept = this.#alone === (identity.aloneAtMs !== undefined);
    if (isKept && (!this.#alone || nowMs - this.#aloneKeptMs < ALONE_KEPT_MS)) return;
    await identity.keepAlone(this.#alone ? Date.now() : undefined);
    this.#aloneKeptMs = nowMs;
  }

  /** A meter that only one of the gateways knows may be in a block of another. */
  #tellFleets(nowMs: number): void {
    const names = this.#sharing.knowingOthers(nowMs).join(", ");
    if (names !== "" && names !== this.#differing) this.#options.events({ event: "fleetsDiffer", others: names });
    this.#differing = names;
  }
}
