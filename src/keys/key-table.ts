import { isKeyRole } from "../../protocol/security/secret-key.ts";
import { type Database, isTransient } from "../store/database/database.ts";
import { KeyError } from "./key-error.ts";
import type { KeyName, KeyState, SealedKey, SealedKeyStorage } from "./sealed-key.ts";

interface Row {
  readonly meter_id: string;
  readonly client_sap: number;
  readonly role: string;
  readonly version: number;
  readonly state: KeyState;
  readonly sealed: Uint8Array;
}

const COLUMNS = "meter_id, client_sap, role, version, state, sealed";
const NAMED = "meter_id = $1::uuid and client_sap = $2::integer and role = $3::text";

/** Sealed keys in the table dlms.keys. */
export class KeyTable implements SealedKeyStorage {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async readMeter(meterId: string): Promise<readonly SealedKey[]> {
    const rows = await this.#database.query<Row>(
      `select ${COLUMNS} from dlms.keys where meter_id = $1::uuid and state <> 'retired' order by role, version`,
      [meterId],
    );
    return rows.map(sealedKey);
  }

  async readAll(): Promise<readonly SealedKey[]> {
    const rows = await this.#database.query<Row>(`select ${COLUMNS} from dlms.keys order by meter_id, role, version`);
    return rows.map(sealedKey);
  }

  async highestVersion(name: KeyName): Promise<number> {
    const rows = await this.#database.query<{ highest: number }>(
      `select coalesce(max(version), 0) as highest from dlms.keys where ${NAMED}`,
      named(name),
    );
    return rows[0]?.highest ?? 0;
  }

  async add(key: SealedKey): Promise<void> {
    await this.#database.transaction(async (client) => {
      if (key.state === "active")
        await client.query(`update dlms.keys set state = 'retired' where ${NAMED} and state = 'active'`, named(key));
      await client.query(
        `insert into dlms.keys (${COLUMNS}) values ($1::uuid, $2::integer, $3::text, $4::integer, $5::text, $6::bytea)`,
        [...named(key), key.version, key.state, key.sealed],
      );
    });
  }

  async activate(name: KeyName, version: number): Promise<boolean> {
    return this.#database.transaction(async (client) => {
      const pending = await client.query(
        `select version from dlms.keys where ${NAMED} and version = $4::integer and state = 'pending' for update`,
        [...named(name), version],
      );
      if (pending.rows.length === 0) return false;
      await client.query(`update dlms.keys set state = 'retired' where ${NAMED} and state = 'active'`, named(name));
      await client.query(`update dlms.keys set state = 'active' where ${NAMED} and version = $4::integer`, [
        ...named(name),
        version,
      ]);
      return true;
    });
  }

  async giveUp(name: KeyName, version: number): Promise<void> {
    const isPending = "version = $4::integer and state = 'pending'";
    await this.#database.query(`update dlms.keys set state = 'retired' where ${NAMED} and ${isPending}`, [
      ...named(name),
      version,
    ]);
  }

  async replaceEnvelope(name: KeyName, version: number, sealed: Uint8Array): Promise<void> {
    await this.#database.query(`update dlms.keys set sealed = $5::bytea where ${NAMED} and version = $4::integer`, [
      ...named(name),
      version,
      sealed,
    ]);
  }
}

/** The same while the database is there; without it, the keys of a meter as they were recorded. */
export class RecordedKeyTable extends KeyTable {
  readonly #recorded: ReadonlyMap<string, readonly SealedKey[]>;

  constructor(database: Database, recorded: readonly SealedKey[]) {
    super(database);
    this.#recorded = Map.groupBy(recorded, ({ meterId }) => meterId);
  }

  override async readMeter(meterId: string): Promise<readonly SealedKey[]> {
    try {
      return await super.readMeter(meterId);
    } catch (error) {
      const recorded = this.#recorded.get(meterId)?.filter(({ state }) => state !== "retired");
      if (recorded === undefined || !isTransient(error)) throw error;
      return recorded;
    }
  }
}

function named(name: KeyName): [string, number, string] {
  return [name.meterId, name.clientSap, name.role];
}

function sealedKey(row: Row): SealedKey {
  const { role, version, state } = row;
  if (!isKeyRole(role)) throw new KeyError("KEY_ROLE_UNKNOWN", { role, meterId: row.meter_id });
  const sealed = new Uint8Array(row.sealed);
  return { meterId: row.meter_id, clientSap: row.client_sap, role, version, state, sealed };
}
