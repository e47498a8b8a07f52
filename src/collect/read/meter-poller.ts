/** A scheduled poll: one association does all profiles that are due, and comes back with rows for the store. */
import { DlmsError } from "../../../protocol/errors.ts";
import type { DecodedProfile } from "../../../protocol/profile/decode.ts";
import type { ReadRange } from "../../api/read-answer.ts";
import { inSpan } from "../../observe/tracing.ts";
import type { ProfileBatch, ProfileKind, ReadingSource, ReadOctets } from "../../profiles/batch.ts";
import { type MappedProfile, mapProfile } from "../../profiles/map-profile.ts";
import { batchIntervalS } from "../../store/ledger/coverage-journal.ts";
import { BrokenReadError } from "../causes/broken-read.ts";
import { AccessRefusedError } from "../session/access-refused.ts";
import type { AttributeSource } from "../session/attribute-source.ts";
import type { MeterTarget } from "../session/meter-target.ts";
import type { ProfileLedger, ProfileMemory } from "../slots/meter-ledger.ts";
import { contradicts, firstRowOfPeriod, layoutIntervalS, partOf, slotsWithoutRow } from "../slots/profile-slots.ts";
import type { SlotRange } from "../slots/settled-slots.ts";
import { type SlotRule, slotAfter, slotOf, slotUpTo } from "../slots/slot-calendar.ts";
import { knownClock, readProfile } from "./meter-reader.ts";
import type { AnswerSpan } from "./profile-reader.ts";

/** A profile that the meter would not give; the others were read all the same. */
export interface RefusedProfile {
  readonly profile: ProfileKind;
  readonly error: AccessRefusedError;
}

export interface PollResult {
  readonly batches: readonly ProfileBatch[];
  readonly setAside: readonly (MappedProfile["setAside"][number] & { readonly profile: ProfileKind })[];
  readonly refused: readonly RefusedProfile[];
  /** How the meter captures profiles, where that was not known or has changed. */
  readonly learned: readonly ProfileMemory[];
  /** What kept other profiles from being read: the end of the session, or an answer that can't be understood. */
  readonly failure: Error | undefined;
}

/** What is wanted of a profile: rows since a moment, the rows of slots, or nothing because nothing is open. */
export type WantedRows =
  | { readonly type: "since"; readonly fromMs: number }
  | { readonly type: "slots"; readonly ledger: ProfileLedger; readonly ranges: readonly SlotRange[] }
  | { readonly type: "nothing" };

export interface PollOrder {
  readonly target: MeterTarget;
  readonly meterKey: number;
  readonly profiles: readonly ProfileKind[];
  /** How the rows reach us; `poll` when left out. */
  readonly source?: ReadingSource;
  readonly wanted: (profile: ProfileKind) => WantedRows;
  /** Milliseconds since 1970; the system's when left out. */
  readonly nowMs?: () => number;
  /** Hears the octets of every buffer that came whole. */
  readonly keepBuffer?: (buffer: ReadBuffer) => void;
}

export interface ReadBuffer extends ReadOctets {
  readonly profile: ProfileKind;
  readonly readAt: Date;
}

const DAY_MS = 86_400_000;
/** A meter's clock may be ahead of ours by this much and its newest row is still read. */
const CLOCK_LEAD_MS = 3_600_000;

/**
 * What was read before a session ended is in the result, and so is what went wrong with single profiles. Throws what
 * went wrong, or else the meter's first refusal, only when it gave none of the profiles.
 */
export async function pollProfiles(source: AttributeSource, order: PollOrder): Promise<PollResult> {
  const polled: PolledProfile[] = [];
  const refused: RefusedProfile[] = [];
  let failure: Error | undefined;
  for (const profile of order.profiles) {
    try {
      polled.push(await inSpan("profile", { profile }, () => pollProfile(source, order, profile)));
    } catch (error) {
      if (error instanceof AccessRefusedError) {
        refused.push({ profile, error });
        continue;
      }
      if (error instanceof BrokenReadError) polled.push(brokenPart(order, profile, error));
      failure ??= error instanceof Error ? error : new Error(String(error));
      // A profile that can't be understood does not end the session: the next one may be in order.
      if (!(error instanceof DlmsError)) break;
    }
  }
  const worst = failure ?? refused[0]?.error;
  if (worst !== undefined && polled.length === 0) throw worst;
  return {
    batches: polled.flatMap((each) => each.batches),
    setAside: polled.flatMap(({ setAside, profile }) => setAside.map((row) => ({ ...row, profile }))),
    refused,
    learned: polled.flatMap((each) => each.learned ?? []),
    failure,
  };
}

interface PolledProfile {
  readonly profile: ProfileKind;
  readonly batches: readonly ProfileBatch[];
  readonly setAside: MappedProfile["setAside"];
  readonly learned?: ProfileMemory | undefined;
}

async function pollProfile(source: AttributeSource, order: PollOrder, profile: ProfileKind): Promise<PolledProfile> {
  const { target } = order;
  const wanted = order.wanted(profile);
  if (wanted.type === "nothing") return { profile, batches: [], setAside: [] };
  const wasKnown = target.layouts.has(profile);
  const misfitKnown = timeOf(order).getTime() - (target.misfitsMs?.get(profile) ?? -Infinity) < DAY_MS;
  const ordered = { profile, wanted, misfitKnown };
  const first = await readWanted(source, order, ordered);
  const rule = ruleOf(target, profile);
  const stamps = stampsOf(first.map(({ batch }) => batch));
  if (!wasKnown || rule === undefined || !contradicts(rule, stamps)) return judged(order, ordered, first);
  // Rows lie otherwise than the capture period says: it may have been changed since it was read.
  target.layouts.delete(profile);
  return judged(order, ordered, await readWanted(source, order, ordered));
}

interface ProfileWanted {
  readonly profile: ProfileKind;
  readonly wanted: Exclude<WantedRows, { type: "nothing" }>;
  /** Rows were set aside today already, and the layout has been read again since. */
  readonly misfitKnown: boolean;
}

/** What came of one request: its rows, and what it proves of slots. */
interface Answer extends MappedProfile {
  readonly asked: SlotRange | undefined;
  readonly span: AnswerSpan | undefined;
  readonly again: readonly SlotRange[];
}

async function readWanted(source: AttributeSource, order: PollOrder, wanted: ProfileWanted): Promise<Answer[]> {
  const { profile } = wanted;
  const answers: Answer[] = [];
  const readAt = timeOf(order);
  for (const { range, asked, again } of requestsOf(wanted.wanted, readAt.getTime())) {
    try {
      let span: AnswerSpan | undefined;
      const decoded = await readProfile(source, order.target, profile, {
        range,
        otherwise: again.length > 0,
        keepOctets: (read) => order.keepBuffer?.({ profile, readAt, ...read }),
        onSpan: (answered) => {
          span = answered;
        },
        ...(order.nowMs && { nowMs: order.nowMs }),
      });
      answers.push({ ...mapRows(order, profile, decoded, readAt), asked, span, again });
    } catch (error) {
      if (!(error instanceof BrokenReadError) || answers.length === 0) throw error;
      throw new BrokenReadError(error.rows, error.cause, answers);
    }
  }
  return answers;
}

/** Stamps may lie a little beside their slots, and rows of a power-up between them. */
const BESIDE_MS = 60_000;

interface Request {
  readonly range: ReadRange;
  /** The slots that it is for; undefined where they are not known. */
  readonly asked: SlotRange | undefined;
  /** Of these, what an answer without rows is doubted of. */
  readonly again: readonly SlotRange[];
}

function requestsOf(wanted: ProfileWanted["wanted"], nowMs: number): Request[] {
  if (wanted.type === "since") {
    return [{ range: { fromMs: wanted.fromMs, toMs: nowMs + CLOCK_LEAD_MS }, asked: undefined, again: [] }];
  }
  const { rule, doubted } = wanted.ledger;
  const last = Math.max(...wanted.ranges.map(({ toMs }) => toMs));
  return withDoubted(wanted.ranges, doubted).map(({ asked, again }) => {
    const { fromMs, toMs } = asked;
    const range = {
      fromMs: fromMs - Math.max(BESIDE_MS, rule.intervalS * 1000 - 1),
      toMs: toMs === last && slotAfter(rule, toMs) > nowMs ? nowMs + CLOCK_LEAD_MS : toMs + BESIDE_MS,
    };
    return { range, asked, again };
  });
}

/** Ranges with doubted slots become one: the other way costs more, and goes over what lies between anyway. */
function withDoubted(
  ranges: readonly SlotRange[],
  doubted: readonly SlotRange[],
): { readonly asked: SlotRange; readonly again: readonly SlotRange[] }[] {
  const isDoubted = ({ fromMs, toMs }: SlotRange) => doubted.some((each) => each.fromMs <= toMs && each.toMs >= fromMs);
  const again = ranges.filter(isDoubted);
  const others = ranges.filter((range) => !isDoubted(range)).map((asked) => ({ asked, again: [] }));
  if (again.length === 0) return others;
  const fromMs = Math.min(...again.map((range) => range.fromMs));
  const toMs = Math.max(...again.map((range) => range.toMs));
  return [...others, { asked: { fromMs, toMs }, again: doubted }];
}

function ruleOf({ layouts, zone, billingDay }: MeterTarget, profile: ProfileKind): SlotRule | undefined {
  const layout = layouts.get(profile);
  const intervalS = layout && layoutIntervalS(profile, layout);
  return intervalS === undefined ? undefined : { intervalS, zone, ...(billingDay !== undefined && { billingDay }) };
}

/** What the answers say besides their rows: which slots the meter has no row of, and how it captures. */
function judged(
  order: PollOrder,
  { profile, wanted, misfitKnown }: ProfileWanted,
  mapped: readonly Answer[],
): PolledProfile {
  const setAside = mapped.flatMap((each) => each.setAside);
  const hasMisfits = setAside.length > 0;
  if (hasMisfits && !misfitKnown) noteMisfits(order, profile);
  const read = mapped.map((each) => each.batch);
  const rule = ruleOf(order.target, profile);
  if (rule === undefined) return { profile, batches: withRows(read), setAside };
  const known = wanted.type === "slots" ? wanted.ledger.memory : undefined;
  const batches = read.flatMap((batch) => byPeriod(batch, known, rule.intervalS));
  const learned = learnedOf(order.target, { profile, rule, known }, batches);
  const first = sinceFirst(rule, batches, timeOf(order).getTime());
  const asked = mapped.flatMap(({ asked: slots = first, span, again }) => (slots ? [{ ...slots, span, again }] : []));
  const sameRule = known === undefined || known.intervalS === rule.intervalS;
  const [last] = batches.slice(-1);
  if ((hasMisfits && !misfitKnown) || !sameRule || last === undefined)
    return { profile, batches: withRows(batches), setAside, learned };
  const readAtMs = last.readAt.getTime();
  const { companion } = order.target;
  const { absentMs, offMs, doubted } = slotsWithoutRow(batches, { rule, companion, asked, readAtMs });
  if (wanted.type === "slots") wanted.ledger.doubted = doubted;
  // What lacks a row may be one of those that were set aside, which will be no other when they are read again.
  const without = hasMisfits ? { asideMs: [...absentMs, ...offMs] } : { absentMs, offMs };
  return { profile, batches: withRows([...batches.slice(0, -1), { ...last, ...without }]), setAside, learned };
}

/** Rows before a broken read ended; what is not among them may come yet. */
function brokenPart(order: PollOrder, profile: ProfileKind, error: BrokenReadError): PolledProfile {
  const mapped = [...error.before, mapRows(order, profile, error.rows, timeOf(order))];
  return {
    profile,
    batches: withRows(mapped.map((each) => each.batch)),
    setAside: mapped.flatMap((each) => each.setAside),
  };
}

function withRows(batches: readonly ProfileBatch[]): ProfileBatch[] {
  return batches.filter(
    ({ rowCount, absentMs = [], offMs = [], asideMs = [] }) =>
      rowCount + absentMs.length + offMs.length + asideMs.length > 0,
  );
}

/** A batch in two where the capture period changed between its rows. */
function byPeriod(batch: ProfileBatch, known: ProfileMemory | undefined, newS: number): ProfileBatch[] {
  const oldS = known?.intervalS ?? newS;
  if (oldS === newS || oldS === 0 || newS === 0) return [batch];
  const first = firstRowOfPeriod(batch.instantsMs, { oldS, newS });
  if (first === 0) return [batch];
  return [partOf(batch, [0, first], oldS), partOf(batch, [first, batch.rowCount], newS)];
}

function learnedOf(
  { layouts }: MeterTarget,
  { profile, rule, known }: { profile: ProfileKind; rule: SlotRule; known: ProfileMemory | undefined },
  batches: readonly ProfileBatch[],
): ProfileMemory | undefined {
  const entries = layouts.get(profile)?.profileEntries || undefined;
  const { intervalS } = rule;
  if (known?.intervalS === intervalS) return known.entries === entries ? undefined : { ...known, entries };
  const first = earliest(stampsOf(batches.filter((batch) => batchIntervalS(batch) === intervalS)));
  // Slots are expected from the first row on that was captured so.
  if (!Number.isFinite(first)) return undefined;
  return { profile, validFromMs: (slotOf(rule, first) ?? first) - 1, intervalS, entries };
}

function sinceFirst(rule: SlotRule, batches: readonly ProfileBatch[], nowMs: number): SlotRange | undefined {
  const stamps = stampsOf(batches);
  return stamps.length === 0 ? undefined : { fromMs: earliest(stamps), toMs: slotUpTo(rule, nowMs) };
}

/** Of all rows; nearly always there is one batch. */
function stampsOf(batches: readonly ProfileBatch[]): readonly number[] {
  const [only] = batches;
  return only !== undefined && batches.length === 1 ? only.instantsMs : batches.flatMap((batch) => batch.instantsMs);
}

/** Infinity for none. */
function earliest(stampsMs: readonly number[]): number {
  let first = Number.POSITIVE_INFINITY;
  for (const stampMs of stampsMs) if (stampMs < first) first = stampMs;
  return first;
}

function timeOf({ nowMs = Date.now }: PollOrder): Date {
  return new Date(nowMs());
}

/** The meter may have got another list of capture objects: the next poll asks for it again, once a day. */
function noteMisfits(order: PollOrder, profile: ProfileKind): void {
  const { target } = order;
  target.misfitsMs ??= new Map();
  target.misfitsMs.set(profile, timeOf(order).getTime());
  target.layouts.delete(profile);
}

/** Rows as they go to the store. */
function mapRows(
  { target, meterKey, source = "poll" }: PollOrder,
  profile: ProfileKind,
  decoded: DecodedProfile,
  readAt: Date,
): MappedProfile {
  return mapProfile(decoded, {
    meterKey,
    profile,
    companion: target.companion,
    source,
    readAt,
    clock: knownClock(target),
  });
}
