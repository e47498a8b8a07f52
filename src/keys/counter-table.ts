import { DlmsError } from "../../protocol/errors.ts";
import { type Database, isTransient } from "../store/database/database.ts";
import { type CounterName, type CounterReservations, requireReservable } from "./counter-reservations.ts";

/** Counters in the database: one row a name, raised in one statement, so that gateways may share them. */
export class CounterTable implements CounterReservations {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The lowest counter that has not been given out; undefined for a name that was never used. Throws StoreError. */
  async read(name: CounterName): Promise<number | undefined> {
    const rows = await this.#database.query<{ next_counter: bigint }>(
      `select next_counter from dlms.invocation_counters
       where key_id = $1::text and system_title = $2::bytea and association = $3::text`,
      [name.keyId, name.systemTitle, name.association],
    );
    return rows[0] === undefined ? undefined : Number(rows[0].next_counter);
  }

  /** Nothing below is given out any more; never lowers it. The counter that is next then. Throws StoreError. */
  async raise(name: CounterName, floor: number): Promise<number> {
    requireReservable(1, floor);
    const rows = await this.#database.query<{ next_counter: bigint }>(
      `insert into dlms.invocation_counters as held (key_id, system_title, association, next_counter)
       select $1::text, $2::bytea, $3::text, $4::bigint from set_config('synchronous_commit', 'on', true)
       on conflict (key_id, system_title, association) do update
         set next_counter = greatest(held.next_counter, $4::bigint), updated_at = now()
       returning next_counter`,
      [name.keyId, name.systemTitle, name.association, floor],
    );
    return Number(rows[0]?.next_counter ?? floor);
  }

  /**
   * Leaves out the next counters of every key that the database knows: after it was restored, nobody can tell which of
   * them had been used. How many keys there are. Throws StoreError.
   */
  async skip(count: number): Promise<number> {
    const rows = await this.#database.query(
      `update dlms.invocation_counters
       set next_counter = least(next_counter + $1::bigint, 4294967296), updated_at = now()
       from set_config('synchronous_commit', 'on', true) returning 1`,
      [count],
    );
    return rows.length;
  }

  async reserve(name: CounterName, count: number, floor: number): Promise<number> {
    requireReservable(count, floor);
    const [reserved] = await this.#database
      // A commit that is not on disk yet would give the same counters out again after a crash.
      .query<{ next_counter: bigint }>(
        `insert into dlms.invocation_counters as held (key_id, system_title, association, next_counter)
         select $1::text, $2::bytea, $3::text, $5::bigint + $4::bigint
         from set_config('synchronous_commit', 'on', true)
         where $5::bigint + $4::bigint <= 4294967296
         on conflict (key_id, system_title, association) do update
           set next_counter = greatest(held.next_counter, $5::bigint) + $4::bigint, updated_at = now()
           where greatest(held.next_counter, $5::bigint) + $4::bigint <= 4294967296
         returning next_counter`,
        [name.keyId, name.systemTitle, name.association, count, floor],
      )
      .catch((cause: unknown) => {
        if (!isTransient(cause)) throw cause;
        throw new DlmsError("SECURITY_COUNTER_UNRESERVED", "caller", { keyId: name.keyId, count }, { cause });
      });
    if (reserved === undefined)
      throw new DlmsError("SECURITY_COUNTER_EXHAUSTED", "caller", { keyId: name.keyId, count, floor });
    return Number(reserved.next_counter) - count;
  }
}
