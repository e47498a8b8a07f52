/** What tests of series share: a filled database, and people with roles of their own. */
import { Client, type QueryResultRow } from "pg";
import type { ProfileBatch } from "../../src/profiles/batch.ts";
import { PROFILE_COLUMNS } from "../../src/profiles/columns.ts";
import { profileQuantities } from "../../src/profiles/quantities.ts";
import { SeriesCatalogue } from "../../src/series/catalogue.ts";
import { keepQuantities } from "../../src/series/quantities.ts";
import type { Database } from "../../src/store/database/database.ts";
import { ProfileWriter, type WriteOutcome } from "../../src/store/profiles/profile-writer.ts";

/** Writes as the gateway does: rows, then their series. */
export class Gathering {
  readonly #writer: ProfileWriter;
  readonly catalogue: SeriesCatalogue;

  constructor(database: Database) {
    this.#writer = new ProfileWriter(database, PROFILE_COLUMNS);
    this.catalogue = new SeriesCatalogue(database);
  }

  async write(...batches: ProfileBatch[]): Promise<WriteOutcome> {
    const outcome = await this.#writer.write(batches);
    await this.catalogue.learn(batches);
    return outcome;
  }
}

export async function keepAllQuantities(database: Database): Promise<void> {
  await keepQuantities(database, profileQuantities());
}

/** Someone with a login. */
export class Person {
  readonly name: string;
  readonly #client: Client;

  private constructor(name: string, client: Client) {
    this.name = name;
    this.#client = client;
  }

  /** Makes a login that is a member of `roles`, and connects as it. */
  static async enter(url: string, database: Database, purpose: string, roles: readonly string[]): Promise<Person> {
    const name = `${purpose}_${process.pid}_${Math.random().toString(36).slice(2, 8)}`;
    await database.query(`create role ${name} login password 'of-a-test'`);
    for (const role of roles) await database.query(`grant ${role} to ${name}`);
    const address = new URL(url);
    address.username = name;
    address.password = "of-a-test";
    const client = new Client({ connectionString: address.href, application_name: name });
    client.on("error", () => undefined);
    await client.connect();
    return new Person(name, client);
  }

  async ask<Row extends QueryResultRow = QueryResultRow>(
    text: string,
    values: readonly unknown[] = [],
  ): Promise<Row[]> {
    return (await this.#client.query<Row>(text, [...values])).rows;
  }

  /** As `ask`, rows as arrays. */
  async rows(text: string, values: readonly unknown[] = []): Promise<unknown[][]> {
    return (await this.#client.query<unknown[]>({ text, values: [...values], rowMode: "array" })).rows;
  }

  /** Ends the session; the role is dropped with what it owns in this database. */
  async leave(database: Database): Promise<void> {
    await this.#client.end();
    await database.query(`drop owned by ${this.name}`).catch(() => undefined);
    await database.query(`drop role if exists ${this.name}`).catch(() => undefined);
  }
}
