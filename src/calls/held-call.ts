/**
 * A connection that a meter, or the modem before it, has opened. One visit at a time has it; in between, what is said
 * unasked goes to whoever holds it, without what modems say to be recognised by.
 */
import type { ByteChannel, ChannelSink } from "../../drivers/channel.ts";
import { ChannelError } from "../../drivers/channel-error.ts";
import type { TcpAddress } from "../../drivers/tcp/address.ts";
import type { TcpChannel } from "../../drivers/tcp/channel.ts";
import type { PushChannel } from "../push/receive/push-connection.ts";

export interface HeldCallOptions {
  /** What modems say of themselves; the first group, or all of it, is what they are called. */
  readonly greeting?: RegExp | undefined;
  readonly onGreeting?: (name: string) => void;
}

/** More than any modem says of itself. */
const LONGEST_GREETING = 1024;
/** Carriage return and line feed. */
const LINE_END: ReadonlySet<number> = new Set([0x0d, 0x0a]);

export class HeldCall implements PushChannel {
  readonly name: string;
  readonly peer: TcpAddress;
  readonly #channel: TcpChannel;
  readonly #options: HeldCallOptions;
  readonly #ended = Promise.withResolvers<void>();
  #holder: ChannelSink | undefined;
  #visit: ChannelSink | undefined;
  #visitEnded: (() => void) | undefined;
  /** Something was sent, and nothing has come since. */
  #isAwaited = false;
  #isOver = false;

  constructor(channel: TcpChannel, options: HeldCallOptions = {}) {
    this.name = `call from ${channel.name}`;
    this.peer = channel.peer;
    this.#channel = channel;
    this.#options = options;
  }

  /** Whether a visit has it. */
  get isTaken(): boolean {
    return this.#visit !== undefined;
  }

  /** Resolves when it has ended, whoever ended it. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** What comes between visits goes there, and the end of the call. */
  start(sink: ChannelSink): void {
    this.#holder = sink;
    this.#channel.start({ bytes: (octets) => this.#take(octets), closed: (cause) => this.#end(cause) });
  }

  write(bytes: Uint8Array): void {
    this.#channel.write(bytes);
  }

  pause(): void {
    if (this.#visit === undefined) this.#channel.pause();
  }

  resume(): void {
    this.#channel.resume();
  }

  finish(): void {
    this.#channel.finish();
  }

  close(): void {
    this.#channel.close();
  }

  /**
   * The call for one visit: its channel ends with the visit, the call goes on and `onEnd` is told. Where an answer is still
   * awaited then the call is ended, for the next visit would take a late one for its own. Throws a ChannelError while
   * another visit has it.
   */
  visit(onEnd: () => void = () => undefined): ByteChannel {
    if (this.isTaken) throw new ChannelError("CHANNEL_REFUSED", { ...this.peer });
    return {
      name: this.name,
      start: (sink) => {
        this.#visit = sink;
        this.#visitEnded = onEnd;
        this.#isAwaited = false;
        if (this.#isOver) queueMicrotask(() => this.#leave());
        else this.#channel.resume();
      },
      write: (bytes) => {
        this.#isAwaited = true;
        this.#channel.write(bytes);
      },
      close: () => {
        if (this.#isAwaited && !this.#isOver) this.#channel.close();
        else queueMicrotask(() => this.#leave());
      },
    };
  }

  #take(octets: Uint8Array): void {
    this.#isAwaited = false;
    if (this.#visit !== undefined) {
      this.#visit.bytes(octets);
      return;
    }
    const rest = this.#withoutGreeting(octets);
    if (rest.length > 0) this.#holder?.bytes(rest);
  }

  #withoutGreeting(octets: Uint8Array): Uint8Array {
    const { greeting, onGreeting } = this.#options;
    if (greeting === undefined || octets.length > LONGEST_GREETING) return octets;
    const start = endOfLine(octets, 0);
    const found = greeting.exec(Buffer.from(octets.subarray(start)).toString("latin1"));
    // What stands further inside is no greeting but a push that holds the modem's number.
    if (found === null || found.index > 0) return octets;
    onGreeting?.((found[1] ?? found[0]).trim());
    return octets.subarray(endOfLine(octets, start + found[0].length));
  }

  #leave(cause?: Error): void {
    const visit = this.#visit;
    this.#visit = undefined;
    visit?.closed(cause);
    this.#visitEnded?.();
    this.#visitEnded = undefined;
  }

  #end(cause: Error | undefined): void {
    this.#isOver = true;
    this.#leave(cause);
    this.#holder?.closed(cause);
    this.#ended.resolve();
  }
}

/** Behind the line ends that stand at a place. */
function endOfLine(octets: Uint8Array, at: number): number {
  let end = at;
  while (LINE_END.has(octets[end] ?? 0)) end++;
  return end;
}
