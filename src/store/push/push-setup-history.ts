/** What was done to the push setups of meters. */
import { AS_WANTED, DRIFT_CHECK, REPAIR, type SetupState, type TestPush } from "../../push/setups/setup-state.ts";
import { type Database, whileThere } from "../database/database.ts";

export interface SetupChange {
  /** `class:logical name:attribute` */
  readonly attribute: string;
  readonly before: unknown;
  readonly after: unknown;
  /** Whether the meter holds `after`; null when nobody knows. */
  readonly held: boolean | null;
  /** What it held before as it came, in hexadecimal, to be put back exactly; not in older records. */
  readonly octetsBefore?: string;
}

export interface SetupRecord {
  readonly meterId: string;
  /** Name of the setup in the configuration. */
  readonly setup: string;
  readonly logicalName: string;
  readonly startedAt: Date;
  readonly endedAt: Date;
  readonly state: SetupState;
  readonly changes: readonly SetupChange[];
  readonly testPush: TestPush;
  readonly evidence: string | undefined;
  readonly who: string;
  readonly why: string;
}

/** Its key; what is given the key of takes the place of that record. Throws StoreError. */
export async function keepSetupRecord(database: Database, record: SetupRecord, recordKey?: bigint): Promise<bigint> {
  const values = [
    record.meterId,
    record.setup,
    record.logicalName,
    record.startedAt,
    record.endedAt,
    record.state,
    JSON.stringify(record.changes),
    record.testPush,
    record.evidence ?? null,
    record.who,
    record.why,
  ];
  const rows = await database.query<{ change_key: bigint }>(recordKey === undefined ? INSERT : UPDATE, [
    ...values,
    ...(recordKey === undefined ? [] : [recordKey]),
  ]);
  return rows[0]?.change_key ?? 0n;
}

const COLUMNS = "meter_id, setup, logical_name, started_at, ended_at, state, changes, test_push, evidence, who, why";
const VALUES = `$1::uuid, $2::text, $3::text, $4::timestamptz, $5::timestamptz, $6::text, $7::jsonb, $8::text, $9::text,
  $10::text, $11::text`;
const INSERT = `insert into dlms.push_setup_history (${COLUMNS}) values (${VALUES}) returning change_key`;
const UPDATE = `update dlms.push_setup_history set (${COLUMNS}) = (${VALUES}) where change_key = $12::bigint
  returning change_key`;

export interface SetupHistoryRow {
  readonly changeKey: bigint;
  readonly meterId: string;
  readonly meter: string;
  readonly setup: string;
  readonly startedAt: Date;
  readonly state: SetupState;
  readonly testPush: TestPush;
  readonly changes: readonly SetupChange[];
  readonly evidence: string | undefined;
  readonly who: string;
  readonly why: string;
}

interface Row {
  change_key: bigint;
  meter_id: string;
  name: string;
  setup: string;
  started_at: Date;
  state: SetupState;
  test_push: TestPush;
  changes: SetupChange[];
  evidence: string | null;
  who: string;
  why: string;
}

/** The latest first; `latestOnly` for one of each meter and setup. */
export interface SetupHistoryOrder {
  /** Names; of all when left out. */
  readonly meter?: string | undefined;
  readonly setup?: string | undefined;
  readonly latestOnly: boolean;
  /** Key of a record: those before it. */
  readonly after?: string | undefined;
  readonly limit: number;
}

export async function setupHistory(
  database: Database,
  { meter, setup, latestOnly, after, limit }: SetupHistoryOrder,
): Promise<SetupHistoryRow[]> {
  const rows = await database.query<Row>(
    `${SELECT} where ($1::text is null or m.name = $1) and ($2::text is null or h.setup = $2)
       and (not $3::boolean or not exists (
         select from dlms.push_setup_history l
         where l.meter_id = h.meter_id and l.setup = h.setup and l.change_key > h.change_key))
       and ($5::bigint is null or h.change_key < $5)
     order by h.change_key desc limit $4::int`,
    [meter ?? null, setup ?? null, latestOnly, limit, after ?? null],
  );
  return rows.map(rowOf);
}

const SELECT = `select h.change_key, h.meter_id, m.name, h.setup, h.started_at, h.state, h.test_push, h.changes, h.evidence, h.who, h.why
  from dlms.push_setup_history h join public.meters m on m.id = h.meter_id`;
const LATER = `select from dlms.push_setup_history l
  where l.meter_id = h.meter_id and l.setup = h.setup and l.change_key > h.change_key and`;

export interface UnsettledSetups {
  /** Records of what was left between two states and has not come out of it, the oldest first. */
  readonly mixed: readonly SetupHistoryRow[];
  /** What a check found to differ, and nothing was found to be as wanted since. */
  readonly drifted: readonly Pick<SetupHistoryRow, "meterId" | "setup">[];
}

/** Nothing while the database is away. Throws StoreError. */
export async function unsettledSetups(database: Database): Promise<UnsettledSetups> {
  const unsettled = await whileThere(async () => {
    return { mixed: await setupsLeftMixed(database), drifted: await setupsThatDrifted(database) };
  });
  return unsettled ?? { mixed: [], drifted: [] };
}

async function setupsLeftMixed(database: Database): Promise<SetupHistoryRow[]> {
  const rows = await database.query<Row>(
    `${SELECT} where h.state = 'mixed'
       and not exists (${LATER} (l.state = any ($1::text[]) or (l.state = 'restored' and l.why = $2)))
     order by h.change_key`,
    [[...AS_WANTED], REPAIR],
  );
  return rows.map(rowOf);
}

/** A drift that a repair has ended is told to have ended by the next check. */
async function setupsThatDrifted(database: Database): Promise<UnsettledSetups["drifted"]> {
  return await database.query(
    `select distinct h.meter_id as "meterId", h.setup from dlms.push_setup_history h
     where h.why = $2 and h.changes <> '[]' and h.state <> all ($1::text[])
       and not exists (${LATER} l.state = any ($1::text[]) and l.why <> $3)`,
    [[...AS_WANTED], DRIFT_CHECK, REPAIR],
  );
}

function rowOf({
  change_key: changeKey,
  meter_id: meterId,
  name: meter,
  started_at: startedAt,
  test_push: testPush,
  evidence,
  ...row
}: Row): SetupHistoryRow {
  return { changeKey, meterId, meter, startedAt, testPush, evidence: evidence ?? undefined, ...row };
}
