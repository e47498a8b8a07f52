import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { channelErrorOf } from "../channel-error.ts";
import type { TcpAddress } from "../tcp/address.ts";

export interface UdpReceiveOptions {
  /** Octets that the system may hold for us while we are busy; it may grant less. */
  readonly receiveBuffer?: number;
  /** A descriptor of a socket that is bound to the address already; the receiver closes it. */
  readonly fd?: number | undefined;
  /** Hears what went wrong with the socket or with sending; the receiver goes on. */
  readonly onError?: (error: Error) => void;
}

/** Room for a storm of last gasps while a garbage collection runs. */
const RECEIVE_BUFFER = 8 * 1024 * 1024;

/** Receives datagrams on one address. Port 0 takes a free one: see `address`. */
export class UdpReceiver implements AsyncDisposable {
  readonly address: TcpAddress;
  readonly #socket: Socket;
  readonly #options: UdpReceiveOptions;
  #closed = false;

  private constructor(socket: Socket, address: TcpAddress, options: UdpReceiveOptions) {
    this.#socket = socket;
    this.address = address;
    this.#options = options;
  }

  /** Each datagram is handed out with its sender; the octets belong to the receiver. Rejects with a ChannelError. */
  static async bind(
    address: TcpAddress,
    onDatagram: (octets: Uint8Array, peer: TcpAddress) => void,
    options: UdpReceiveOptions = {},
  ): Promise<UdpReceiver> {
    const socket = createSocket({
      type: isIPv6(address.host) ? "udp6" : "udp4",
      recvBufferSize: options.receiveBuffer ?? RECEIVE_BUFFER,
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.once("error", reject);
    socket.on("message", (message, from) => {
      const octets = new Uint8Array(message.buffer, message.byteOffset, message.byteLength);
      try {
        onDatagram(octets, { host: from.address, port: from.port });
      } catch (error) {
        options.onError?.(error instanceof Error ? error : new Error(String(error)));
      }
    });
    const { fd } = options;
    socket.bind(fd === undefined ? { address: address.host, port: address.port } : { fd }, resolve);
    try {
      await promise;
    } catch (error) {
      socket.close();
      throw channelErrorOf(error, { ...address });
    }
    socket.off("error", reject);
    socket.on("error", (error) => options.onError?.(channelErrorOf(error, { ...address })));
    return new UdpReceiver(socket, { host: address.host, port: socket.address().port }, options);
  }

  /** Sends one datagram from the address that we receive on; failures go to `onError`. Ignored after the end. */
  send(octets: Uint8Array, peer: TcpAddress): void {
    if (this.#closed) return;
    const failed = (error: Error) => this.#options.onError?.(channelErrorOf(error, { ...peer }));
    // Whoever sends from port 0 can't be answered, and Node says so at once.
    if (peer.port === 0) failed(new Error("the peer has no port"));
    else this.#socket.send(octets, peer.port, peer.host, (error) => error !== null && failed(error));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.close(() => resolve());
    await promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
