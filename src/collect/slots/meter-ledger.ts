/**
 * What the ledger says of one meter, in memory while the gateway works it: how each profile is captured, and which of
 * its slots are settled. It is read from the database once and moves on only with what has become durable.
 */
import type { TimeZone } from "../../../protocol/cosem/time-zone.ts";
import type { ProfileKind } from "../../profiles/batch.ts";
import { SettledSlots, type SlotRange } from "./settled-slots.ts";
import { reachMs, type SlotRule, slotAt, slotOf } from "./slot-calendar.ts";

/** How a meter captures a profile and what its buffer holds. */
export interface ProfileMemory {
  readonly profile: ProfileKind;
  /** Slots after this moment are expected. */
  readonly validFromMs: number;
  /** As in SlotRule. */
  readonly intervalS: number;
  readonly entries: number | undefined;
}

/** A page of the ledger: bits from the left, null for none. */
export interface LedgerPage {
  readonly profile: ProfileKind;
  /** First day of the page in days since 1970. */
  readonly day: number;
  readonly intervalS: number;
  readonly held: string | null;
  readonly absent: string | null;
  readonly off: string | null;
  readonly setAside: string | null;
}

export interface StoredLedger {
  /** In the order of their beginnings. */
  readonly memories: readonly ProfileMemory[];
  readonly pages: readonly LedgerPage[];
}

export interface MeterCalendar {
  readonly zone: TimeZone;
  readonly billingDay?: number;
}

export interface ProfileLedger {
  readonly memory: ProfileMemory;
  readonly rule: SlotRule;
  readonly settled: SettledSlots;
  /** What the last answer had no row of without proving that there is none. */
  doubted: readonly SlotRange[];
}

export class MeterLedger {
  readonly #calendar: MeterCalendar;
  readonly #profiles = new Map<ProfileKind, ProfileLedger>();

  constructor(calendar: MeterCalendar, stored: StoredLedger) {
    this.#calendar = calendar;
    for (const memory of stored.memories) this.learn(memory);
    for (const page of stored.pages) this.#settlePage(page);
  }

  /** The newest slot that is settled of any profile; undefined when none is. */
  get newestMs(): number | undefined {
    const newest = Math.max(...this.#profiles.values().map(({ settled }) => settled.newestMs ?? -Infinity));
    return Number.isFinite(newest) ? newest : undefined;
  }

  of(profile: ProfileKind): ProfileLedger | undefined {
    return this.#profiles.get(profile);
  }

  /** The meter captures a profile in another way from now on. */
  learn(memory: ProfileMemory): void {
    const rule = { ...this.#calendar, intervalS: memory.intervalS };
    const known = this.#profiles.get(memory.profile);
    const settled =
      known !== undefined && known.memory.intervalS === memory.intervalS
        ? known.settled
        : new SettledSlots(memory.validFromMs);
    this.#profiles.set(memory.profile, { memory, rule, settled, doubted: [] });
  }

  /** Settles the slots that stamps count for; `intervalS` as the rows were captured. */
  settle(profile: ProfileKind, intervalS: number, stampsMs: readonly number[]): void {
    const ledger = this.#profiles.get(profile);
    if (ledger === undefined || ledger.rule.intervalS !== intervalS) return;
    for (const stampMs of stampsMs) {
      const slot = slotOf(ledger.rule, stampMs);
      if (slot !== undefined) ledger.settled.add(ledger.rule, { fromMs: slot, toMs: slot });
    }
  }

  /** Slots need no more remembering that the meter has overwritten, as newer ones show: our clock may be wrong. */
  forgetOverwritten(profile: ProfileKind): void {
    const ledger = this.#profiles.get(profile);
    const newestMs = ledger?.settled.newestMs;
    if (ledger?.memory.entries === undefined || newestMs === undefined) return;
    ledger.settled.forgetBefore(ledger.rule, newestMs - reachMs(ledger.rule, ledger.memory.entries));
  }

  #settlePage(page: LedgerPage): void {
    const ledger = this.#profiles.get(page.profile);
    if (ledger === undefined || ledger.rule.intervalS !== page.intervalS) return;
    const { rule, settled } = ledger;
    for (const { from, to } of settledRuns(page)) {
      settled.add(rule, {
        fromMs: slotAt(rule, { day: page.day, bit: from }),
        toMs: slotAt(rule, { day: page.day, bit: to }),
      });
    }
  }
}

/** Runs of bits that are set in any of a page's states. */
function settledRuns({ held, absent, off, setAside }: LedgerPage): { from: number; to: number }[] {
  const states = [held, absent, off, setAside].filter((bits) => bits !== null);
  const length = Math.max(0, ...states.map((bits) => bits.length));
  const runs: { from: number; to: number }[] = [];
  for (let bit = 0; bit < length; bit++) {
    if (!states.some((bits) => bits[bit] === "1")) continue;
    const last = runs.at(-1);
    if (last?.to === bit - 1) last.to = bit;
    else runs.push({ from: bit, to: bit });
  }
  return runs;
}
