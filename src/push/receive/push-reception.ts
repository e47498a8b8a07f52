/**
 * All of receiving pushes as one: the listeners, what is held, who sends without being known, and replaying when more is
 * known. What is held is tried again at each start, for the configuration may have new meters and keys.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Unsolicited } from "../../collect/session/session-pushes.ts";
import type { Config } from "../../config/schema.ts";
import type { Fleet, FleetMeter } from "../../fleet/fleet.ts";
import type { SaidNames } from "../../fleet/said-names.ts";
import type { EventSink } from "../../observe/events.ts";
import { messageOf } from "../../observe/message-of.ts";
import type { HeldFilter, HeldSender, SenderConflict, UnknownSender } from "../../store/push/held-pushes.ts";
import type { PushCounter } from "../../store/push/push-counters.ts";
import type { ReceivedPush } from "../../store/push/received-push.ts";
import type { FleetSenders } from "../senders/fleet-senders.ts";
import { type HasCome, PushArrivals } from "../setups/push-arrivals.ts";
import { PushCounters } from "./push-counters.ts";
import type { PushStore } from "./push-intake.ts";
import { type PushLimits, PushListeners, type PushListenersOptions } from "./push-listeners.ts";
import { callRecord, type PushMapping, type PushOrigin } from "./push-record.ts";
import { metersOf, type ReplayOutcome, type ReplayStore, replayPushes } from "./push-replay.ts";
import { keepUnsolicited, type VisitedMeter } from "./unsolicited-push.ts";

/** Where pushes go, and where held ones are found. */
export interface ReceptionStore extends PushStore, ReplayStore {
  /** Whom held pushes may be from. */
  heldSenders(filter: HeldFilter): Promise<readonly HeldSender[]>;
  unknownSenders(): Promise<readonly UnknownSender[]>;
  senderConflicts(): Promise<readonly SenderConflict[]>;
  /** Whether a push of the meter was kept by anybody. */
  readonly hasCome: HasCome;
  /** Where the meters' invocation counters stand; undefined while some of what came before is not in the database. */
  pushCounters(): Promise<readonly PushCounter[] | undefined>;
  /** Ends when all of it is there. */
  drained(): Promise<void>;
  attributeCalls(): Promise<void>;
}

export interface PushReceptionOptions {
  readonly config: Pick<Config["push"], "listen">;
  readonly store: ReceptionStore;
  readonly fleet: Pick<Fleet, "byName" | "add" | "learnSystemTitle" | "learnNames">;
  readonly senders: FleetSenders;
  /** Keeps what meters call themselves, some time soon. */
  readonly names: Pick<SaidNames, "add">;
  readonly mapping: PushMapping;
  readonly events: EventSink;
  readonly limits?: Partial<PushLimits>;
  readonly boundSocket?: PushListenersOptions["boundSocket"];
  /** Looks on at every push with its sender, before it is kept. */
  readonly onLook?: PushListenersOptions["onLook"];
  /** Hears of every push that came, before it is kept. */
  readonly onPush?: (push: ReceivedPush) => void;
  /** Fetches keys of meters that came after the start. */
  readonly refreshKeys?: (meterKeys: Iterable<number>) => Promise<void>;
  /** Somebody has said which meter a sender is. */
  readonly onAdopted?: () => void;
}

export interface Adoption {
  /** System title in hexadecimal, a name that the sender calls itself, or the host that it sends from. */
  readonly sender: string;
  /** Of a meter that is known, or of a new one. */
  readonly name: string;
  /** Number of a new meter; the sender's most telling name when left out. */
  readonly number?: string | undefined;
  readonly companion: string;
  readonly timeZone: string;
}

export interface Adopted extends ReplayOutcome {
  readonly meter: FleetMeter;
  /** The sender's pushes are ciphered, and nobody has told its keys. */
  readonly keyWanted: boolean;
}

const COUNTERS_AGAIN_MS = 5000;

export class PushReception implements AsyncDisposable {
  readonly #options: PushReceptionOptions;
  readonly listeners: PushListeners;
  readonly arrivals: PushArrivals;
  readonly #stop = new AbortController();
  #replaying: Promise<unknown> = Promise.resolve();

  static async start(options: PushReceptionOptions): Promise<PushReception> {
    const { config, senders, mapping, events, limits, boundSocket } = options;
    const arrivals = new PushArrivals((...asked) => options.store.hasCome(...asked));
    const counters = new PushCounters();
    counters.learn(await options.store.pushCounters());
    const store: PushStore = {
      putRows: (batch) => options.store.putRows(batch),
      putPush: (push) => {
        arrivals.note(push);
        if (push.counter !== undefined) counters.note(push.counter);
        options.onPush?.(push);
        keepNames(push, options);
        return options.store.putPush(push);
      },
    };
    const listeners = await PushListeners.start(config.listen, {
      directory: senders,
      store,
      mapping,
      events,
      boundSocket,
      counters,
      onLook: options.onLook,
      ...(limits && { limits }),
    });
    const reception = new PushReception(options, listeners, arrivals);
    void reception.#begin(counters).catch((error: unknown) => {
      events({ event: "replayFailed", reason: messageOf(error) });
    });
    return reception;
  }

  /** What was held for want of the counters is tried again with the rest. */
  async #begin(counters: PushCounters): Promise<void> {
    const { store } = this.#options;
    const { signal } = this.#stop;
    while (!counters.isWhole) {
      await store.drained();
      if (signal.aborted) return;
      counters.learn(await store.pushCounters());
      if (counters.isWhole) await this.listeners.intake.keptSoFar();
      else await sleep(COUNTERS_AGAIN_MS, undefined, { signal });
    }
    await this.replay({ unknownOnly: true });
    await store.attributeCalls();
  }

  private constructor(options: PushReceptionOptions, listeners: PushListeners, arrivals: PushArrivals) {
    this.arrivals = arrivals;
    this.#options = options;
    this.listeners = listeners;
  }

  /** Tries held pushes again, after a replay that is under way. Throws StoreError. */
  replay(filter: HeldFilter = {}): Promise<ReplayOutcome> {
    const { senders: directory, store, mapping, events } = this.#options;
    const run = async () => {
      const senders = await store.heldSenders(filter);
      await this.#options.refreshKeys?.(metersOf(senders, directory));
      return replayPushes({ directory, store, mapping, events }, filter, this.#stop.signal);
    };
    const turn = this.#replaying.then(run, run);
    this.#replaying = turn;
    return turn;
  }

  /**
   * Keeps what a meter said unasked while it was read. Resolves when it is durable: true where it may be confirmed. Never
   * rejects.
   */
  keepUnsolicited(meter: VisitedMeter, message: Unsolicited): Promise<boolean> {
    return keepUnsolicited({ intake: this.listeners.intake, senders: this.#options.senders }, meter, message);
  }

  /** Puts somebody who called in on the list of unknown senders. Rejects where that can't be stored. */
  async noteCaller(caller: Parameters<typeof callRecord>[0], origin: PushOrigin): Promise<void> {
    const { written } = await this.#options.store.putPush(callRecord(caller, origin, new Date()));
    await written;
  }

  /** Whoever pushes or calls in and is no meter of ours. Throws StoreError. */
  unknownSenders(): Promise<readonly UnknownSender[]> {
    return this.#options.store.unknownSenders();
  }

  /** Pushes that point to more than one meter. Throws StoreError. */
  senderConflicts(): Promise<readonly SenderConflict[]> {
    return this.#options.store.senderConflicts();
  }

  /** Whether that is the name of a meter. */
  knows(name: string): boolean {
    return this.#options.fleet.byName(name) !== undefined;
  }

  /** Says which meter a sender is, and replays what it sent. Undefined when nothing is held of such a sender. */
  async adopt({ sender, name, number, companion, timeZone }: Adoption): Promise<Adopted | undefined> {
    const { fleet } = this.#options;
    // A replay that is under way may find the meter by its new names, and what it replays would not be counted here.
    await this.#replaying.catch(() => undefined);
    const wanted = (await this.unknownSenders()).find((each) => isNamed(each, sender));
    if (wanted === undefined) return undefined;
    const known = fleet.byName(name);
    const meter =
      known ?? (await fleet.add({ name, number: number ?? wanted.names[0] ?? wanted.sender, companion, timeZone }));
    if (wanted.systemTitle !== undefined) await fleet.learnSystemTitle(meter, Buffer.from(wanted.systemTitle, "hex"));
    await fleet.learnNames(wanted.names.map((each) => ({ meter, name: each })));
    const outcome = await this.replay({ sender: wanted.sender });
    await this.#options.store.attributeCalls();
    this.#options.onAdopted?.();
    const hasKeys = this.#options.senders.securityOf(meter.key) !== undefined;
    return { ...outcome, meter, keyWanted: wanted.systemTitle !== undefined && !hasKeys };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.listeners.close();
    await this.#replaying.catch(() => undefined);
  }
}

/** Letters that a maker puts before the number that is known of its meter are kept with the first push that is taken. */
function keepNames(
  { outcome, senderNames, attributedBy }: ReceivedPush,
  { names, senders }: Pick<PushReceptionOptions, "names" | "senders">,
): void {
  if (outcome === "rejected" || attributedBy === undefined || attributedBy === "address") return;
  for (const name of senderNames) {
    const meter = senders.learnMaker(name);
    if (meter !== undefined) names.add({ meter, name });
  }
}

function isNamed({ sender, systemTitle, names, hosts }: UnknownSender, wanted: string): boolean {
  return (
    [sender, systemTitle, ...names].includes(wanted) || systemTitle === wanted.toLowerCase() || hosts.includes(wanted)
  );
}
