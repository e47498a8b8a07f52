/**
 * Takes the calls of meters. Whose call it is says the modem's greeting, a push that comes first, or the caller itself
 * when it is asked; then the call belongs to its meter. Who is no meter that calls in is put on the list of unknown senders
 * and held, so that adoption finds it there.
 */
import PQueue from "p-queue";
import { hostPort, tcpAddress } from "../../drivers/tcp/address.ts";
import type { TcpChannel } from "../../drivers/tcp/channel.ts";
import { TcpListener } from "../../drivers/tcp/listener.ts";
import { systemTitle as asSystemTitle } from "../../protocol/security/system-title.ts";
import type { Config } from "../config/schema.ts";
import type { EventSink } from "../observe/events.ts";
import { messageOf } from "../observe/message-of.ts";
import { ListenerSet } from "../push/receive/listener-set.ts";
import { type ConnectionLimits, PushConnection } from "../push/receive/push-connection.ts";
import type { PushIntake } from "../push/receive/push-intake.ts";
import type { SenderDirectory } from "../push/senders/sender-directory.ts";
import type { ReceivedPush } from "../store/push/received-push.ts";
import type { CallerClues } from "./caller-clues.ts";
import type { Calls } from "./calls.ts";
import { HeldCall } from "./held-call.ts";

export type CallListenConfig = Config["calls"]["listen"][number];

export interface CallListenersOptions {
  readonly calls: Calls;
  readonly directory: SenderDirectory;
  readonly intake: PushIntake;
  /** Asks a caller who it is. Rejects with what went wrong on the road. */
  readonly ask: (call: HeldCall, link: CallListenConfig["link"]) => Promise<CallerClues>;
  /** Puts a caller on the list of unknown senders. */
  readonly noteUnknown: (clues: CallerClues, call: HeldCall) => Promise<void>;
  readonly events: EventSink;
  readonly limits?: Partial<CallLimits>;
}

export interface CallLimits extends ConnectionLimits {
  /** Calls held at once by one listener. */
  readonly calls: number;
  /** Of these, calls of which it is not known whose they are; beyond it the oldest ends. */
  readonly strangers: number;
  /** Calls that are asked at once whose they are. */
  readonly askedAtOnce: number;
  /** How long a caller may say by itself who it is before it is asked. */
  readonly quietMs: number;
}

const LIMITS: CallLimits = {
  calls: 20_000,
  strangers: 1000,
  askedAtOnce: 200,
  quietMs: 1000,
  fruitlessOctets: 1024 * 1024,
  waiting: 100,
};
/** Address translation on the way forgets a connection that is silent for longer, without telling either end. */
const KEEP_ALIVE_MS = 60_000;
/** One unknown caller is noted once in this time, however often it calls. */
const NOTED_AGAIN_MS = 3_600_000;

interface Stranger {
  readonly call: HeldCall;
  readonly link: CallListenConfig["link"];
  timer?: NodeJS.Timeout;
  clues?: CallerClues;
  isRecognised?: true;
}

export class CallListeners implements AsyncDisposable {
  readonly #options: CallListenersOptions;
  readonly #limits: CallLimits;
  readonly #listening = new ListenerSet<CallListenConfig, TcpListener>({
    open: (place) => this.#listen(place),
    close: async (listener) => this.#leave(listener),
  });
  /** Those that a reload has taken away, while calls of theirs go on. */
  readonly #left = new Set<TcpListener>();
  /** By address, the one that called first, first. */
  readonly #strangers = new Map<string, Stranger>();
  readonly #asking: PQueue;
  /** Unknown callers by name, and when they were noted. */
  readonly #notedMs = new Map<string, number>();

  /** Starts all listeners, or none: rejects with a ChannelError when an address can't be had. */
  static async start(listen: readonly CallListenConfig[], options: CallListenersOptions): Promise<CallListeners> {
    const listeners = new CallListeners(options);
    try {
      await listeners.take(listen);
    } catch (error) {
      await listeners[Symbol.asyncDispose]();
      throw error;
    }
    return listeners;
  }

  private constructor(options: CallListenersOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#asking = new PQueue({ concurrency: this.#limits.askedAtOnce });
  }

  /** Listens there and nowhere else; calls go on. Rejects, and listens as before, when an address can't be had. */
  take(listen: readonly CallListenConfig[]): Promise<void> {
    return this.#listening.take(listen);
  }

  /** Calls of which it is not known whose they are. */
  get strangerCount(): number {
    return this.#strangers.size;
  }

  /** A push came, perhaps on a call. */
  heard({ peer, meterId, systemTitle, senderNames }: ReceivedPush): void {
    const stranger = this.#strangers.get(peer);
    if (stranger === undefined || (meterId === undefined && senderNames.length === 0)) return;
    this.#recognise(stranger, { systemTitle, names: senderNames });
  }

  /** More is known of the fleet: some of the unknown callers may be meters now. */
  lookAgain(): void {
    for (const stranger of this.#strangers.values()) {
      if (stranger.clues !== undefined) this.#recognise(stranger, stranger.clues);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#asking.clear();
    for (const { timer } of this.#strangers.values()) clearTimeout(timer);
    await Promise.all([...this.#listening.all, ...this.#left].map((listener) => listener.close()));
  }

  async #listen({ address, link, greeting }: CallListenConfig): Promise<TcpListener> {
    const expression = greeting === undefined ? undefined : new RegExp(greeting);
    const listener = await TcpListener.listen(
      tcpAddress(address),
      (channel) => this.#accept(channel, { link, greeting: expression }),
      {
        connectionLimit: this.#limits.calls,
        keepAliveMs: KEEP_ALIVE_MS,
        onRefused: () => this.#options.events({ event: "callRefused", limit: this.#limits.calls }),
        onError: (error) => this.#options.events({ event: "callFailed", peer: address, reason: error.message }),
      },
    );
    this.#options.events({ event: "callsAwaited", address: hostPort(listener.address) });
    return listener;
  }

  #leave(listener: TcpListener): void {
    this.#left.add(listener);
    void listener.stopAccepting().then(() => this.#left.delete(listener));
    this.#options.events({ event: "callListenerLeft", address: hostPort(listener.address) });
  }

  #accept(channel: TcpChannel, { link, greeting }: Pick<Stranger, "link"> & { greeting: RegExp | undefined }): void {
    const { events, intake } = this.#options;
    const peer = hostPort(channel.peer);
    const call = new HeldCall(channel, { greeting, onGreeting: (name) => this.#greeted(peer, name) });
    const stranger: Stranger = { call, link };
    this.#strangers.set(peer, stranger);
    this.#bound();
    const connection = new PushConnection(call, {
      intake,
      origin: { ...channel.peer, transport: "tcp" },
      limits: this.#limits,
      onClosed: () => this.#forget(peer, stranger),
      onFault: (error) => events({ event: "callFailed", peer, reason: messageOf(error) }),
    });
    const ask = () => this.#ask(stranger, peer);
    stranger.timer = setTimeout(() => void this.#asking.add(ask), this.#limits.quietMs);
    connection.start();
  }

  #greeted(peer: string, name: string): void {
    const stranger = this.#strangers.get(peer);
    if (stranger !== undefined) this.#recognise(stranger, { names: [name] });
  }

  async #ask(stranger: Stranger, peer: string): Promise<void> {
    if (this.#strangers.get(peer) !== stranger) return;
    try {
      const clues = await this.#options.ask(stranger.call, stranger.link);
      if (!stranger.isRecognised) this.#recognise(stranger, { ...clues, names: namesOf(stranger.clues, clues) });
    } catch (error) {
      if (stranger.isRecognised || stranger.clues !== undefined) return;
      if (this.#isNews(stranger.call.peer.host)) {
        this.#options.events({ event: "callFailed", peer, reason: messageOf(error) });
      }
      stranger.call.close();
    }
  }

  /** Gives the call to the meter that the clues name, or notes that they name none. */
  #recognise(stranger: Stranger, clues: CallerClues): void {
    const { calls, events } = this.#options;
    const { call } = stranger;
    const peer = hostPort(call.peer);
    const meterKeys = this.#metersOf(clues);
    for (const meterKey of meterKeys) {
      const meters = calls.admit(meterKey, call);
      if (meters === undefined) continue;
      stranger.isRecognised = true;
      this.#forget(peer, stranger);
      for (const { target } of meters) events({ event: "meterCalled", meter: target.name, peer });
      return;
    }
    const isNew = stranger.clues === undefined;
    stranger.clues = clues;
    if (meterKeys.length > 0) events({ event: "callUnused", peer, names: clues.names });
    else if (isNew) this.#note(stranger, clues);
  }

  /** Those behind the modem of that name, or the meters that have the title or one of the names. */
  #metersOf({ systemTitle, names }: CallerClues): number[] {
    const { calls, directory } = this.#options;
    const [behindModem] = names.flatMap((name) => calls.named(name));
    if (behindModem !== undefined) return [behindModem.meterKey];
    const titled = systemTitle === undefined ? [] : directory.bySystemTitle(asSystemTitle(systemTitle));
    const [logicalDeviceName, ...numbers] = names;
    const identity = { logicalDeviceName, numbers, meterType: undefined, listId: undefined, pushSetup: undefined };
    const named = names.length === 0 ? [] : directory.byIdentity(identity);
    // Titles that are made of a few digits are those of several meters.
    return [...(titled.length === 1 ? titled : []), ...named].map(({ meterKey }) => meterKey);
  }

  #note({ call }: Stranger, clues: CallerClues): void {
    const { events, noteUnknown } = this.#options;
    const sender = clues.names[0] ?? call.peer.host;
    if (!this.#isNews(sender)) return;
    events({ event: "callerUnknown", peer: hostPort(call.peer), names: clues.names });
    noteUnknown(clues, call).catch((error: unknown) => {
      this.#notedMs.delete(sender);
      events({ event: "callFailed", peer: hostPort(call.peer), reason: messageOf(error) });
    });
  }

  /** Whether nothing has been told of a sender for a while: one that calls without end fills no log. */
  #isNews(sender: string): boolean {
    const nowMs = performance.now();
    if (nowMs - (this.#notedMs.get(sender) ?? -Infinity) < NOTED_AGAIN_MS) return false;
    if (this.#notedMs.size >= this.#limits.strangers) this.#notedMs.clear();
    this.#notedMs.set(sender, nowMs);
    return true;
  }

  /** Those that were asked already go first: the others may yet turn out to be meters. */
  #bound(): void {
    if (this.#strangers.size <= this.#limits.strangers) return;
    const known = this.#strangers.values().find(({ clues }) => clues !== undefined);
    const oldest = known ?? this.#strangers.values().next().value;
    if (oldest === undefined) return;
    this.#forget(hostPort(oldest.call.peer), oldest);
    oldest.call.close();
  }

  #forget(peer: string, stranger: Stranger): void {
    clearTimeout(stranger.timer);
    if (this.#strangers.get(peer) === stranger) this.#strangers.delete(peer);
  }
}

function namesOf(...clues: readonly (CallerClues | undefined)[]): string[] {
  return [...new Set(clues.flatMap((each) => each?.names ?? []))];
}
