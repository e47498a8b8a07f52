/**
 * Joins a state machine and a channel: octets one way and the other, and real time. Holds at most one timer, and none
 * while the machine has no deadline. A sink that throws harms neither the machine nor the channel.
 */
import type { Machine } from "../protocol/machine.ts";
import type { ByteChannel } from "./channel.ts";
import { type Clock, systemClock, type Timer } from "./clock.ts";

export interface PumpSink<Event> {
  event(event: Event): void;
  /** The end of the channel, told once and last; `cause` when it was not an orderly one. */
  closed(cause?: Error): void;
  /** What `event` threw, or a machine that broke its promise not to throw. The pump goes on where it can. */
  fault?(error: unknown): void;
}

export interface PumpOptions<Command> {
  /** The order that tells the machine of the channel's end; its last events come before `closed`. */
  readonly ended?: Command;
  readonly clock?: Clock | undefined;
}

/** After this long a timer looks again at the latest: an earlier deadline than the first then rarely needs another one. */
const LOOK_MS = 5000;

export class Pump<Command, Event> {
  readonly #machine: Machine<Command, Event>;
  readonly #channel: ByteChannel;
  readonly #sink: PumpSink<Event>;
  readonly #clock: Clock;
  readonly #ended: Command | undefined;
  #timer: Timer | undefined;
  #timerDueMs = Number.POSITIVE_INFINITY;
  #draining = false;
  #closing = false;
  #closed = false;
  #cause: Error | undefined;

  constructor(
    machine: Machine<Command, Event>,
    channel: ByteChannel,
    sink: PumpSink<Event>,
    options: PumpOptions<Command> = {},
  ) {
    this.#machine = machine;
    this.#channel = channel;
    this.#sink = sink;
    this.#clock = options.clock ?? systemClock;
    this.#ended = options.ended;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** What ended the channel, where it was not an orderly end: known before the machine is told. */
  get cause(): Error | undefined {
    return this.#cause;
  }

  /** Starts the channel. Octets and events may come before this returns. */
  start(): void {
    this.#channel.start({
      bytes: (bytes) => this.#step(() => this.#machine.receive(bytes, this.#clock.elapsed())),
      closed: (cause) => this.#end(cause),
    });
    this.#drain();
  }

  /** Gives the machine an order; throws what the machine throws when it refuses. */
  command(command: Command): void {
    this.#machine.command(command, this.#clock.elapsed());
    this.#drain();
  }

  /** Sends what is queued and closes the channel; the sink hears `closed` when that is done. */
  close(): void {
    this.#closing = true;
    this.#flush();
    this.#clearTimer();
    this.#channel.close();
  }

  #step(input: () => void): void {
    if (this.#closed) return;
    try {
      input();
    } catch (error) {
      this.#fault(error);
      this.#channel.close();
    }
    this.#drain();
  }

  /** An event's receiver may give orders at once; the loop that is already running takes what they produce. */
  #drain(): void {
    if (this.#draining || this.#closed) return;
    this.#draining = true;
    try {
      while (this.#drainOnce());
    } finally {
      this.#draining = false;
    }
    this.#arm();
  }

  #drainOnce(): boolean {
    this.#flush();
    const event = this.#machine.takeEvent();
    if (event === undefined) return false;
    try {
      this.#sink.event(event);
    } catch (error) {
      this.#fault(error);
    }
    return true;
  }

  #flush(): void {
    for (let bytes = this.#machine.takeBytes(); bytes !== undefined; bytes = this.#machine.takeBytes()) {
      this.#channel.write(bytes);
    }
  }

  #arm(): void {
    const deadlineMs = this.#closing || this.#closed ? undefined : this.#machine.deadlineMs();
    if (deadlineMs === undefined) {
      this.#clearTimer();
      return;
    }
    // A timer that fires too early looks again: a deadline that moves on with every response costs no timer.
    if (this.#timer !== undefined && this.#timerDueMs <= deadlineMs) return;
    this.#clearTimer();
    const nowMs = this.#clock.elapsed();
    this.#timerDueMs = Math.min(deadlineMs, nowMs + LOOK_MS);
    this.#timer = this.#clock.after(Math.max(0, Math.ceil(this.#timerDueMs - nowMs)), this.#fire);
  }

  readonly #fire = (): void => {
    this.#timer = undefined;
    const nowMs = this.#clock.elapsed();
    const deadlineMs = this.#machine.deadlineMs();
    if (deadlineMs !== undefined && deadlineMs <= nowMs) this.#step(() => this.#machine.timeout(nowMs));
    else this.#arm();
  };

  #clearTimer(): void {
    this.#timer?.close();
    this.#timer = undefined;
    this.#timerDueMs = Number.POSITIVE_INFINITY;
  }

  #end(cause: Error | undefined): void {
    if (this.#closed) return;
    this.#closing = true;
    this.#cause = cause;
    const ended = this.#ended;
    if (ended !== undefined) this.#step(() => this.#machine.command(ended, this.#clock.elapsed()));
    this.#closed = true;
    this.#clearTimer();
    try {
      this.#sink.closed(cause);
    } catch (error) {
      this.#fault(error);
    }
  }

  #fault(error: unknown): void {
    try {
      this.#sink.fault?.(error);
    } catch {
      // A fault sink that throws has nobody left to tell.
    }
  }
}
