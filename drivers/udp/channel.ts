import { createSocket, type Socket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { isIPv6 } from "node:net";
import type { ByteChannel, ChannelSink } from "../channel.ts";
import { ChannelError, channelErrorOf } from "../channel-error.ts";
import { hostPort, type TcpAddress } from "../tcp/address.ts";

export interface UdpConnectOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Datagrams kept for a sink that has not come yet. */
const HELD_LIMIT = 64;

/** A peer over UDP as a channel: each write is one datagram, and each datagram of the peer one delivery. */
export class UdpChannel implements ByteChannel {
  readonly name: string;
  readonly #socket: Socket;
  #sink: ChannelSink | undefined;
  /** What came before `start`. */
  #early: Uint8Array[] = [];
  #closing = false;
  #ended = false;
  #cause: ChannelError | undefined;

  private constructor(socket: Socket, peer: TcpAddress) {
    this.name = `udp ${hostPort(peer)}`;
    this.#socket = socket;
    socket.on("message", (message) => this.#take(new Uint8Array(message)));
    // The host says that nobody listens on the port.
    socket.on("error", (error) => this.#fail(channelErrorOf(error, { ...peer })));
    socket.once("close", () => {
      this.#ended = true;
      this.#sink?.closed(this.#cause);
    });
  }

  /** Datagrams that came before `start`, and are delivered then. */
  get held(): number {
    return this.#early.length;
  }

  /** Datagrams of other senders are not delivered. Rejects with a ChannelError. */
  static async connect(peer: TcpAddress, options: UdpConnectOptions = {}): Promise<UdpChannel> {
    let socket: Socket | undefined;
    try {
      options.signal?.throwIfAborted();
      const { address } = await lookup(peer.host);
      options.signal?.throwIfAborted();
      socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      socket.once("error", reject);
      socket.connect(peer.port, address, resolve);
      await promise;
      socket.off("error", reject);
      return new UdpChannel(socket, peer);
    } catch (error) {
      socket?.close();
      if (options.signal?.aborted === true) throw new ChannelError("CHANNEL_ABORTED", { ...peer }, { cause: error });
      throw channelErrorOf(error, { ...peer });
    }
  }

  start(sink: ChannelSink): void {
    this.#sink = sink;
    for (const octets of this.#early) sink.bytes(octets);
    this.#early = [];
    if (this.#ended) queueMicrotask(() => sink.closed(this.#cause));
  }

  write(bytes: Uint8Array): void {
    if (!this.#closing) this.#socket.send(bytes);
  }

  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#socket.close();
  }

  #take(octets: Uint8Array): void {
    if (this.#closing) return;
    if (this.#sink !== undefined) this.#sink.bytes(octets);
    else if (this.#early.length < HELD_LIMIT) this.#early.push(octets);
  }

  #fail(cause: ChannelError): void {
    this.#cause ??= cause;
    this.close();
  }
}
