import { PROFILE_COLUMNS } from "../../src/profiles/columns.ts";
import { ProfileWriter } from "../../src/store/profiles/profile-writer.ts";
import { makeMeters } from "./profile-batches.ts";
import { query } from "./query.ts";
import { useTestDatabase } from "./test-database.ts";

/** A database of the file's own, meters in it, and writers of profile rows. */
export function useProfileWriter() {
  const current = useTestDatabase();
  let made = 0;
  const newMeters = (count: number): Promise<number[]> =>
    makeMeters(
      current().database,
      Array.from({ length: count }, () => `W${++made}`),
    );
  return {
    current,
    newMeters,
    newMeter: async (): Promise<number> => (await newMeters(1))[0] ?? 0,
    newWriter: () => new ProfileWriter(current().database, PROFILE_COLUMNS),
    /** Rows of block load. */
    countRows: async (meterKey: number): Promise<unknown> => {
      const rows = await query(
        current().url,
        "select count(*)::int from dlms.block_load_profile_data where meter_key = $1",
        [meterKey],
      );
      return rows[0]?.[0];
    },
  };
}
