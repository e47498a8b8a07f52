/** The ledger of many meters at once, for reports: with all ways of capture, power events, and the last failed try. */
import type { LedgerPage, ProfileMemory } from "../../collect/slots/meter-ledger.ts";
import type { Database } from "../database/database.ts";
import { foldCoverage } from "./coverage.ts";
import { type MemoryRow, memoryOf, type PageRow, pageOf } from "./ledger-records.ts";

export interface LedgerOfMeter {
  readonly memories: readonly ProfileMemory[];
  readonly pages: readonly LedgerPage[];
  readonly events: readonly { readonly atMs: number; readonly log: string; readonly code: number }[];
  /** Undefined when the last try succeeded, or there was none. */
  readonly lastFailure: { readonly cause: string; readonly nextStep: string } | undefined;
}

interface LedgerMeter {
  readonly meterKey: number;
  readonly meterId: string;
}

interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

interface MeterParts {
  memories: ProfileMemory[];
  pages: LedgerPage[];
  events: { atMs: number; log: string; code: number }[];
  lastFailure: LedgerOfMeter["lastFailure"];
}

export class FleetLedger {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Folds what has been journalled so far, so that `load` finds it in the pages. Throws StoreError. */
  async settle(): Promise<void> {
    await foldCoverage(this.#database);
  }

  /** What is known of the meters' slots in a range of time, by meter key. Throws StoreError. */
  async load(meters: readonly LedgerMeter[], range: Range): Promise<ReadonlyMap<number, LedgerOfMeter>> {
    const found = new Map(meters.map(({ meterKey }) => [meterKey, newParts()]));
    const keys = new Map(meters.map(({ meterId, meterKey }) => [meterId, meterKey]));
    await this.#loadMemories(found);
    await this.#loadPages(found, range);
    await this.#loadEvents(found, keys, range);
    await this.#loadFailures(found, keys);
    return found;
  }

  async #loadMemories(found: Map<number, MeterParts>): Promise<void> {
    const rows = await this.#database.query<MemoryRow & { meter_key: number }>(
      `select meter_key, profile, valid_from, interval_s, entries from dlms.meter_profiles
       where meter_key = any ($1::int[]) order by meter_key, profile, valid_from`,
      [[...found.keys()]],
    );
    for (const row of rows) found.get(row.meter_key)?.memories.push(memoryOf(row));
  }

  async #loadPages(found: Map<number, MeterParts>, { fromMs, toMs }: Range): Promise<void> {
    const rows = await this.#database.query<PageRow & { meter_key: number }>(
      `select meter_key, profile, day - date '1970-01-01' as day, interval_s, held::text, absent::text,
         meter_off::text, set_aside::text
       from dlms.coverage_pages
       where meter_key = any ($1::int[]) and day <= ($3::timestamptz at time zone 'UTC')::date + 1
         and day >= case when profile = 2 then ($2::timestamptz at time zone 'UTC')::date - 1
           else date_trunc('year', $2::timestamptz at time zone 'UTC' - interval '1 day')::date end`,
      [[...found.keys()], new Date(fromMs), new Date(toMs)],
    );
    for (const row of rows) found.get(row.meter_key)?.pages.push(...pageOf(row));
  }

  /** From some time before the range on: an outage may have begun then. */
  async #loadEvents(
    found: Map<number, MeterParts>,
    keys: ReadonlyMap<string, number>,
    { fromMs, toMs }: Range,
  ): Promise<void> {
    const rows = await this.#database.query<{ meter_id: string; occurred_at: Date; log: string; code: number }>(
      `select meter_id, occurred_at, log, code from public.meter_events
       where meter_id = any ($1::uuid[]) and occurred_at between $2::timestamptz - interval '30 days' and $3::timestamptz
         and log <> 'gateway'`,
      [[...keys.keys()], new Date(fromMs), new Date(toMs)],
    );
    for (const { meter_id: id, occurred_at: at, log, code } of rows) {
      found.get(keys.get(id) ?? -1)?.events.push({ atMs: at.getTime(), log, code });
    }
  }

  async #loadFailures(found: Map<number, MeterParts>, keys: ReadonlyMap<string, number>): Promise<void> {
    const rows = await this.#database.query<{ meter_id: string; cause: string; next_step: string | null }>(
      `select m.id as meter_id, a.cause, a.next_step from unnest($1::uuid[]) as m (id)
       cross join lateral (
         select cause, next_step from dlms.read_attempts where meter_id = m.id
           and started_at > now() - interval '30 days' order by started_at desc limit 1
       ) a
       where a.cause is not null`,
      [[...keys.keys()]],
    );
    for (const row of rows) {
      const parts = found.get(keys.get(row.meter_id) ?? -1);
      if (parts !== undefined) parts.lastFailure = { cause: row.cause, nextStep: row.next_step ?? "" };
    }
  }
}

function newParts(): MeterParts {
  return { memories: [], pages: [], events: [], lastFailure: undefined };
}
