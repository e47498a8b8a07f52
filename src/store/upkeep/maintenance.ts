/** Work on what is stored, told line by line: proving the ledger of slots, making it anew. */
import type { MaintenanceLine, MaintenanceOrder } from "../../api/maintenance-order.ts";
import type { Database } from "../database/database.ts";
import { type CoverageFault, checkCoverage, rebuildCoverage } from "../ledger/coverage.ts";

/** Meters that are worked between two lines. */
const METERS_AT_ONCE = 500;

/** Does the order for the meters with these keys, or for all. Throws StoreError. */
export async function* maintainStore(
  database: Database,
  task: Exclude<MaintenanceOrder["task"], "replay">,
  meterKeys: readonly number[] | undefined,
): AsyncGenerator<MaintenanceLine> {
  const keys = meterKeys ?? (await allMeters(database));
  for (let at = 0; at < keys.length; at += METERS_AT_ONCE) {
    const some = keys.slice(at, at + METERS_AT_ONCE);
    if (task === "coverage-check") yield* checked(database, some);
    else yield* rebuilt(database, some);
    yield { done: at + some.length, total: keys.length, of: "meters" };
  }
}

async function* checked(database: Database, meterKeys: readonly number[]): AsyncGenerator<MaintenanceLine> {
  const { meters, pages, dropped, faults } = await checkCoverage(database, { meterKeys });
  const names = await namesOf(
    database,
    faults.map((fault) => fault.meterKey),
  );
  for (const fault of faults) yield { text: faultText(fault, names), isFault: true };
  const taken = dropped === 0 ? "" : `; ${dropped} slots whose rows were dropped by retention`;
  yield {
    text: `${meters} meters, ${pages} pages, ${faults.length} that disagree with the data${taken}`,
    isFault: false,
  };
}

function faultText(fault: CoverageFault, names: ReadonlyMap<number, string>): string {
  const { meterKey, profile, day, intervalS, unknown, empty } = fault;
  const page = `${names.get(meterKey) ?? meterKey} ${profile} ${day} (${intervalS} s)`;
  return `${page}: ${unknown} slots with rows that the ledger lacks, ${empty} without rows that it holds`;
}

async function* rebuilt(database: Database, meterKeys: readonly number[]): AsyncGenerator<MaintenanceLine> {
  const { pages } = await rebuildCoverage(database, { meterKeys });
  yield { text: `${meterKeys.length} meters, ${pages} pages changed`, isFault: false };
}

async function allMeters(database: Database): Promise<number[]> {
  const rows = await database.query<{ meter_key: number }>("select meter_key from public.meters order by meter_key");
  return rows.map((row) => row.meter_key);
}

async function namesOf(database: Database, keys: readonly number[]): Promise<ReadonlyMap<number, string>> {
  if (keys.length === 0) return new Map();
  const rows = await database.query<{ meter_key: number; name: string }>(
    "select meter_key, name from public.meters where meter_key = any ($1::int[])",
    [[...new Set(keys)]],
  );
  return new Map(rows.map((row) => [row.meter_key, row.name]));
}
