/** Connections as a bad network has them: octets late, lost, doubled, damaged, in pieces; ends that hear of no end. */
import type { ByteChannel, ChannelSink } from "../../../drivers/channel.ts";
import { ChannelError } from "../../../drivers/channel-error.ts";
import type { Random } from "../../fuzz/random.ts";
import type { VirtualScope } from "./virtual-time.ts";
import type { Spell, Weather } from "./weather.ts";

/** A place that can be called. */
export interface Site {
  readonly name: string;
  readonly weather: Weather;
  /** One way, without trouble. */
  readonly latencyMs: number;
  /** Takes the far end of a connection; false when it takes no more. */
  accept(end: ByteChannel): boolean;
}

export interface CallOptions {
  readonly connectTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

const LINGER_MS = 1000;
const SLOW_MS = 4000;

export class Network {
  readonly #world: VirtualScope;
  readonly #random: Random;
  readonly #open = new Set<Connection>();

  constructor(world: VirtualScope, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  /** Connections that a living process has not ended. */
  get openCount(): number {
    return this.#open
      .values()
      .filter(({ near }) => !near.ended && !near.dead)
      .toArray().length;
  }

  /** Rejects with a ChannelError. */
  async call(site: Site, caller: VirtualScope, { connectTimeoutMs, signal }: CallOptions): Promise<ByteChannel> {
    const spell = site.weather.at(this.#world.now());
    const gone = spell?.trouble === "silent";
    await caller.wait(gone ? connectTimeoutMs : 2 * site.latencyMs);
    if (signal?.aborted === true) throw new ChannelError("CHANNEL_ABORTED", { host: site.name });
    if (gone) throw new ChannelError("CHANNEL_NO_ANSWER", { host: site.name, afterMs: connectTimeoutMs });
    const connection = new Connection(site, this.#random, { near: caller, far: this.#world });
    if (spell?.trouble === "refusing" || !site.accept(connection.far)) {
      throw new ChannelError("CHANNEL_REFUSED", { host: site.name });
    }
    this.#open.add(connection);
    return connection.near;
  }
}

class Connection {
  readonly near: End;
  readonly far: End;

  constructor(site: Site, random: Random, scopes: { readonly near: VirtualScope; readonly far: VirtualScope }) {
    const way = { site, random };
    this.near = new End(`tcp ${site.name}`, scopes.near, way);
    this.far = new End(`tcp from the gateway to ${site.name}`, scopes.far, way);
    this.near.other = this.far;
    this.far.other = this.near;
    // The system of a process that dies still tells the peer.
    this.near.forget = scopes.near.onEnd(() => {
      this.near.dead = true;
      scopes.far.after(site.latencyMs, () => this.far.end(new ChannelError("CHANNEL_RESET")));
    });
  }
}

interface Way {
  readonly site: Site;
  readonly random: Random;
}

class End implements ByteChannel {
  readonly name: string;
  other: End | undefined;
  /** Nothing that is written here arrives any more, and nobody is told. */
  mute = false;
  dead = false;
  forget: (() => void) | undefined;
  readonly #scope: VirtualScope;
  readonly #way: Way;
  #sink: ChannelSink | undefined;
  #held: Uint8Array[] = [];
  #closing = false;
  #ended = false;
  #cause: Error | undefined;
  /** Octets come in the order in which they were sent. */
  #freeMs = 0;

  constructor(name: string, scope: VirtualScope, way: Way) {
    this.name = name;
    this.#scope = scope;
    this.#way = way;
  }

  get ended(): boolean {
    return this.#ended;
  }

  start(sink: ChannelSink): void {
    this.#sink = sink;
    for (const bytes of this.#held.splice(0)) sink.bytes(bytes);
    if (this.#ended) this.#scope.after(0, () => sink.closed(this.#cause));
  }

  write(bytes: Uint8Array): void {
    if (this.#closing || this.#ended || this.dead) return;
    const spell = this.#spell();
    if (spell === undefined) return this.#send(Uint8Array.from(bytes), 0);
    for (const piece of this.#spoilt(Uint8Array.from(bytes), spell)) {
      this.#send(piece, spell.trouble === "slow" ? this.#way.random.below(SLOW_MS) : 0);
    }
  }

  close(): void {
    if (this.#closing || this.#ended) return;
    this.#closing = true;
    const { other } = this;
    this.#deliver(0, () => other?.end());
    this.#scope.after(LINGER_MS, () => this.end());
    if (this.#spell()?.trouble !== "silent") this.#scope.after(2 * this.#way.site.latencyMs, () => this.end());
  }

  /** The system reports the end of this end. */
  end(cause?: Error): void {
    if (this.#ended || this.dead) return;
    this.#ended = true;
    this.#cause = this.#closing ? undefined : cause;
    this.forget?.();
    this.#sink?.closed(this.#cause);
    // The peer of one that closes closes as well.
    if (!this.#closing) this.#deliver(0, () => this.other?.end());
  }

  hear(bytes: Uint8Array): void {
    if (this.#ended || this.#closing || this.dead) return;
    if (this.#sink === undefined) this.#held.push(bytes);
    else this.#sink.bytes(bytes);
  }

  #spell(): Spell | undefined {
    return this.#way.site.weather.at(this.#scope.now());
  }

  #send(bytes: Uint8Array, moreMs: number): void {
    const { other } = this;
    this.#deliver(moreMs, () => other?.hear(bytes));
  }

  #deliver(moreMs: number, call: () => void): void {
    const { other } = this;
    if (other === undefined || this.mute || this.#spell()?.trouble === "silent") return;
    const { random, site } = this.#way;
    const nowMs = this.#scope.now();
    this.#freeMs = Math.max(this.#freeMs, nowMs + site.latencyMs + random.below(3) + moreMs);
    other.#scope.after(this.#freeMs - nowMs, () => {
      // What is under way when it becomes silent is gone too.
      if (other.#spell()?.trouble !== "silent") call();
    });
  }

  /** Not while its octets are being written. */
  breakLater(): void {
    this.#scope.after(0, () => this.end(new ChannelError("CHANNEL_RESET")));
  }

  #spoilt(bytes: Uint8Array, { trouble, oneIn }: Spell): Uint8Array[] {
    const { random } = this.#way;
    const { other } = this;
    if (trouble === "splitting") return pieces(bytes, random);
    if (!random.oneIn(oneIn)) return [bytes];
    switch (trouble) {
      case "losing": {
        const from = random.below(bytes.length + 1);
        const to = from + random.below(bytes.length - from + 1);
        return [Uint8Array.from([...bytes.subarray(0, from), ...bytes.subarray(to)])];
      }
      case "doubling":
        return [bytes, Uint8Array.from(bytes)];
      case "corrupting": {
        const at = random.below(bytes.length);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
        return [bytes];
      }
      case "cutting":
        this.breakLater();
        other?.breakLater();
        return [];
      case "half-open":
        if (random.oneIn(2)) this.mute = true;
        else if (other !== undefined) other.mute = true;
        return [bytes];
      default:
        return [bytes];
    }
  }
}

function pieces(bytes: Uint8Array, random: Random): Uint8Array[] {
  const list: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + random.below(40);
    list.push(bytes.subarray(at, at + length));
    at += length;
  }
  return list;
}
