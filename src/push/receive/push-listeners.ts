/** Listens for what meters send by themselves, on any number of addresses, and keeps all of it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { SerialChannelOptions } from "../../../drivers/serial/channel.ts";
import { hostPort, type TcpAddress, tcpAddress } from "../../../drivers/tcp/address.ts";
import type { TcpChannel } from "../../../drivers/tcp/channel.ts";
import { TcpListener } from "../../../drivers/tcp/listener.ts";
import { UdpReceiver } from "../../../drivers/udp/receiver.ts";
import type { Config } from "../../config/schema.ts";
import type { EventSink } from "../../observe/events.ts";
import { messageOf } from "../../observe/message-of.ts";
import { ListenerSet } from "./listener-set.ts";
import { type ConnectionLimits, type PushChannel, PushConnection } from "./push-connection.ts";
import { PushDatagrams } from "./push-datagrams.ts";
import { PushIntake, type PushIntakeOptions } from "./push-intake.ts";
import { type PushOrigin, peerName } from "./push-record.ts";
import { PushSerial } from "./push-serial.ts";

export type PushListenConfig = Config["push"]["listen"][number];

export interface PushListenersOptions extends PushIntakeOptions {
  readonly limits?: Partial<PushLimits>;
  /** The descriptor of a socket that is bound to the address already, for us to close; undefined where there is none. */
  readonly boundSocket?:
    | ((address: TcpAddress & { readonly transport: "tcp" | "udp" }) => number | undefined)
    | undefined;
}

export interface PushLimits extends ConnectionLimits {
  /** Connections held at once by one listener. */
  readonly connections: number;
  /** Connections held at once of one host. */
  readonly connectionsPerHost: number;
  /** Silence after which a connection is closed; the meter opens another one when it has something to say. */
  readonly idleMs: number;
}

const LIMITS: PushLimits = {
  connections: 20_000,
  connectionsPerHost: 5000,
  idleMs: 10 * 60_000,
  fruitlessOctets: 1024 * 1024,
  waiting: 1000,
};
/** How long connections may still talk after the order to stop. */
const GRACE_MS = 1000;
/** How long is waited for the store then. */
const DRAIN_MS = 10_000;
const DROPPED_TELL_MS = 10_000;
const P1_BAUD = 115_200;
/** About two telegrams. */
const SERIAL_FRUITLESS_OCTETS = 4096;

/** One address, or serial port, that is listened on. */
interface Listening {
  readonly transport: "tcp" | "udp" | "serial";
  /** With the port that was taken for port 0. */
  readonly name: string;
  /** Datagrams that have not been looked at yet. */
  readonly queued: number;
  /** Takes nothing new, and gives the place free; connections go on. */
  leave(): Promise<void>;
  /** Ends when connections have ended, or were cut. */
  close(): Promise<void>;
}

export class PushListeners implements AsyncDisposable {
  readonly #events: EventSink;
  readonly #limits: PushLimits;
  readonly #boundSocket: PushListenersOptions["boundSocket"];
  readonly intake: PushIntake;
  readonly #listening = new ListenerSet<PushListenConfig, Listening>({
    open: (place) => this.#listen(place),
    close: (listening) => this.#leave(listening),
  });
  /** Those that a reload has taken away, while connections of theirs go on. */
  readonly #left = new Set<Listening>();
  readonly #connections = new Set<PushConnection>();
  /** A serial line may be silent for as long as it wants. */
  readonly #serialConnections = new Set<PushConnection>();
  readonly #perHost = new Map<string, number>();
  #idleTimer: NodeJS.Timeout | undefined;
  #dropped = 0;
  #droppedTimer: NodeJS.Timeout | undefined;

  /** Starts all listeners, or none: rejects with a ChannelError when an address can't be had. */
  static async start(listen: readonly PushListenConfig[], options: PushListenersOptions): Promise<PushListeners> {
    const listeners = new PushListeners(options);
    try {
      await listeners.take(listen);
    } catch (error) {
      await listeners.close();
      throw error;
    }
    return listeners;
  }

  private constructor(options: PushListenersOptions) {
    this.#events = options.events;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#boundSocket = options.boundSocket;
    this.intake = new PushIntake(options);
    this.#idleTimer = setInterval(() => this.#closeIdle(), this.#limits.idleMs);
    this.#idleTimer.unref();
  }

  /** Listens there and nowhere else; connections go on. Rejects, and listens as before, when an address can't be had. */
  take(listen: readonly PushListenConfig[]): Promise<void> {
    return this.#listening.take(listen);
  }

  /** Where it listens, with the ports that were taken for port 0, in the order of the configuration by transport. */
  get addresses(): {
    readonly tcp: readonly string[];
    readonly udp: readonly string[];
    readonly serial: readonly string[];
  } {
    const names = (wanted: Listening["transport"]) =>
      this.#listening.all.flatMap(({ transport, name }) => (transport === wanted ? [name] : []));
    return { tcp: names("tcp"), udp: names("udp"), serial: names("serial") };
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Pushes that are not durable yet. */
  get waiting(): number {
    return this.#listening.all.reduce((sum, { queued }) => sum + queued, this.intake.waiting);
  }

  /**
   * Takes nothing new, lets connections end, and ends when everything that came is kept; what the store does not take
   * within seconds is left to its own end.
   */
  async close(): Promise<void> {
    clearInterval(this.#idleTimer);
    const closed = [...this.#listening.all, ...this.#left].map((listening) => listening.close());
    for (const connection of this.#connections) connection.finish();
    await Promise.all(closed);
    await Promise.race([this.intake.drain(), sleep(DRAIN_MS, undefined, { ref: false })]);
    this.#tellDropped();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #listen({ address: text, transport, serial, speed, parity }: PushListenConfig): Promise<Listening> {
    if (serial !== undefined) {
      return this.#listenSerial({ path: serial, baud: speed ?? P1_BAUD, parity: parity ?? "none" });
    }
    const address = tcpAddress(text ?? "");
    const listening = transport === "tcp" ? await this.#listenTcp(address) : await this.#listenUdp(address);
    this.#events({ event: "pushListening", address: listening.name, transport });
    return listening;
  }

  async #leave(listening: Listening): Promise<void> {
    this.#events({ event: "pushListenerLeft", address: listening.name, transport: listening.transport });
    await listening.leave();
  }

  #listenSerial(port: SerialChannelOptions): Listening {
    const { path } = port;
    const origin = { host: path, port: 0, transport: "serial" } as const;
    const serial = new PushSerial({
      port,
      accept: (channel, ended) => {
        this.#take(channel, origin, ended);
        this.#events({ event: "pushListening", address: path, transport: "serial" });
      },
      onAway: (error) => this.#tellFault(path, error),
    });
    const close = () => serial.close();
    return { transport: "serial", name: path, queued: 0, leave: close, close };
  }

  async #listenTcp(address: TcpAddress): Promise<Listening> {
    const listener = await TcpListener.listen(address, (channel) => this.#accept(channel), {
      connectionLimit: this.#limits.connections,
      keepAliveMs: this.#limits.idleMs,
      fd: this.#boundSocket?.({ ...address, transport: "tcp" }),
      onRefused: () => this.#drop(),
      onError: (error) => this.#tellFault(hostPort(address), error),
    });
    const listening: Listening = {
      transport: "tcp",
      name: hostPort(listener.address),
      queued: 0,
      leave: async () => {
        this.#left.add(listening);
        void listener.stopAccepting().then(() => this.#left.delete(listening));
      },
      close: () => listener.close(GRACE_MS),
    };
    return listening;
  }

  async #listenUdp(address: TcpAddress): Promise<Listening> {
    const datagrams = new PushDatagrams({
      intake: this.intake,
      send: (octets, peer) => receiver.send(octets, peer),
      onDropped: () => this.#drop(),
      onFault: (peer, error) => this.#tellFault(hostPort(peer), error),
    });
    const receiver = await UdpReceiver.bind(address, (octets, peer) => datagrams.receive(octets, peer), {
      fd: this.#boundSocket?.({ ...address, transport: "udp" }),
      onError: (error) => this.#tellFault(hostPort(address), error),
    });
    const close = async () => {
      await receiver.close();
      datagrams.end();
    };
    return {
      transport: "udp",
      name: hostPort(receiver.address),
      get queued() {
        return datagrams.queued;
      },
      leave: close,
      close,
    };
  }

  #accept(channel: TcpChannel): void {
    const { host } = channel.peer;
    const held = this.#perHost.get(host) ?? 0;
    if (held >= this.#limits.connectionsPerHost) {
      channel.close();
      this.#drop();
      return;
    }
    this.#perHost.set(host, held + 1);
    this.#take(channel, { ...channel.peer, transport: "tcp" }, () => this.#forget(host));
  }

  #take(channel: PushChannel, origin: PushOrigin, ended: () => void): void {
    const isSerial = origin.transport === "serial";
    const connection = new PushConnection(channel, {
      intake: this.intake,
      origin,
      // A port that was opened in the middle of a frame is opened again soon.
      limits: isSerial ? { ...this.#limits, fruitlessOctets: SERIAL_FRUITLESS_OCTETS } : this.#limits,
      onClosed: () => {
        this.#connections.delete(connection);
        this.#serialConnections.delete(connection);
        ended();
      },
      onFault: (error) => this.#tellFault(peerName(origin), error),
    });
    (isSerial ? this.#serialConnections : this.#connections).add(connection);
    connection.start();
  }

  #forget(host: string): void {
    const held = (this.#perHost.get(host) ?? 1) - 1;
    if (held > 0) this.#perHost.set(host, held);
    else this.#perHost.delete(host);
  }

  #closeIdle(): void {
    for (const connection of this.#connections) if (connection.idleSinceLook()) connection.finish();
  }

  #drop(): void {
    this.#dropped += 1;
    this.#droppedTimer ??= setTimeout(() => this.#tellDropped(), DROPPED_TELL_MS).unref();
  }

  #tellDropped(): void {
    clearTimeout(this.#droppedTimer);
    this.#droppedTimer = undefined;
    if (this.#dropped > 0) this.#events({ event: "pushesDropped", count: this.#dropped });
    this.#dropped = 0;
  }

  #tellFault(peer: string, error: unknown): void {
    this.#events({ event: "pushRejected", peer, reason: messageOf(error) });
  }
}
