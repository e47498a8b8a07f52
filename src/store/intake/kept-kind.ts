/** Records of one kind that are written in a transaction of their own, and go to the spool while the database is away. */
import type { PoolClient } from "pg";
import { type Database, isTransient } from "../database/database.ts";
import type { QueueSpool } from "./queue-spool.ts";
import type { SpoolGate, SpoolOutlet } from "./spool-gate.ts";
import type { SpoolKind } from "./spool-kinds.ts";

/** Writes items through the client of a transaction, in which they may be for the second time. */
type Keep<Item> = (client: PoolClient, items: readonly Item[]) => Promise<unknown>;

/** How such records are brought in; `opening` holds statements that go with the transaction's begin. */
export function outletOf<Item>(
  database: Database,
  {
    kind,
    keep,
    opening = "",
  }: { readonly kind: SpoolKind<Item>; readonly keep: Keep<Item>; readonly opening?: string },
): SpoolOutlet<Item> {
  return {
    kind,
    write: (items, alsoHere) =>
      database.transaction(async (client) => {
        await keep(client, items);
        await alsoHere(client);
      }, opening),
  };
}

export class KeptKind<Item> {
  readonly #outlet: SpoolOutlet<Item>;
  readonly #spool: QueueSpool<Item>;

  constructor(gate: SpoolGate, outlet: SpoolOutlet<Item>) {
    this.#outlet = outlet;
    this.#spool = gate.add(outlet);
  }

  /** Resolves when the items are durable. Throws StoreError and SpoolError. */
  async put(items: readonly Item[]): Promise<void> {
    if (!this.#spool.engaged) {
      try {
        await this.#outlet.write(items, () => Promise.resolve());
        return;
      } catch (error) {
        if (!isTransient(error)) throw error;
      }
    }
    await Promise.all(items.map(async (item) => this.#spool.append(item)));
  }
}
