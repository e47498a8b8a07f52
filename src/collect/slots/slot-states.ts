/**
 * Which readings of a meter are not there, why, and whether they will still come: from the ledger, how the meter
 * captures, what it remembers, and when it was off. Nothing of it is stored, for much of it changes by the hour alone.
 */
import type { ProfileKind } from "../../profiles/batch.ts";
import type { LedgerPage, MeterCalendar, ProfileMemory } from "./meter-ledger.ts";
import type { SlotRange } from "./settled-slots.ts";
import { placeOf, reachMs, type SlotRule, slotsBetween } from "./slot-calendar.ts";

/** Why a slot is not held, and whether it will be. */
export const GAP_STATES = {
  due: { why: "not read yet, its deadline is not over", willCome: "yes, with one of the next reads" },
  late: { why: "not read by its deadline", willCome: "yes, when the meter answers" },
  missing: { why: "the meter was asked and has no such row", willCome: "no" },
  off: { why: "the meter was off", willCome: "no" },
  gone: { why: "the meter has overwritten it by now", willCome: "no" },
  "set-aside": { why: "its row fits no table; it is in dlms.rejected_rows", willCome: "after the cause is mended" },
  unread: { why: "the meter has never given this profile", willCome: "when the meter answers, if it has the profile" },
} as const;
export type GapState = keyof typeof GAP_STATES;

/** Slots that follow one another and lack their rows for the same reason. */
export interface Gap extends SlotRange {
  readonly profile: ProfileKind;
  readonly state: GapState;
  readonly slots: number;
  readonly intervalS: number;
}

export interface GapOrder {
  /** Slots after the one and up to the other. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly nowMs: number;
  /** How long after its slot a row may come. */
  readonly deadlineMs: (profile: ProfileKind) => number;
  /** When the meter was off, as its power events tell. */
  readonly outages: readonly SlotRange[];
}

/** Everything that the ledger has of a meter; memories in the order of their beginnings. */
export interface MeterRecord {
  readonly calendar: MeterCalendar;
  readonly memories: readonly ProfileMemory[];
  readonly pages: readonly LedgerPage[];
}

/** The gaps of a meter by profile, the oldest first. */
export function gapsOf({ calendar, memories, pages }: MeterRecord, order: GapOrder): Gap[] {
  const index = new Map(pages.map((page) => [pageKey(page.profile, page.intervalS, page.day), page]));
  return memories.flatMap((memory, at) => {
    const next = memories.slice(at + 1).find((each) => each.profile === memory.profile);
    const rule = { ...calendar, intervalS: memory.intervalS };
    const fromMs = Math.max(order.fromMs, memory.validFromMs);
    const toMs = Math.min(order.toMs, order.nowMs, next?.validFromMs ?? Number.POSITIVE_INFINITY);
    const stateOf = stateFinder({ memory, rule, order }, index);
    const gaps: { -readonly [K in keyof Gap]: Gap[K] }[] = [];
    let open = false;
    for (const slotMs of slotsBetween(rule, fromMs, toMs)) {
      const state = stateOf(slotMs);
      const last = gaps.at(-1);
      if (state !== undefined && open && last?.state === state) {
        last.toMs = slotMs;
        last.slots += 1;
      } else if (state !== undefined) {
        const { profile, intervalS } = memory;
        gaps.push({ profile, state, intervalS, fromMs: slotMs, toMs: slotMs, slots: 1 });
      }
      open = state !== undefined;
    }
    return gaps;
  });
}

/** The state of a slot; undefined for one that is held. */
function stateFinder(
  { memory, rule, order }: { memory: ProfileMemory; rule: SlotRule; order: GapOrder },
  pages: ReadonlyMap<string, LedgerPage>,
): (slotMs: number) => GapState | undefined {
  const { profile, intervalS, entries } = memory;
  const { nowMs, outages, deadlineMs } = order;
  const goneBeforeMs = entries === undefined ? Number.NEGATIVE_INFINITY : nowMs - reachMs(rule, entries);
  return (slotMs) => {
    const { day, bit } = placeOf(rule, slotMs);
    const page = pages.get(pageKey(profile, intervalS, day));
    if (page?.held?.[bit] === "1") return undefined;
    if (page?.setAside?.[bit] === "1") return "set-aside";
    if (page?.off?.[bit] === "1") return "off";
    const isAbsent = page?.absent?.[bit] === "1";
    if (isAbsent && outages.some(({ fromMs, toMs }) => slotMs >= fromMs && slotMs <= toMs)) return "off";
    if (isAbsent) return "missing";
    if (slotMs < goneBeforeMs) return "gone";
    return slotMs + deadlineMs(profile) < nowMs ? "late" : "due";
  };
}

function pageKey(profile: ProfileKind, intervalS: number, day: number): string {
  return `${profile} ${intervalS} ${day}`;
}

/** A power event of a meter: it went off, or came back. */
export interface PowerEvent {
  readonly atMs: number;
  readonly isOff: boolean;
}

/** When a meter was off. One that has not come back is off until now. */
export function outagesOf(events: readonly PowerEvent[], nowMs: number): SlotRange[] {
  const outages: SlotRange[] = [];
  let fromMs: number | undefined;
  for (const { atMs, isOff } of events.toSorted((a, b) => a.atMs - b.atMs)) {
    if (isOff) fromMs ??= atMs;
    else if (fromMs !== undefined) {
      outages.push({ fromMs, toMs: atMs });
      fromMs = undefined;
    }
  }
  return fromMs === undefined ? outages : [...outages, { fromMs, toMs: nowMs }];
}
