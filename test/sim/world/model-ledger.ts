/** The ledger of slots as the model of the database keeps it: a journal that is folded into pages, and how meters capture. */
import { placeOf, type SlotRule, slotOf } from "../../../src/collect/slots/slot-calendar.ts";
import type { ProfileKind } from "../../../src/profiles/batch.ts";
import { PROFILE_KINDS } from "../../../src/store/profiles/profile-tables.ts";
import type { Answer, Values } from "./model-connections.ts";

const EPOCH_MS = Date.UTC(2000, 0, 1);
const DAY_S = 86_400;

const SLOT_STATES = ["held", "absent", "off", "setAside"] as const;
export type SlotState = (typeof SLOT_STATES)[number];

interface JournalEntry {
  readonly profile: ProfileKind;
  readonly intervalS: number;
  readonly state: SlotState;
  readonly meterKeys: readonly number[];
  readonly starts: readonly number[];
  readonly counts: readonly number[];
}

export interface Page {
  readonly meterKey: number;
  readonly profile: ProfileKind;
  readonly intervalS: number;
  readonly day: number;
  /** Numbers of the bits that are set. */
  readonly bits: Readonly<Record<SlotState, Set<number>>>;
}

export interface Memory {
  readonly meterKey: number;
  readonly profile: ProfileKind;
  readonly validFromMs: number;
  readonly intervalS: number;
  readonly entries: number | null;
}

export class ModelLedger {
  readonly pages = new Map<string, Page>();
  readonly memories = new Map<string, Memory>();
  readonly calendars = new Map<number, Pick<SlotRule, "zone" | "billingDay">>();
  readonly #journal: JournalEntry[] = [];

  note(values: Values): Answer {
    const entries: JournalEntry[] = [];
    for (let at = 0; at < values.length; at += 6) {
      const [profile, intervalS, state, meterKeys, starts, counts] = values.slice(at, at + 6).map(String);
      entries.push({
        profile: PROFILE_KINDS[Number(profile) - 1] ?? "instant",
        intervalS: Number(intervalS),
        state: SLOT_STATES[Number(state) - 1] ?? "held",
        meterKeys: numbersOf(meterKeys),
        starts: numbersOf(starts),
        counts: numbersOf(counts),
      });
    }
    return { rows: [], apply: () => void this.#journal.push(...entries) };
  }

  fold(most: number): Answer {
    const folded = Math.min(most, this.#journal.length);
    return { rows: [{ folded }], apply: () => this.#journal.splice(0, folded).forEach((entry) => this.#mark(entry)) };
  }

  loadPages(meterKey: number, profiles: readonly number[], intervals: readonly number[]): Answer {
    const rows = [...this.pages.values()]
      .filter(
        (page) =>
          page.meterKey === meterKey &&
          profiles.some((code, at) => PROFILE_KINDS[code - 1] === page.profile && intervals[at] === page.intervalS),
      )
      .map(({ profile, day, intervalS, bits }) => ({
        profile: PROFILE_KINDS.indexOf(profile) + 1,
        day,
        interval_s: intervalS,
        held: bitText(bits.held),
        absent: bitText(bits.absent),
        meter_off: bitText(bits.off),
        set_aside: bitText(bits.setAside),
      }));
    return { rows };
  }

  loadMemories(meterKey: number): Answer {
    const newest = new Map<ProfileKind, Memory>();
    for (const memory of this.memories.values()) {
      if (memory.meterKey !== meterKey) continue;
      const known = newest.get(memory.profile);
      if (known === undefined || known.validFromMs < memory.validFromMs) newest.set(memory.profile, memory);
    }
    for (const [profile, last] of newest) newest.set(profile, { ...last, validFromMs: this.#beganMs(last) });
    const rows = Array.from(newest.values(), ({ profile, validFromMs, intervalS, entries }) => ({
      profile,
      valid_from: new Date(validFromMs),
      interval_s: intervalS,
      entries,
    }));
    return { rows };
  }

  /** Since when a profile has been captured as it is at last. */
  #beganMs({ meterKey, profile, intervalS }: Memory): number {
    const all = [...this.memories.values()].filter((each) => each.meterKey === meterKey && each.profile === profile);
    const otherMs = Math.max(...all.filter((each) => each.intervalS !== intervalS).map((each) => each.validFromMs));
    return Math.min(...all.map((each) => each.validFromMs).filter((validFromMs) => validFromMs > otherMs));
  }

  keepMemories(values: Values): Answer {
    const [keys, profiles, froms, intervals, entries] = values as [
      number[],
      ProfileKind[],
      Date[],
      number[],
      (number | null)[],
    ];
    const apply = () => {
      for (const [at, profile] of profiles.entries()) {
        const [meterKey = 0, validFromMs = 0] = [keys[at], froms[at]?.getTime()];
        const memory = { meterKey, profile, validFromMs, intervalS: intervals[at] ?? 0, entries: entries[at] ?? null };
        this.memories.set([meterKey, profile, validFromMs].join(" "), memory);
      }
    };
    return { rows: [], apply };
  }

  #mark({ profile, intervalS, state, meterKeys, starts, counts }: JournalEntry): void {
    for (const [at, meterKey] of meterKeys.entries()) {
      const calendar = this.calendars.get(meterKey);
      if (calendar === undefined) continue;
      const rule = { ...calendar, intervalS };
      const stepMs = (intervalS === 0 ? DAY_S : intervalS) * 1000;
      for (let slot = 0; slot < (counts[at] ?? 0); slot++) {
        const slotMs = slotOf(rule, EPOCH_MS + (starts[at] ?? 0) * 1000 + slot * stepMs);
        if (slotMs === undefined) continue;
        const { day, bit } = placeOf(rule, slotMs);
        this.#pageOf({ meterKey, profile, intervalS, day }).bits[state].add(bit);
      }
    }
  }

  #pageOf(place: Omit<Page, "bits">): Page {
    const key = pageKey(place);
    const known = this.pages.get(key);
    if (known !== undefined) return known;
    const bits = {
      held: new Set<number>(),
      absent: new Set<number>(),
      off: new Set<number>(),
      setAside: new Set<number>(),
    };
    const page = { ...place, bits };
    this.pages.set(key, page);
    return page;
  }
}

export function pageKey({ meterKey, profile, intervalS, day }: Omit<Page, "bits">): string {
  return [meterKey, profile, intervalS, day].join(" ");
}

function numbersOf(text = "{}"): number[] {
  return text === "{}" ? [] : text.slice(1, -1).split(",").map(Number);
}

/** Set bits as the text of a bit string; null for none. */
function bitText(bits: ReadonlySet<number>): string | null {
  if (bits.size === 0) return null;
  return Array.from({ length: Math.max(...bits) + 1 }, (_, bit) => (bits.has(bit) ? "1" : "0")).join("");
}
