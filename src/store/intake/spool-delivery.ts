/**
 * Brings groups of spooled records into the database, in order, kind by kind; each kind's place is moved in the
 * transaction of its rows: a record is brought in once, wherever the process or the database stops. What the database
 * does not take, in any form or in the time that a statement has, is set aside where others go in.
 */
import type { PoolClient } from "pg";
import { messageOf } from "../../observe/message-of.ts";
import type { SpoolRecord } from "../../spool/frame.ts";
import type { RunRecords, Spool } from "../../spool/spool.ts";
import { type Database, isTransient } from "../database/database.ts";
import { driverError, failureKind, isTimeout } from "../database/failure.ts";
import { StoreError } from "../database/store-error.ts";
import type { SpoolKind } from "./spool-kinds.ts";

/** What is done in the transaction of a write besides it. */
export type AlsoHere = (client: PoolClient) => Promise<void>;

/** Where records of one kind go. */
export interface SpoolDestination<Item> {
  readonly kind: SpoolKind<Item>;
  /** Writes items in one transaction, and `alsoHere` in it. Safe to repeat. */
  write(items: readonly Item[], alsoHere: AlsoHere): Promise<unknown>;
  /** Another form of an item that the database refuses, as a last try; undefined for none. */
  reduced?(item: Item, reason: string): Item | undefined;
}

export interface SpoolDeliveryOptions {
  readonly spool: Spool;
  readonly database: Database;
  /** By the codes of their kinds. */
  readonly destinations: ReadonlyMap<number, SpoolDestination<unknown>>;
  /** A record was set aside: nothing can be made of it, or the database takes it in no form. */
  readonly onSetAside: (kind: string, reason: string) => void;
}

/** Timeouts of a group until its records are tried one by one, and of such a record until it is set aside. */
const MOST_TIMEOUTS = 3;

/** A record on its way to the database, and the run whose it is. */
interface Entry {
  readonly run: string;
  readonly record: SpoolRecord;
}

interface Item extends Entry {
  readonly item: unknown;
}

interface Refused extends Entry {
  readonly error: unknown;
}

export class SpoolDelivery {
  readonly #options: SpoolDeliveryOptions;
  /** By run and kind: number of the first record that is not in the database. */
  readonly #positions = new Map<string, Map<string, number>>();
  #timeouts = 0;

  constructor(options: SpoolDeliveryOptions) {
    this.#options = options;
  }

  /**
   * Whether the last try took too long. Records that come later should go with these then: where they go in, the
   * database is not what is slow.
   */
  get isSlow(): boolean {
    return this.#timeouts > 0;
  }

  /** Brings the groups in; when it throws, the same, and more after them, may be tried again. */
  async deliver(groups: readonly RunRecords[]): Promise<void> {
    const { destinations } = this.#options;
    const entries = groups.flatMap(({ run, records }) => records.map((record) => ({ run, record })));
    for (const { run } of groups) await this.#learnPositions(run);
    for (const destination of destinations.values()) await this.#deliverKind(destination, entries);
    const unknown = entries.filter(({ record }) => !destinations.has(record.kind));
    for (const entry of unknown) await this.#setAside(entry, "no such kind");
    this.#timeouts = 0;
  }

  async #deliverKind(destination: SpoolDestination<unknown>, entries: readonly Entry[]): Promise<void> {
    const { code, name } = destination.kind;
    const own = entries.filter(
      ({ run, record }) => record.kind === code && record.sequence >= (this.#positions.get(run)?.get(name) ?? 0),
    );
    if (own.length === 0) return;
    const { items, unreadable } = decode(destination.kind, own);
    const next = new Map(own.map(({ run, record }) => [run, record.sequence + 1]));
    const move = async (client: PoolClient) => {
      for (const [run, sequence] of next) await movePosition(client, { run, kind: name, next: sequence });
    };
    try {
      await destination.write(
        items.map(({ item }) => item),
        move,
      );
    } catch (error) {
      if (isTransient(error) && !this.#isTooSlow(error)) throw error;
      await this.#writeEach(destination, items, error);
      await this.#options.database.transaction(move);
    }
    for (const each of unreadable) await this.#setAside(each, messageOf(each.error));
    for (const [run, sequence] of next) this.#positions.get(run)?.set(name, sequence);
  }

  /** Whether records have run into the time limit so often that they have to be tried one by one. */
  #isTooSlow(error: unknown): boolean {
    if (!hasTimedOut(error)) return false;
    this.#timeouts += 1;
    return this.#timeouts % MOST_TIMEOUTS === 0;
  }

  /**
   * One item must not keep the others out. When the database refuses every one of them, or is too slow for every one,
   * the fault is not theirs: all are tried again later.
   */
  async #writeEach(destination: SpoolDestination<unknown>, items: readonly Item[], groupError: unknown): Promise<void> {
    const refused: Refused[] = [];
    let left = items;
    for (let tries = 1; left.length > 0; tries++) {
      const slow: Item[] = [];
      for (const each of left) {
        const error = await writeOne(destination, each.item);
        if (hasTimedOut(error) && tries < MOST_TIMEOUTS) slow.push(each);
        else if (error !== undefined) refused.push({ ...each, error });
      }
      if (slow.length === items.length) throw groupError;
      left = slow;
    }
    const isTheirs = refused.length < items.length || refused.every(({ error }) => isDataFault(error));
    if (!isTheirs) throw groupError;
    for (const each of refused) await this.#setAside(each, messageOf(each.error));
  }

  async #setAside({ run, record }: Entry, reason: string): Promise<void> {
    const { spool, destinations, onSetAside } = this.#options;
    await spool.setRecordAside(run, record);
    onSetAside(destinations.get(record.kind)?.kind.name ?? String(record.kind), reason);
  }

  async #learnPositions(run: string): Promise<void> {
    if (this.#positions.has(run)) return;
    const { database } = this.#options;
    await database.query("delete from dlms.spool_positions where updated_at < now() - interval '1 year'");
    const rows = await database.query<{ kind: string; next_sequence: bigint }>(
      "select kind, next_sequence from dlms.spool_positions where run = $1",
      [run],
    );
    this.#positions.set(run, new Map(rows.map((row) => [row.kind, Number(row.next_sequence)])));
  }
}

function decode(kind: SpoolKind<unknown>, entries: readonly Entry[]) {
  const items: Item[] = [];
  const unreadable: Refused[] = [];
  for (const entry of entries) {
    const { payload, version } = entry.record;
    try {
      items.push({ ...entry, item: kind.decode(payload, version) });
    } catch (error) {
      unreadable.push({ ...entry, error });
    }
  }
  return { items, unreadable };
}

/** Why the database refuses an item in every form, or that it took too long; undefined when it took it. */
async function writeOne(destination: SpoolDestination<unknown>, item: unknown): Promise<unknown> {
  const error = await refusalOf(destination, item);
  const reduced = error === undefined ? undefined : destination.reduced?.(item, messageOf(error));
  return reduced === undefined ? error : refusalOf(destination, reduced);
}

async function refusalOf(destination: SpoolDestination<unknown>, item: unknown): Promise<unknown> {
  try {
    await destination.write([item], () => Promise.resolve());
    return undefined;
  } catch (error) {
    if (isTransient(error) && !hasTimedOut(error)) throw error;
    return error;
  }
}

function hasTimedOut(error: unknown): boolean {
  return isTimeout(driverError(error));
}

/** Whether the fault lies in what was to be written, and not in the database. */
function isDataFault(error: unknown): boolean {
  const kind = failureKind(driverError(error));
  return kind === "data" || (error instanceof StoreError && error.code === "BATCH_INVALID");
}

async function movePosition(
  client: PoolClient,
  { run, kind, next }: { readonly run: string; readonly kind: string; readonly next: number },
): Promise<void> {
  await client.query(
    `insert into dlms.spool_positions (run, kind, next_sequence) values ($1, $2, $3::bigint)
     on conflict (run, kind) do update set next_sequence = excluded.next_sequence, updated_at = now()`,
    [run, kind, next],
  );
}
