/** The daily load's part in a write: notes which meters' block load changed between when, in the same transaction. */
import type { ProfileBatch } from "../../profiles/batch.ts";
import { MOST_AHEAD_MS, OLDEST_MS } from "./profile-rows.ts";
import type { WriteParticipant } from "./profile-writer.ts";

/** Rows further apart are noted apart: one with a wrong clock must not have years summed anew. */
const LONGEST_GAP_MS = 2 * 86_400_000;

/** One statement for all meters; those with the same times share a row. */
export const noteLoadChanges: WriteParticipant = async (client, { batches }) => {
  const ranges = changedRanges(batches);
  if (ranges.length === 0) return;
  await client.query(
    `insert into dlms.load_changes (from_time, to_time, meter_keys)
     select from_time, to_time, meter_keys::int[]
     from unnest($1::timestamptz[], $2::timestamptz[], $3::text[]) as r (from_time, to_time, meter_keys)`,
    [
      ranges.map((range) => new Date(range.fromMs)),
      ranges.map((range) => new Date(range.toMs)),
      ranges.map((range) => `{${range.meterKeys.join(",")}}`),
    ],
  );
};

interface ChangedRange {
  readonly fromMs: number;
  readonly toMs: number;
  readonly meterKeys: number[];
}

/** Between which capture times batches hold block load, by meter; exported for tests. */
export function changedRanges(batches: readonly ProfileBatch[]): readonly ChangedRange[] {
  const ranges = new Map<string, ChangedRange>();
  let last: ChangedRange | undefined;
  const put = (meterKey: number, fromMs: number, toMs: number) => {
    if (last === undefined || last.fromMs !== fromMs || last.toMs !== toMs) {
      const key = `${fromMs} ${toMs}`;
      last = ranges.get(key) ?? { fromMs, toMs, meterKeys: [] };
      ranges.set(key, last);
    }
    if (last.meterKeys.at(-1) !== meterKey) last.meterKeys.push(meterKey);
  };
  for (const batch of batches) {
    if (batch.profile !== "block_load" || !isKey(batch.meterKey)) continue;
    const latestMs = batch.readAt.getTime() + MOST_AHEAD_MS;
    let [fromMs, toMs] = [Number.NaN, Number.NaN];
    for (const ms of batch.instantsMs) {
      // What lies outside is never held: see timeFault.
      if (!(ms >= OLDEST_MS && ms <= latestMs)) continue;
      if (ms >= fromMs - LONGEST_GAP_MS && ms <= toMs + LONGEST_GAP_MS) {
        fromMs = Math.min(fromMs, ms);
        toMs = Math.max(toMs, ms);
        continue;
      }
      if (!Number.isNaN(fromMs)) put(batch.meterKey, fromMs, toMs);
      [fromMs, toMs] = [ms, ms];
    }
    if (!Number.isNaN(fromMs)) put(batch.meterKey, fromMs, toMs);
  }
  return [...ranges.values()];
}

function isKey(meterKey: number): boolean {
  return meterKey === (meterKey | 0);
}
