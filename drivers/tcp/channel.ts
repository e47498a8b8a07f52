import type { Socket } from "node:net";
import { Queue } from "../../protocol/queue.ts";
import type { ByteChannel, ChannelSink } from "../channel.ts";
import { ChannelError, channelErrorOf } from "../channel-error.ts";
import { hostPort, type TcpAddress } from "./address.ts";
import type { RoundMember, Rounds } from "./rounds.ts";

export interface TcpChannelOptions {
  /** The rounds that give the channel its octets and have it write; left out, it listens to its socket and writes at once. */
  readonly rounds?: Rounds;
  /** Octets that may wait for the peer before a further write ends the channel with CHANNEL_WRITE_OVERFLOW. */
  readonly writeQueueLimit?: number;
  /** How long a closed channel waits for the peer's end before the socket is torn down. */
  readonly lingerMs?: number;
}

const WRITE_QUEUE_LIMIT = 1024 * 1024;
const LINGER_MS = 1000;

/** A connected socket as a channel. The socket stays paused until `start`, so nothing that came before is lost. */
export class TcpChannel implements ByteChannel, RoundMember {
  readonly name: string;
  readonly peer: TcpAddress;
  readonly #socket: Socket;
  readonly #writeQueueLimit: number;
  readonly #lingerMs: number;
  readonly #rounds: Rounds | undefined;
  /** Octets for the end of the round. */
  readonly #unsent = new Queue<Uint8Array>();
  #unsentOctets = 0;
  #sink: ChannelSink | undefined;
  #cause: ChannelError | undefined;
  #closing = false;
  #ended = false;
  #linger: NodeJS.Timeout | undefined;

  constructor(socket: Socket, peer: TcpAddress, options: TcpChannelOptions = {}) {
    this.name = `tcp ${hostPort(peer)}`;
    this.peer = peer;
    this.#socket = socket;
    this.#writeQueueLimit = options.writeQueueLimit ?? WRITE_QUEUE_LIMIT;
    this.#lingerMs = options.lingerMs ?? LINGER_MS;
    this.#rounds = options.rounds;
    socket.setNoDelay(true);
    socket.on("error", (error) => {
      this.#cause ??= channelErrorOf(error, { ...peer });
    });
    socket.once("close", () => this.#end());
  }

  start(sink: ChannelSink): void {
    this.#sink = sink;
    if (this.#ended) {
      queueMicrotask(() => sink.closed(this.#cause));
      return;
    }
    if (this.#rounds === undefined) {
      this.#socket.on("data", ({ buffer, byteOffset, byteLength }: Buffer) =>
        this.deliver(new Uint8Array(buffer, byteOffset, byteLength)),
      );
    }
    this.#socket.resume();
  }

  /** Takes octets of the socket, which are not looked at after this returns. */
  deliver(octets: Uint8Array): void {
    if (!this.#closing) this.#sink?.bytes(octets);
  }

  write(bytes: Uint8Array): void {
    if (this.#closing || this.#socket.destroyed || this.#socket.writableEnded) return;
    const queued = this.#socket.writableLength + this.#unsentOctets;
    if (queued > this.#writeQueueLimit) {
      this.#socket.destroy(new ChannelError("CHANNEL_WRITE_OVERFLOW", { ...this.peer, queued }));
      return;
    }
    if (this.#rounds === undefined) {
      this.#socket.write(bytes);
      return;
    }
    if (this.#unsentOctets === 0) this.#rounds.wantsToSend(this);
    this.#unsent.push(bytes);
    this.#unsentOctets += bytes.length;
  }

  /** Writes what waits for the end of the round. */
  send(): void {
    this.#unsentOctets = 0;
    if (this.#socket.destroyed || this.#socket.writableEnded) this.#unsent.clear();
    for (let bytes = this.#unsent.take(); bytes !== undefined; bytes = this.#unsent.take()) this.#socket.write(bytes);
  }

  /** Stops taking octets in; the system holds some and then lets the peer wait. */
  pause(): void {
    if (!this.#closing) this.#socket.pause();
  }

  resume(): void {
    if (this.#sink !== undefined) this.#socket.resume();
  }

  /** Sends what is queued and nothing more; octets of the peer are delivered until it closes, or for the linger time. */
  finish(): void {
    if (this.#closing || this.#socket.writableEnded) return;
    this.send();
    this.#socket.end();
    this.#linger = setTimeout(() => this.#socket.destroy(), this.#lingerMs);
  }

  close(): void {
    if (this.#closing || this.#socket.destroyed) return;
    this.#closing = true;
    this.send();
    this.#socket.end();
    // The peer's end is only seen when the octets before it have been read.
    this.#socket.resume();
    clearTimeout(this.#linger);
    this.#linger = setTimeout(() => this.#socket.destroy(), this.#lingerMs);
  }

  #end(): void {
    this.#ended = true;
    clearTimeout(this.#linger);
    this.#sink?.closed(this.#closing ? undefined : this.#cause);
  }
}
