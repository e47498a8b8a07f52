/**
 * Writes profile batches, exactly once in effect: the same slot twice is one row. Rows that are newer than all that
 * their meter holds go straight into the table by binary COPY; the others, and whatever collides, through a staging
 * table. One call is one transaction. A row that no table can hold is set aside with its reason; the rest goes in.
 */
import type { PoolClient } from "pg";
import { messageOf } from "../../observe/message-of.ts";
import type { ProfileBatch, ProfileKind } from "../../profiles/batch.ts";
import type { ProfileColumn } from "../../profiles/columns.ts";
import { CopyRows, copyInto } from "../database/binary-copy.ts";
import type { Database } from "../database/database.ts";
import { driverError, failureKind, isDeadlock } from "../database/failure.ts";
import { notHeldAlike } from "./held-rows.ts";
import { deriveMeasurements } from "./measurements.ts";
import { NewestCaptures } from "./newest-captures.ts";
import { type MergeOutcome, mergeRows } from "./profile-merge.ts";
import {
  BatchCheck,
  compareKeys,
  instantOf,
  type ProfileRow,
  type RowFault,
  RowLayout,
  rangeOf,
  rowAsJson,
  type SetAsideRow,
  sortedRows,
} from "./profile-rows.ts";
import { dataTable, PROFILE_KINDS, sourceCode } from "./profile-tables.ts";
import { keepRejectedRows } from "./rejected-rows.ts";
import { SharedTexts } from "./shared-texts.ts";

export interface WriteOutcome {
  readonly rows: number;
  readonly inserted: number;
  /** Rows whose slots were held already. */
  readonly held: number;
  /** Of these, how many brought something that was missing. */
  readonly completed: number;
  /** Of these, how many brought other values than the held ones, for the first time; kept as revisions. */
  readonly revised: number;
  readonly setAside: readonly SetAsideRow[];
}

type Columns = Readonly<Record<ProfileKind, readonly ProfileColumn[]>>;

/** What a write has put in place so far, in the transaction that is still open. */
export interface WrittenBatches {
  /** As they were given to `write`. */
  readonly batches: readonly ProfileBatch[];
  /** The rows of these that were set aside; all others are held now. */
  readonly setAside: readonly SetAsideRow[];
  /** An earlier write of the same may have become durable without our hearing of it. */
  readonly isRepeat: boolean;
}

export interface WriteOptions extends Partial<Pick<WrittenBatches, "isRepeat">> {
  readonly alsoHere?: WriteParticipant | undefined;
}

/**
 * Takes part in the transaction of a write, after its rows: what it does becomes durable with them or not at all. It may
 * be called again for the same batches, after a write that was undone. What it throws undoes the write.
 */
export type WriteParticipant = (client: PoolClient, written: WrittenBatches) => Promise<void>;

/** One that has something to do before the transaction begins; safe to repeat. */
export interface PreparedParticipant {
  prepare(batches: readonly ProfileBatch[]): Promise<void>;
  takePart(client: PoolClient, written: WrittenBatches): Promise<void>;
}

/** What is known of meters, until some are deleted. */
type Newest = ReadonlyMap<ProfileKind, NewestCaptures>;

/** What a transaction found out; becomes known to the writer when it has committed. */
interface Attempt {
  readonly client: PoolClient;
  readonly careful: boolean;
  readonly stages: Map<ProfileKind, "empty" | "filled">;
  /** Others may forget it while this transaction goes on. */
  readonly newest: Newest;
  readonly written: ProfileRow[][];
  readonly setAside: SetAsideRow[];
  inserted: number;
  completed: number;
  revised: number;
}

/** No meter is deleted until the transaction ends; says how many times that has happened before. */
const SHUT_OUT_DELETIONS = "select dlms.keep_meters(); select deletions from dlms.meter_deletions";

const LAYOUTS = {
  add: `insert into dlms.profile_layouts (fingerprint)
    select fingerprint from unnest($1::text[]) as fingerprint order by fingerprint on conflict do nothing`,
  find: `select fingerprint as text, layout_key as key from dlms.profile_layouts where fingerprint = any ($1::text[])`,
};

export class ProfileWriter {
  readonly #database: Database;
  readonly #columns: ReadonlyMap<ProfileKind, ReadonlyMap<string, ProfileColumn>>;
  readonly #layouts: SharedTexts;
  /** A meter that is missing is asked for. */
  #newest: Newest = nothingKnown();
  #deletions: unknown;
  /** The staging tables that a connection has; they live as long as it does. */
  readonly #stages = new WeakMap<PoolClient, ReadonlySet<ProfileKind>>();
  readonly #participants: readonly WriteParticipant[];
  readonly #prepared: readonly PreparedParticipant[];

  /** `participants` take part in every write, one after the other. */
  constructor(
    database: Database,
    columns: Columns,
    participants: readonly (WriteParticipant | PreparedParticipant)[] = [],
  ) {
    this.#database = database;
    this.#layouts = new SharedTexts(database, LAYOUTS);
    this.#prepared = participants.filter((each) => typeof each !== "function");
    this.#participants = participants.map((each) =>
      typeof each === "function" ? each : (client, written) => each.takePart(client, written),
    );
    this.#columns = new Map(
      PROFILE_KINDS.map((profile) => [profile, new Map(columns[profile].map((column) => [column.name, column]))]),
    );
  }

  /**
   * Writes the batches in one transaction, in which `alsoHere` takes part as well. Throws StoreError; then the same may
   * be tried again, as a repeat where nobody knows whether it was written.
   */
  async write(
    batches: readonly ProfileBatch[],
    { alsoHere, isRepeat = false }: WriteOptions = {},
  ): Promise<WriteOutcome> {
    const participants = alsoHere === undefined ? this.#participants : [...this.#participants, alsoHere];
    await this.#layouts.learn(batches.map(({ layoutFingerprint }) => layoutFingerprint));
    for (const each of this.#prepared) await each.prepare(batches);
    try {
      return await this.#attempt(batches, { careful: false, participants, isRepeat });
    } catch (error) {
      const cause = driverError(error);
      const kind = failureKind(cause);
      // Fresh rows go before all others, so that two who bring the same ones may meet; a careful writer has one order.
      if (kind !== "conflict" && kind !== "data" && !isDeadlock(cause)) throw error;
      return this.#attempt(batches, { careful: true, participants, isRepeat });
    }
  }

  async #attempt(
    batches: readonly ProfileBatch[],
    {
      careful,
      participants,
      isRepeat,
    }: {
      readonly careful: boolean;
      readonly participants: readonly WriteParticipant[];
      readonly isRepeat: boolean;
    },
  ): Promise<WriteOutcome> {
    const rows = batches.reduce((sum, batch) => sum + batch.rowCount, 0);
    const attempt = await this.#database.transaction(async (client, [row]) => {
      const attempt: Attempt = {
        client,
        careful,
        stages: new Map(Array.from(this.#stages.get(client) ?? [], (profile) => [profile, "empty"])),
        newest: this.#newestAfter(row?.["deletions"]),
        written: [],
        setAside: [],
        inserted: 0,
        completed: 0,
        revised: 0,
      };
      for (const profile of PROFILE_KINDS) {
        const own = batches.filter((batch) => batch.profile === profile && batch.rowCount > 0);
        if (own.length > 0) await this.#writeProfile(attempt, profile, own);
      }
      await keepSetAside(client, attempt.setAside);
      for (const takePart of participants) await takePart(client, { batches, setAside: attempt.setAside, isRepeat });
      return attempt;
    }, SHUT_OUT_DELETIONS);
    this.#stages.set(attempt.client, new Set(attempt.stages.keys()));
    for (const rows of attempt.written) {
      for (const row of rows) attempt.newest.get(row.batch.profile)?.add(row.batch.meterKey, instantOf(row));
    }
    const { inserted, completed, revised, setAside } = attempt;
    return { rows, inserted, held: rows - inserted - setAside.length, completed, revised, setAside };
  }

  /** What is known; after deletions elsewhere, all is asked for again. */
  #newestAfter(deletions: unknown): Newest {
    if (deletions !== this.#deletions) this.#newest = nothingKnown();
    this.#deletions = deletions;
    return this.#newest;
  }

  async #writeProfile(attempt: Attempt, profile: ProfileKind, batches: readonly ProfileBatch[]): Promise<void> {
    const known = this.#columns.get(profile) ?? new Map<string, ProfileColumn>();
    const check = new BatchCheck(known);
    const sound = this.#soundBatches(attempt, batches, (batch) => check.faultOf(batch));
    const newestMsOf = await lookUpNewest(attempt, profile, sound);
    const own = this.#soundBatches(attempt, sound, (batch) =>
      newestMsOf(batch.meterKey) === undefined ? unknownMeter(batch) : undefined,
    );
    const layout = new RowLayout(own, known, this.#layouts);
    const rows = sortedRows(own, (row) => attempt.setAside.push(row));
    attempt.written.push(rows);
    const { fresh, others } = divide(attempt, rows, newestMsOf);
    if (fresh.length > 0) await writeFresh(attempt, layout, fresh);
    const unheld = await notHeldAlike(attempt.client, layout, others);
    if (unheld.length > 0) await merge(attempt, layout, unheld);
    if (profile === "instant") await deriveMeasurements(attempt.client, [...fresh, ...unheld]);
  }

  /** The batches without a fault; all rows of the others are set aside. */
  #soundBatches(
    attempt: Attempt,
    batches: readonly ProfileBatch[],
    faultOf: (batch: ProfileBatch) => RowFault | undefined,
  ): ProfileBatch[] {
    return batches.filter((batch) => {
      const fault = faultOf(batch);
      if (fault === undefined) return true;
      for (let index = 0; index < batch.rowCount; index++) attempt.setAside.push({ row: { batch, index }, ...fault });
      return false;
    });
  }
}

function nothingKnown(): Newest {
  return new Map(PROFILE_KINDS.map((profile) => [profile, new NewestCaptures()]));
}

type NewestMsOf = (meterKey: number) => number | undefined;

/** The newest capture time of each meter that exists, -Infinity where it has none; from the database where it is not known. */
async function lookUpNewest(
  { client, newest }: Attempt,
  profile: ProfileKind,
  batches: readonly ProfileBatch[],
): Promise<NewestMsOf> {
  const known = newest.get(profile);
  const asked = new Map<number, number>();
  const newestMsOf: NewestMsOf = (meterKey) => known?.get(meterKey) ?? asked.get(meterKey);
  const unknown = new Set<number>();
  for (const { meterKey } of batches) if (newestMsOf(meterKey) === undefined) unknown.add(meterKey);
  if (unknown.size === 0) return newestMsOf;
  const { rows } = await client.query<{ meter_key: number; newest: Date | null }>(
    `select m.meter_key, (
       select d.captured_at from dlms.${dataTable(profile)} d
       where d.meter_key = m.meter_key order by d.captured_at desc limit 1
     ) as newest
     from public.meters m where m.meter_key = any ($1::int[])`,
    [[...unknown]],
  );
  for (const row of rows) {
    const ms = row.newest?.getTime() ?? -Infinity;
    asked.set(row.meter_key, ms);
    known?.add(row.meter_key, ms);
  }
  return newestMsOf;
}

/** Rows for slots that can't be held yet, and the rest. */
function divide({ careful }: Attempt, rows: readonly ProfileRow[], newestMsOf: NewestMsOf) {
  const fresh: ProfileRow[] = [];
  const others: ProfileRow[] = [];
  let previous: ProfileRow | undefined;
  for (const row of rows) {
    const repeats = previous !== undefined && compareKeys(previous, row) === 0;
    const newestMs = newestMsOf(row.batch.meterKey) ?? Infinity;
    (!careful && !repeats && instantOf(row) > newestMs ? fresh : others).push(row);
    previous = row;
  }
  return { fresh, others };
}

function unknownMeter(batch: ProfileBatch): RowFault {
  return { reason: "meter_unknown", detail: `key ${batch.meterKey}` };
}

/** Encodes rows; those with values that do not fit are set aside. */
function encodeRows(attempt: Attempt, layout: RowLayout, rows: readonly ProfileRow[]): CopyRows {
  const encoded = new CopyRows();
  for (const row of rows) {
    const fault = layout.encode(row, encoded);
    if (fault !== undefined) attempt.setAside.push({ row, ...fault });
  }
  return encoded;
}

async function writeFresh(attempt: Attempt, layout: RowLayout, rows: readonly ProfileRow[]): Promise<void> {
  const encoded = encodeRows(attempt, layout, rows);
  if (encoded.rowCount === 0) return;
  const target = { table: `dlms.${dataTable(layout.profile)}`, columns: layout.columns };
  await copyInto(attempt.client, target, encoded.finish());
  attempt.inserted += encoded.rowCount;
}

async function merge(attempt: Attempt, layout: RowLayout, rows: readonly ProfileRow[]): Promise<void> {
  if (!attempt.careful) return count(attempt, await mergeEncoded(attempt, layout, rows));
  await attempt.client.query("savepoint before_rows");
  const setAsideBefore = attempt.setAside.length;
  const stageBefore = attempt.stages.get(layout.profile);
  try {
    count(attempt, await mergeEncoded(attempt, layout, rows));
    await attempt.client.query("release savepoint before_rows");
  } catch (error) {
    if (failureKind(error) !== "data") throw error;
    await attempt.client.query("rollback to savepoint before_rows");
    attempt.setAside.length = setAsideBefore;
    if (stageBefore === undefined) attempt.stages.delete(layout.profile);
    await isolate(attempt, layout, { rows, error });
  }
}

/** Finds the rows that the database refuses by halving; each is set aside with the database's words. */
async function isolate(
  attempt: Attempt,
  layout: RowLayout,
  refused: { readonly rows: readonly ProfileRow[]; readonly error: unknown },
): Promise<void> {
  const [first] = refused.rows;
  if (refused.rows.length === 1 && first !== undefined) {
    const detail = messageOf(refused.error);
    attempt.setAside.push({ row: first, reason: "refused_by_database", detail });
    return;
  }
  const half = Math.ceil(refused.rows.length / 2);
  await merge(attempt, layout, refused.rows.slice(0, half));
  await merge(attempt, layout, refused.rows.slice(half));
}

async function mergeEncoded(attempt: Attempt, layout: RowLayout, rows: readonly ProfileRow[]): Promise<MergeOutcome> {
  const encoded = encodeRows(attempt, layout, rows);
  if (encoded.rowCount === 0) return { inserted: 0, completed: 0, revised: 0 };
  const stage = attempt.stages.get(layout.profile) ?? "missing";
  attempt.stages.set(layout.profile, "filled");
  return mergeRows(attempt.client, layout, { encoded, rangeMs: rangeOf(rows), stage });
}

function count(attempt: Attempt, outcome: MergeOutcome): void {
  attempt.inserted += outcome.inserted;
  attempt.completed += outcome.completed;
  attempt.revised += outcome.revised;
}

async function keepSetAside(client: PoolClient, rows: readonly SetAsideRow[]): Promise<void> {
  await keepRejectedRows(
    client,
    rows.map(({ row, reason, detail }) => ({
      profile: row.batch.profile,
      meterKey: row.batch.meterKey,
      capturedAt: String(row.batch.instantsMs[row.index]),
      source: sourceCode(row.batch.source),
      readAt: row.batch.readAt,
      reason,
      detail,
      json: rowAsJson(row),
    })),
  );
}
