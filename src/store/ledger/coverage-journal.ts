/**
 * The ledger's part in a write: what a batch did to slots, in the same transaction as its rows. One statement appends it
 * to the journal as runs, whatever the number of meters; folding it into pages is done later (see coverage.ts).
 */
import type { ProfileBatch, ProfileKind } from "../../profiles/batch.ts";
import { profileCode } from "../profiles/profile-tables.ts";
import type { WriteParticipant } from "../profiles/profile-writer.ts";
import { slotIntervalS } from "../profiles/slot-interval.ts";

/** Codes of the column state, in the order of this list from 1 on. */
const SLOT_STATES = ["held", "absent", "off", "setAside"] as const;
type SlotState = (typeof SLOT_STATES)[number];

const EPOCH_S = Date.UTC(2000, 0, 1) / 1000;
const MOST_SECONDS = 2 ** 31 - 1;
const LONGEST_RUN = 32_767;

/** As `slotIntervalS`, of a batch. */
export function batchIntervalS({ profile, intervalS }: ProfileBatch): number | undefined {
  return slotIntervalS(profile, intervalS);
}

/** Runs of one profile, interval and state: slots of a meter that follow one another are one run. */
class RunList {
  readonly meterKeys: number[] = [];
  readonly starts: number[] = [];
  readonly counts: number[] = [];
  #endS = Number.NaN;

  add(meterKey: number, instantMs: number, intervalS: number): void {
    const startS = Math.round(instantMs / 1000) - EPOCH_S;
    if (!(startS >= 0 && startS <= MOST_SECONDS)) return;
    const last = this.counts.length - 1;
    const count = this.counts[last] ?? 0;
    if (startS === this.#endS && this.meterKeys[last] === meterKey && count < LONGEST_RUN) {
      this.counts[last] = count + 1;
    } else {
      this.meterKeys.push(meterKey);
      this.starts.push(startS);
      this.counts.push(1);
    }
    this.#endS = intervalS === 0 ? Number.NaN : startS + intervalS;
  }
}

interface JournalEntry {
  readonly profile: ProfileKind;
  readonly intervalS: number;
  readonly state: SlotState;
  readonly runs: RunList;
}

class JournalEntries {
  /** There are few. */
  readonly #entries: JournalEntry[] = [];

  runsOf(profile: ProfileKind, intervalS: number, state: SlotState): RunList {
    for (const each of this.#entries) {
      if (each.profile === profile && each.intervalS === intervalS && each.state === state) return each.runs;
    }
    const runs = new RunList();
    this.#entries.push({ profile, intervalS, state, runs });
    return runs;
  }

  /** Parameters of an insert of all entries, by entry. */
  rows(): string[][] {
    return this.#entries
      .filter(({ runs }) => runs.counts.length > 0)
      .map(({ profile, intervalS, state, runs: { meterKeys, starts, counts } }) =>
        [profileCode(profile), intervalS, SLOT_STATES.indexOf(state) + 1]
          .map(String)
          .concat([meterKeys, starts, counts].map(arrayText)),
      );
  }
}

/** The driver writes arrays element by element, quoted; these are numbers. */
function arrayText(numbers: readonly number[]): string {
  return `{${numbers.join(",")}}`;
}

/** Appends what the batches of a write did to slots. */
export const journalCoverage: WriteParticipant = async (client, { batches, setAside }) => {
  const aside = new Map<ProfileBatch, Set<number>>();
  const open = new Map<ProfileBatch, Set<number>>();
  for (const { row, reason } of setAside) {
    // Whose clock is wrong will turn out: such a row is to be read again.
    const byBatch = reason === "time_in_future" ? open : aside;
    const rows = byBatch.get(row.batch) ?? new Set();
    byBatch.set(row.batch, rows.add(row.index));
  }
  const entries = new JournalEntries();
  for (const batch of batches) {
    journalBatch(entries, batch, { aside: aside.get(batch), open: open.get(batch) });
  }
  const rows = entries.rows();
  if (rows.length === 0) return;
  const places = rows.map((row, at) => `(${row.map((_, column) => `$${at * row.length + column + 1}`).join(", ")})`);
  await client.query(
    `insert into dlms.coverage_journal (profile, interval_s, state, meter_keys, starts, counts)
     values ${places.join(", ")}`,
    rows.flat(),
  );
};

const SLOTS_WITHOUT_ROW = [
  ["absent", "absentMs"],
  ["off", "offMs"],
  ["setAside", "asideMs"],
] as const;

interface RowsApart {
  /** Of rows that are set aside for good. */
  readonly aside: ReadonlySet<number> | undefined;
  /** Of rows that are nowhere, and come again. */
  readonly open: ReadonlySet<number> | undefined;
}

function journalBatch(entries: JournalEntries, batch: ProfileBatch, { aside, open }: RowsApart): void {
  const intervalS = batchIntervalS(batch);
  if (intervalS === undefined || !Number.isInteger(batch.meterKey)) return;
  const { meterKey, profile, instantsMs, rowCount } = batch;
  if (rowCount > 0) {
    const held = entries.runsOf(profile, intervalS, "held");
    for (let row = 0; row < rowCount; row++) {
      if (open?.has(row) === true) continue;
      const runs = aside?.has(row) === true ? entries.runsOf(profile, intervalS, "setAside") : held;
      runs.add(meterKey, instantsMs[row] ?? Number.NaN, intervalS);
    }
  }
  for (const [state, field] of SLOTS_WITHOUT_ROW) {
    const slots = batch[field];
    if (slots === undefined || slots.length === 0) continue;
    const runs = entries.runsOf(profile, intervalS, state);
    for (const slotMs of slots) runs.add(meterKey, slotMs, intervalS);
  }
}
