import type { ProfileBatch } from "../../src/profiles/batch.ts";
import { PROFILE_COLUMNS } from "../../src/profiles/columns.ts";
import { journalCoverage } from "../../src/store/ledger/coverage-journal.ts";
import { ProfileWriter } from "../../src/store/profiles/profile-writer.ts";
import { makeMeters, slots } from "./profile-batches.ts";
import { useTestDatabase } from "./test-database.ts";

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

export interface Page {
  day: string;
  interval_s: number;
  held: string | null;
  absent: string | null;
  meter_off: string | null;
  set_aside: string | null;
}

/** A database of the file's own, meters in it, and writers that note slots in the ledger. */
export function useCoverage() {
  const current = useTestDatabase();
  let numbers = 0;
  return {
    current,
    newMeter: async (zone = "UTC"): Promise<number> => {
      const [key = 0] = await makeMeters(current().database, [`coverage-${numbers++}`]);
      await current().database.query("update public.meters set time_zone = $2 where meter_key = $1", [key, zone]);
      return key;
    },
    newWriter: () => new ProfileWriter(current().database, PROFILE_COLUMNS, [journalCoverage]),
    pagesOf: (meter: number): Promise<Page[]> =>
      current().database.query<Page>(
        `select day::text as day, interval_s, held::text, absent::text, meter_off::text, set_aside::text
         from dlms.coverage_bits where meter_key = $1 order by profile, day, interval_s`,
        [meter],
      ),
  };
}

/** The batch with rows of other times. */
export function at(
  batch: ProfileBatch,
  instantsMs: readonly number[],
  changes: Partial<ProfileBatch> = {},
): ProfileBatch {
  return { ...batch, instantsMs, ...changes };
}

export function energy(count: number) {
  return [{ column: "active_import_total", values: slots(0, count).map((n) => BigInt(n)) }];
}
