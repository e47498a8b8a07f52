/**
 * Takes notifications out of the outbox and sends them, each destination for itself: what does not arrive is tried
 * again later and later, and given up with its reason after some tries. What was told may be told twice, never not at all.
 */
import { type Clock, sleep, systemClock } from "../../drivers/clock.ts";
import type { EventSink } from "../observe/events.ts";
import { messageOf } from "../observe/message-of.ts";
import { type Notification, NotificationError, type NotificationSender } from "./notification.ts";

export interface TakenNotification extends Notification {
  readonly key: bigint;
  /** Which try this is, from 1. */
  readonly attempt: number;
}

export interface FailedNotification {
  readonly key: bigint;
  readonly evidence: string;
  /** When it is tried again; given up when left out. */
  readonly nextTryAt?: Date;
}

export interface Outbox {
  /** Takes what is due; nobody else takes it for a while. */
  take(destination: string, limit: number): Promise<readonly TakenNotification[]>;
  sent(keys: readonly bigint[]): Promise<void>;
  failed(failed: readonly FailedNotification[]): Promise<void>;
  /** Gives up what is beyond the bound, and forgets what was given up long ago; how many were given up. */
  trim(destination: string, bound: number): Promise<number>;
}

export interface Destination {
  readonly name: string;
  readonly sender: NotificationSender;
  readonly tries: number;
  /** Notifications that may wait. */
  readonly bound: number;
}

export interface NotifierOptions {
  readonly outbox: Outbox;
  readonly destinations: readonly Destination[];
  readonly events: EventSink;
  /** Whether an outbox that fails will work again by itself: that is told by others. */
  readonly isPassing: (error: unknown) => boolean;
  readonly clock?: Clock;
  /** How often an empty outbox is looked at. */
  readonly idleMs?: number;
}

const IDLE_MS = 1000;
const AT_ONCE = 100;
const FIRST_RETRY_MS = 5000;
const LONGEST_RETRY_MS = 3_600_000;
const TRIM_MS = 60_000;
const AWAY_MS = 5000;

export class Notifier implements AsyncDisposable {
  readonly #options: NotifierOptions;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  readonly #loops: Promise<void>[];
  readonly #failing = new Set<string>();

  constructor(options: NotifierOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#loops = options.destinations.map((destination) => this.#run(destination));
  }

  /** What is being sent may still arrive; the rest is sent after the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    for (const { sender } of this.#options.destinations) await sender[Symbol.asyncDispose]();
    await Promise.all(this.#loops);
  }

  async #run(destination: Destination): Promise<void> {
    let trimmedMs = -TRIM_MS;
    while (!this.#stop.signal.aborted) {
      let waitMs = this.#options.idleMs ?? IDLE_MS;
      try {
        if (this.#clock.elapsed() - trimmedMs >= TRIM_MS) {
          await this.#trim(destination);
          trimmedMs = this.#clock.elapsed();
        }
        const taken = await this.#options.outbox.take(destination.name, AT_ONCE);
        if (taken.length > 0) await this.#send(destination, taken);
        if (taken.length === AT_ONCE) waitMs = 0;
      } catch (error) {
        if (!this.#options.isPassing(error)) this.#tellFailing(destination.name, messageOf(error));
        waitMs = AWAY_MS;
      }
      await sleep(this.#clock, waitMs, this.#stop.signal).catch(() => undefined);
    }
  }

  async #trim({ name, bound }: Destination): Promise<void> {
    const count = await this.#options.outbox.trim(name, bound);
    if (count > 0) this.#tellDead(name, count, "more wait than the outbox may hold");
  }

  async #send({ name, sender, tries }: Destination, taken: readonly TakenNotification[]): Promise<void> {
    const { outbox, events } = this.#options;
    try {
      await sender.send(taken.map(({ key: _key, attempt: _attempt, ...notification }) => notification));
    } catch (error) {
      await this.#fail({ name, tries }, taken, error);
      return;
    }
    await outbox.sent(taken.map(({ key }) => key));
    if (this.#failing.delete(name)) events({ event: "notificationsArrive", destination: name });
  }

  async #fail(
    { name, tries }: Pick<Destination, "name" | "tries">,
    taken: readonly TakenNotification[],
    error: unknown,
  ): Promise<void> {
    // Of any other error the words may hold an address or a secret.
    const evidence = error instanceof NotificationError ? error.message : "it could not be sent";
    const hopeless = error instanceof NotificationError && error.hopeless;
    const failed = taken.map(({ key, attempt }): FailedNotification => {
      if (hopeless || attempt >= tries) return { key, evidence };
      const delayMs = Math.min(FIRST_RETRY_MS * 2 ** (attempt - 1), LONGEST_RETRY_MS);
      return { key, evidence, nextTryAt: new Date(this.#clock.now() + delayMs) };
    });
    await this.#options.outbox.failed(failed);
    this.#tellFailing(name, evidence);
    const dead = failed.filter(({ nextTryAt }) => nextTryAt === undefined).length;
    if (dead > 0) this.#tellDead(name, dead, evidence);
  }

  #tellFailing(destination: string, evidence: string): void {
    if (!this.#failing.has(destination)) this.#options.events({ event: "notificationsFail", destination, evidence });
    this.#failing.add(destination);
  }

  #tellDead(destination: string, count: number, evidence: string): void {
    this.#options.events({ event: "notificationsGivenUp", destination, count, evidence });
  }
}
