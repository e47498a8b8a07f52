/**
 * Held pushes once more, with what is known now: a key that came, a meter that was added, a list that was read. What is
 * understood better takes the place of what was held; what is not stays as it is.
 */
import { tcpAddress } from "../../../drivers/tcp/address.ts";
import { systemTitle } from "../../../protocol/security/system-title.ts";
import type { EventSink } from "../../observe/events.ts";
import type { HeldFilter, HeldPush, HeldSender } from "../../store/push/held-pushes.ts";
import type { ReceivedPush } from "../../store/push/received-push.ts";
import type { SenderDirectory } from "../senders/sender-directory.ts";
import { SenderOpeners } from "../senders/sender-openers.ts";
import type { PushStore } from "./push-intake.ts";
import { PushReader } from "./push-reader.ts";
import { type PushMapping, type PushOrigin, type PushRecord, recordOf } from "./push-record.ts";

/** Keys of the meters that held pushes may be from. */
export function metersOf(senders: readonly HeldSender[], directory: SenderDirectory): Set<number> {
  const meters = new Set<number>();
  for (const { meterKey, systemTitle: title, host } of senders) {
    if (meterKey !== undefined) meters.add(meterKey);
    const titled = title === undefined ? [] : directory.bySystemTitle(systemTitle(title));
    for (const each of titled.length > 0 ? titled : directory.byHost(host)) meters.add(each.meterKey);
  }
  return meters;
}

export interface ReplayStore extends Pick<PushStore, "putRows"> {
  /** Whether the same octets are there as a push of the meter that was taken. */
  isTaken(held: HeldPush, meterId: string): Promise<boolean>;
  held(filter: HeldFilter, page: { readonly after: bigint; readonly limit: number }): Promise<readonly HeldPush[]>;
  rewrite(held: HeldPush, push: ReceivedPush): Promise<void>;
}

export interface PushReplayOptions {
  readonly directory: SenderDirectory;
  readonly store: ReplayStore;
  readonly mapping: PushMapping;
  readonly events: EventSink;
}

export interface ReplayOutcome {
  /** Pushes that were looked at. */
  readonly held: number;
  /** Of these, how many are understood better now. */
  readonly replayed: number;
  /** Of these, how many have no fault left. */
  readonly stored: number;
}

const PAGE = 500;
/** A push that was refused because it had come before must not come in by this door. */
const REPLAYED = "SECURITY_COUNTER_REPLAYED";
const RANKS: Readonly<Record<ReceivedPush["outcome"], number>> = { rejected: 0, partial: 1, stored: 2 };

/** Replays one after the other; may be stopped between two. */
export async function replayPushes(
  options: PushReplayOptions,
  filter: HeldFilter = {},
  signal?: AbortSignal,
): Promise<ReplayOutcome> {
  // Counters are followed from the first held push on, apart from those of what comes in meanwhile.
  const openers = new SenderOpeners(options.directory);
  const outcome = { held: 0, replayed: 0, stored: 0 };
  let after = 0n;
  for (;;) {
    const page = await options.store.held(filter, { after, limit: PAGE });
    for (const held of page) {
      if (signal?.aborted === true) return outcome;
      const record = anew(held, openers, options);
      outcome.held += 1;
      after = held.pushKey;
      if (record === undefined || !isBetter(record.push, held)) continue;
      if (await isRefusedCopy(record, held, options.store)) continue;
      await keep(record, held, options.store);
      outcome.replayed += 1;
      if (record.push.outcome === "stored") outcome.stored += 1;
    }
    if (page.length < PAGE) break;
  }
  if (outcome.replayed > 0) options.events({ event: "pushesReplayed", ...outcome });
  return outcome;
}

function anew(held: HeldPush, openers: SenderOpeners, options: PushReplayOptions): PushRecord | undefined {
  if (held.reason?.startsWith(REPLAYED) === true) return undefined;
  const origin = originOf(held);
  const reader = new PushReader(openers.at(origin.host));
  const { directory, mapping } = options;
  try {
    const [outcome] = reader.receive({ apdu: held.octets, sourceSap: 0, destinationSap: 0 });
    if (outcome?.type !== "notification") return undefined;
    return recordOf(outcome, origin, { directory, mapping, receivedAt: held.receivedAt });
  } catch {
    // What made the mapping stumble once may do so again: it stays held.
    return undefined;
  }
}

/** Of a meter that refuses what came before, a copy must not come in by having been held for another reason. */
async function isRefusedCopy({ push, sender }: PushRecord, held: HeldPush, store: ReplayStore): Promise<boolean> {
  if (sender?.security?.replay !== "strict" || push.outcome === "rejected") return false;
  return await store.isTaken(held, sender.meterId);
}

function originOf({ peer, transport }: HeldPush): PushOrigin {
  return transport === "serial" ? { host: peer, port: 0, transport } : { ...tcpAddress(peer), transport };
}

function isBetter(push: ReceivedPush, held: HeldPush): boolean {
  if (RANKS[push.outcome] !== RANKS[held.outcome]) return RANKS[push.outcome] > RANKS[held.outcome];
  return push.meterId !== held.meterId || push.reason !== held.reason;
}

/** The rows first: a push that is held too long does no harm, rows that are missing do. */
async function keep({ push, batches }: PushRecord, held: HeldPush, store: ReplayStore): Promise<void> {
  const puts: { readonly written: Promise<void> }[] = [];
  for (const batch of batches) puts.push(await store.putRows(batch));
  await Promise.all(puts.map((put) => put.written));
  await store.rewrite(held, push);
}
