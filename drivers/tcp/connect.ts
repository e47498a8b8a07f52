import { connect } from "node:net";
import { ChannelError, channelErrorOf } from "../channel-error.ts";
import type { TcpAddress } from "./address.ts";
import { TcpChannel, type TcpChannelOptions } from "./channel.ts";
import { Rounds } from "./rounds.ts";

export interface TcpConnectOptions extends TcpChannelOptions {
  /** Time for name lookup and connection together; CHANNEL_NO_ANSWER after it. */
  readonly connectTimeoutMs?: number;
  /** Idle time after which TCP probes a silent peer; 0 leaves keep-alive off. The probes give up after about 10 s. */
  readonly keepAliveMs?: number;
  readonly signal?: AbortSignal | undefined;
}

const CONNECT_TIMEOUT_MS = 15_000;
/**
 * Where octets of all connections arrive: each piece is used up before the next one is read. Memory of its own for each
 * piece, which is what Node gives it otherwise, takes longer than the reading.
 */
const ARRIVED = new Uint8Array(64 * 1024);
const ROUNDS = new Rounds();

/** Opens a connection. Rejects with a ChannelError that tells refused, silent, unreachable and unknown hosts apart. */
export async function connectTcp(address: TcpAddress, options: TcpConnectOptions = {}): Promise<TcpChannel> {
  const { connectTimeoutMs = CONNECT_TIMEOUT_MS, keepAliveMs = 0, signal } = options;
  if (signal?.aborted === true) throw new ChannelError("CHANNEL_ABORTED", { ...address }, { cause: signal.reason });
  let channel: TcpChannel | undefined;
  const socket = connect({
    host: address.host,
    port: address.port,
    onread: {
      buffer: ARRIVED,
      callback: (count) => {
        if (channel !== undefined) ROUNDS.arrived(channel, ARRIVED.subarray(0, count));
        return true;
      },
    },
    keepAlive: keepAliveMs > 0,
    keepAliveInitialDelay: keepAliveMs,
    // Node's own 250 ms an address would give a cellular meter up that answers in a second.
    autoSelectFamilyAttemptTimeout: Math.max(10, Math.ceil(connectTimeoutMs / 2)),
  });
  // What comes before the channel is started waits in the system.
  socket.pause();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(
    () => socket.destroy(new ChannelError("CHANNEL_NO_ANSWER", { ...address, afterMs: connectTimeoutMs })),
    connectTimeoutMs,
  );
  const abort = () => socket.destroy(new ChannelError("CHANNEL_ABORTED", { ...address }, { cause: signal?.reason }));
  signal?.addEventListener("abort", abort, { once: true });
  socket.once("connect", resolve);
  socket.once("error", reject);
  try {
    await promise;
    channel = new TcpChannel(socket, address, { ...options, rounds: ROUNDS });
    return channel;
  } catch (error) {
    socket.destroy();
    throw channelErrorOf(error, { ...address });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}
