import { DlmsError } from "../../protocol/errors.ts";
import { type Database, isTransient } from "../store/database.ts";
import { type CounterName, type CounterReservations, requireReservable } from "./counter-reservations.ts";

/** Counters in the database: one row a name, raised in one statement, so that gateways may share them. */
export class CounterTable implements CounterReservations {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async reserve(name: CounterName, count: number, floor: number): Promise<number> {
    requireReservable(count, floor);
    const next = await this.#database
      .transaction(async (client) => {
        // A commit that is not on disk yet would give the same counters out again after a crash.
        await client.query("set local synchronous_commit to on");
        const { rows } = await client.query<{ next_counter: bigint }>(
          `insert into dlms.invocation_counters as held (key_id, system_title, association, next_counter)
         select $1::text, $2::bytea, $3::text, $5::bigint + $4::bigint
         where $5::bigint + $4::bigint <= 4294967296
         on conflict (key_id, system_title, association) do update
           set next_counter = greatest(held.next_counter, $5::bigint) + $4::bigint, updated_at = now()
           where greatest(held.next_counter, $5::bigint) + $4::bigint <= 4294967296
         returning next_counter`,
          [name.keyId, name.systemTitle, name.association, count, floor],
        );
        return rows[0]?.next_counter;
      })
      .catch((cause: unknown) => {
        if (!isTransient(cause)) throw cause;
        throw new DlmsError("SECURITY_COUNTER_UNRESERVED", "caller", { keyId: name.keyId, count }, { cause });
      });
    if (next === undefined)
      throw new DlmsError("SECURITY_COUNTER_EXHAUSTED", "caller", { keyId: name.keyId, count, floor });
    return Number(next) - count;
  }
}
