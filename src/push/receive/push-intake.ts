/**
 * Takes what was read off a line to the store: found out whose it is, mapped, kept. Everything that comes leaves a
 * record; what is confirmed is durable before.
 */
import { encodeApdu } from "../../../protocol/apdu/apdu.ts";
import { confirmationOf } from "../../../protocol/association/notifications.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { protectionName } from "../../../protocol/security/security-control.ts";
import type { EventSink } from "../../observe/events.ts";
import { messageOf } from "../../observe/message-of.ts";
import type { ProfileBatch } from "../../profiles/batch.ts";
import type { PushFate, ReceivedPush } from "../../store/push/received-push.ts";
import { SenderConflicts } from "../senders/sender-conflicts.ts";
import type { PushSender, SenderDirectory } from "../senders/sender-directory.ts";
import { protectionWith } from "../senders/sender-keys.ts";
import { SenderOpeners } from "../senders/sender-openers.ts";
import type { CounterMemory } from "./push-counters.ts";
import type { OpenerLookup, PushOutcome, ReadPush } from "./push-reader.ts";
import {
  type PushMapping,
  type PushOrigin,
  type PushRecord,
  peerName,
  recordOf,
  rejectionRecord,
  withoutValues,
} from "./push-record.ts";
import { type Allowance, RejectionBudget } from "./rejection-budget.ts";

/** Where pushes go; `written` resolves when they are durable. */
export interface PushStore {
  putPush(push: ReceivedPush): Promise<{ readonly written: Promise<PushFate> }>;
  putRows(batch: ProfileBatch): Promise<{ readonly written: Promise<void> }>;
}

export interface PushIntakeOptions {
  readonly directory: SenderDirectory;
  readonly store: PushStore;
  readonly mapping: PushMapping;
  readonly events: EventSink;
  /** What is remembered of the meters' invocation counters; without it they are followed from the first push on. */
  readonly counters?: CounterMemory;
  /** Looks on at every push, before it is kept. */
  readonly onLook?: ((push: ReceivedPush, sender: PushSender | undefined) => void) | undefined;
}

/** Pushes that wait for the store at most before lines are asked to wait too. */
const CROWDED = 20_000;

/** What nobody can make sense of. */
const NOISE: Allowance = { atOnce: 1000, perSecond: 5 };
/**
 * What names its sender and may yet be opened when its key is known, and what comes from where a meter is reached: a
 * concentrator's host may send for thousands.
 */
const PLAUSIBLE: Allowance = { atOnce: 20_000, perSecond: 100 };

export class PushIntake {
  readonly #options: PushIntakeOptions;
  readonly #openers: SenderOpeners;
  readonly #conflicts: SenderConflicts;
  readonly #noiseBudget = new RejectionBudget(NOISE);
  readonly #plausibleBudget = new RejectionBudget(PLAUSIBLE);
  readonly #running = new Set<Promise<unknown>>();

  constructor(options: PushIntakeOptions) {
    this.#options = options;
    this.#openers = new SenderOpeners(options.directory, options.counters);
    this.#conflicts = new SenderConflicts(options.events);
  }

  /** Pushes that are not durable yet. */
  get waiting(): number {
    return this.#running.size;
  }

  get crowded(): boolean {
    return this.#running.size >= CROWDED;
  }

  /** Who may push from a host. */
  openersAt(host: string): OpenerLookup {
    return this.#openers.at(host);
  }

  /**
   * Keeps a push. Resolves when it is durable, with the APDU that confirms it where its sender wants one. Never rejects:
   * what could not be kept is told as an event, and is not confirmed.
   */
  keep(outcome: PushOutcome, origin: PushOrigin): Promise<Uint8Array | undefined> {
    return this.#run(origin, async () => {
      const isKept = await this.#keep(outcome, origin);
      return isKept && outcome.type === "notification" ? answerTo(outcome) : undefined;
    });
  }

  /** Keeps what a meter said in a session. Resolves when it is durable: true where it may be confirmed. Never rejects. */
  async keepUnsolicited(outcome: PushOutcome, origin: PushOrigin): Promise<boolean> {
    return (await this.#run(origin, () => this.#keep(outcome, origin))) === true;
  }

  #run<T>(origin: PushOrigin, work: () => Promise<T>): Promise<T | undefined> {
    const kept = work().catch((error: unknown) => {
      this.#tellRejected(origin, error);
      return undefined;
    });
    this.#running.add(kept);
    void kept.finally(() => this.#running.delete(kept));
    return kept;
  }

  /** Ends when what has come until now is durable or given up. */
  async keptSoFar(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** Ends when everything that came is durable or given up. */
  async drain(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** False for what was kept as it came, because nobody could make sense of it. */
  async #keep(outcome: PushOutcome, origin: PushOrigin): Promise<boolean> {
    const receivedAt = new Date();
    const { onLook } = this.#options;
    if (outcome.type === "rejected") {
      const rejected = rejectionRecord({ ...outcome, reason: outcome.error.message }, origin, receivedAt);
      onLook?.(rejected, outcome.claimed);
      await this.#keepRejected(rejected, origin);
      return false;
    }
    const record = this.#recordOf(outcome, origin, receivedAt);
    onLook?.(record.push, record.sender);
    if (record.push.outcome === "rejected") await this.#keepRejected(record.push, origin);
    else return await this.#keepRecord(record, origin);
    return false;
  }

  #recordOf(read: ReadPush, origin: PushOrigin, receivedAt: Date): PushRecord {
    const { directory, mapping } = this.#options;
    try {
      return recordOf(read, origin, { directory, mapping, receivedAt });
    } catch (error) {
      // A push that makes the mapping stumble must be kept as well, or it could never be looked at.
      const reason = messageOf(error);
      const { octets, systemTitle, opened } = read;
      const claimed = opened?.sender;
      return {
        push: rejectionRecord({ octets, systemTitle, claimed, reason }, origin, receivedAt),
        batches: [],
        sender: claimed,
      };
    }
  }

  /** False for what is kept and not taken, as what another gateway has heard before, of a meter that refuses that. */
  async #keepRecord({ push, batches, sender, conflicts = [] }: PushRecord, origin: PushOrigin): Promise<boolean> {
    const { store, events } = this.#options;
    this.#conflicts.tell(sender?.name ?? push.senderNames[0] ?? push.peer, conflicts);
    const { written } = await store.putPush(push);
    const refusal = await written.then(
      (fate) => (fate === "replayed" ? new DlmsError("SECURITY_COUNTER_REPLAYED", "peer") : undefined),
      (error: unknown) => this.#keepOctets(push, error),
    );
    if (refusal !== undefined) {
      this.#tellRejected(origin, refusal);
      return false;
    }
    const rows = [];
    for (const batch of batches) rows.push((await store.putRows(batch)).written);
    await Promise.all(rows);
    events({ event: "pushReceived", peer: peerName(origin), meter: sender?.name, values: push.values.length });
    return true;
  }

  /** Gives the error back when the octets are durable without what the database refuses. */
  async #keepOctets(push: ReceivedPush, error: unknown): Promise<unknown> {
    const { written } = await this.#options.store.putPush(withoutValues(push, messageOf(error)));
    await written;
    return error;
  }

  async #keepRejected(rejected: ReceivedPush, origin: PushOrigin): Promise<void> {
    const isPlausible = rejected.systemTitle !== undefined || this.#options.directory.countAt(origin.host) > 0;
    const budget = isPlausible ? this.#plausibleBudget : this.#noiseBudget;
    const notKept = budget.spend(origin.host, performance.now());
    if (notKept === undefined) return;
    const { reason: why } = rejected;
    const reason = notKept === 0 ? why : `${why} (and ${notKept} more before that were not kept)`;
    this.#tellRejected(origin, reason);
    const { written } = await this.#options.store.putPush({ ...rejected, reason });
    await written;
  }

  #tellRejected(origin: PushOrigin, error: unknown): void {
    const reason = messageOf(error);
    this.#options.events({ event: "pushRejected", peer: peerName(origin), reason });
  }
}

/** The answer to a notification whose service class is confirmed, protected as the notification was. */
async function answerTo({ notification, opened, layers }: ReadPush): Promise<Uint8Array | undefined> {
  const confirmation = notification.apdu === "data-notification" ? confirmationOf(notification.body) : undefined;
  if (confirmation === undefined) return undefined;
  const apdu = encodeApdu(confirmation);
  const [layer] = layers;
  if (layer === undefined || opened === undefined) return apdu;
  const control = protectionName(layer.securityControl);
  const { security } = opened.sender;
  const counter = await security?.nextInvocationCounter?.();
  if (security === undefined || counter === undefined || control === "none") return undefined;
  return protectionWith(security, counter).protect(apdu, { control, form: "general", keySet: "global" });
}
