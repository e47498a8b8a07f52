import type { ByteChannel } from "../../../drivers/channel.ts";
import { ChannelError } from "../../../drivers/channel-error.ts";
import type { Clock } from "../../../drivers/clock.ts";
import { Pump } from "../../../drivers/pump.ts";
import type { ClientSession, SessionCommand, SessionEvent } from "../../../protocol/association/session.ts";
import type { Machine } from "../../../protocol/machine.ts";

/** Who hears what a session tells. */
export interface LineSink {
  event(event: SessionEvent): void;
  /** The end of the line; nothing comes after it. */
  ended(cause: Error | undefined): void;
}

export interface MeterLineOptions {
  /** Ends the line at once. May be shared: it is listened to only while the line is open. */
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock | undefined;
  /** Whether others on the same line have answered of late, and this meter never: the line is not to blame for silence. */
  readonly onlyOthersAnswer?: (() => boolean) | undefined;
}

/**
 * An open channel to a meter, used by one session after the other: a public client first, then another one. Octets that
 * come while no session is there are dropped.
 */
export class MeterLine implements AsyncDisposable {
  readonly name: string;
  readonly #seat = new SessionSeat();
  readonly #pump: Pump<SessionCommand, SessionEvent>;
  readonly #signal: AbortSignal | undefined;
  readonly #onlyOthersAnswer: (() => boolean) | undefined;
  readonly #ended = Promise.withResolvers<void>();
  #sink: LineSink | undefined;
  #aborted: ChannelError | undefined;

  constructor(channel: ByteChannel, options: MeterLineOptions = {}) {
    const { signal, clock, onlyOthersAnswer } = options;
    this.#onlyOthersAnswer = onlyOthersAnswer;
    this.name = channel.name;
    this.#signal = signal;
    const sink = { event: (event: SessionEvent) => this.#sink?.event(event), closed: () => this.#end() };
    this.#pump = new Pump(this.#seat, channel, sink, { ended: { type: "channelEnded" }, clock });
    signal?.addEventListener("abort", this.#abort);
    this.#pump.start();
    if (signal?.aborted === true) this.#abort();
  }

  get open(): boolean {
    return !this.#pump.closed && this.cause === undefined;
  }

  /** What ended the line, when it was not our order. */
  get cause(): Error | undefined {
    return this.#aborted ?? this.#pump.cause;
  }

  get onlyOthersAnswer(): boolean {
    return this.#onlyOthersAnswer?.() === true;
  }

  get receivedOctets(): number {
    return this.#seat.receivedOctets;
  }

  /** Lets a session use the line; the one before must have ended. */
  seat(session: ClientSession, sink: LineSink): void {
    this.#seat.session = session;
    this.#sink = sink;
  }

  /** Throws what the session throws when it refuses. */
  command(command: SessionCommand): void {
    this.#pump.command(command);
  }

  /** Closes the channel; resolves when it is closed. */
  close(): Promise<void> {
    this.#signal?.removeEventListener("abort", this.#abort);
    if (!this.#pump.closed) this.#pump.close();
    return this.#ended.promise;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #abort = (): void => {
    if (!this.open) return;
    this.#aborted = new ChannelError("CHANNEL_ABORTED", { channel: this.name }, { cause: this.#signal?.reason });
    // Whoever waits hears of it now, not when the channel has been closed.
    this.#pump.command({ type: "channelEnded" });
    this.#pump.close();
  };

  #end(): void {
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#sink?.ended(this.cause);
    this.#ended.resolve();
  }
}

/** A machine that is whichever session has the line. */
class SessionSeat implements Machine<SessionCommand, SessionEvent> {
  session: ClientSession | undefined;
  receivedOctets = 0;

  command(command: SessionCommand, nowMs: number): void {
    this.session?.command(command, nowMs);
  }
  receive(bytes: Uint8Array, nowMs: number): void {
    this.receivedOctets += bytes.length;
    this.session?.receive(bytes, nowMs);
  }
  timeout(nowMs: number): void {
    this.session?.timeout(nowMs);
  }
  takeBytes(): Uint8Array | undefined {
    return this.session?.takeBytes();
  }
  takeEvent(): SessionEvent | undefined {
    return this.session?.takeEvent();
  }
  deadlineMs(): number | undefined {
    return this.session?.deadlineMs();
  }
}
