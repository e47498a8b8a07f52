/** What every transport offers: octets both ways. A channel is open when it is handed out. */
export interface ByteChannel {
  /** For people: `tcp 10.1.2.3:4059`, `serial /dev/serial/by-id/…`. Holds no secret. */
  readonly name: string;
  /** Gives the channel its one listener; octets that came before are delivered now. Called once. */
  start(sink: ChannelSink): void;
  /** Queues octets for sending; the channel takes ownership. A write after the end is ignored: the sink has been told. */
  write(bytes: Uint8Array): void;
  /** Sends what is queued, then closes. The sink hears `closed` once. */
  close(): void;
}

export interface ChannelSink {
  /** Octets as they came. They are good during the call only: the channel uses their memory again. */
  bytes(bytes: Uint8Array): void;
  /** The end of the channel, ours or the peer's; `cause` is the system's error when there was one. */
  closed(cause?: Error): void;
}
