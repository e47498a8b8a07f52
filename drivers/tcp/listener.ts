import { createServer, type Server, type Socket } from "node:net";
import { channelErrorOf } from "../channel-error.ts";
import type { TcpAddress } from "./address.ts";
import { TcpChannel, type TcpChannelOptions } from "./channel.ts";

export interface TcpListenOptions extends TcpChannelOptions {
  /** Connections held at once; one more is closed as soon as it is accepted. */
  readonly connectionLimit?: number;
  readonly keepAliveMs?: number;
  /** A descriptor of a socket that is bound to the address already; the listener closes it. */
  readonly fd?: number | undefined;
  /** Hears that a connection was not taken because of the limit. */
  readonly onRefused?: () => void;
  /** Hears what went wrong with one connection (a handler that threw) or with accepting; the listener goes on. */
  readonly onError?: (error: Error) => void;
}

const CONNECTION_LIMIT = 20_000;

/** Accepts connections and hands each out as a channel. Port 0 takes a free one: see `address`. */
export class TcpListener implements AsyncDisposable {
  readonly address: TcpAddress;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  #ended: Promise<void> | undefined;

  private constructor(server: Server, sockets: Set<Socket>, address: TcpAddress) {
    this.#server = server;
    this.#sockets = sockets;
    this.address = address;
  }

  /** Rejects with a ChannelError when the address can't be had. */
  static async listen(
    address: TcpAddress,
    onChannel: (channel: TcpChannel) => void,
    options: TcpListenOptions = {},
  ): Promise<TcpListener> {
    const sockets = new Set<Socket>();
    const server = createServer({
      keepAlive: (options.keepAliveMs ?? 0) > 0,
      keepAliveInitialDelay: options.keepAliveMs ?? 0,
    });
    server.maxConnections = options.connectionLimit ?? CONNECTION_LIMIT;
    server.on("drop", () => options.onRefused?.());
    server.on("connection", (socket) => accept(socket, sockets, { onChannel, options }));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject);
    const { fd } = options;
    server.listen(fd === undefined ? { host: address.host, port: address.port } : { fd }, resolve);
    try {
      await promise;
    } catch (error) {
      throw channelErrorOf(error, { ...address });
    }
    server.off("error", reject);
    server.on("error", (error) => options.onError?.(channelErrorOf(error, { ...address })));
    const bound = server.address();
    const port = bound !== null && typeof bound === "object" ? bound.port : address.port;
    return new TcpListener(server, sockets, { host: address.host, port });
  }

  get connectionCount(): number {
    return this.#sockets.size;
  }

  /** Gives the address free; open connections go on, and it ends when all of them have ended. */
  stopAccepting(): Promise<void> {
    this.#ended ??= new Promise((resolve) => this.#server.close(() => resolve()));
    return this.#ended;
  }

  /** Stops accepting; with `graceMs` open connections get that long to end by themselves. */
  async close(graceMs = 0): Promise<void> {
    const timer = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, graceMs);
    await this.stopAccepting();
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

interface Acceptance {
  readonly onChannel: (channel: TcpChannel) => void;
  readonly options: TcpListenOptions;
}

function accept(socket: Socket, sockets: Set<Socket>, { onChannel, options }: Acceptance): void {
  const peer = { host: socket.remoteAddress ?? "unknown", port: socket.remotePort ?? 0 };
  sockets.add(socket);
  socket.once("close", () => sockets.delete(socket));
  const channel = new TcpChannel(socket, peer, options);
  try {
    onChannel(channel);
  } catch (error) {
    socket.destroy();
    options.onError?.(error instanceof Error ? error : new Error(String(error)));
  }
}
