/** Writes block load with its coverage until it is killed; tells its parent of each batch. Started by coverage.test.ts. */
import { PROFILE_COLUMNS } from "../../src/profiles/columns.ts";
import { openDatabase } from "../../src/store/database/database.ts";
import { foldCoverage } from "../../src/store/ledger/coverage.ts";
import { journalCoverage } from "../../src/store/ledger/coverage-journal.ts";
import { ProfileWriter } from "../../src/store/profiles/profile-writer.ts";
import { blockLoad, slots } from "./profile-batches.ts";

const [url = "", meter = "", first = ""] = process.argv.slice(2);
const database = await openDatabase({ url, connections: 2 });
const writer = new ProfileWriter(database, PROFILE_COLUMNS, [journalCoverage]);
// A parent that is gone leaves nobody to be told, and nobody to kill this process.
process.once("disconnect", () => process.exit());
for (let round = 0; round < 10_000; round++) {
  const from = Number(first) + round * 5;
  await writer.write([blockLoad(Number(meter), slots(from, from + 8))]);
  if (round % 3 === 2) await foldCoverage(database);
  process.send?.(round);
}
