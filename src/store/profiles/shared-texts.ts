import type { Database } from "../database/database.ts";

/** Statements with the texts as $1: puts those in that are not there, and finds `text` and `key` of each. */
export interface SharedTextStatements {
  readonly add: string;
  readonly find: string;
}

/**
 * Texts that many rows share, and the keys that rows have instead. A key is learned once by a process, in no transaction
 * of rows, so that writers do not wait for each other.
 */
export class SharedTexts {
  readonly #database: Database;
  readonly #statements: SharedTextStatements;
  readonly #keys = new Map<string, number>();

  constructor(database: Database, statements: SharedTextStatements) {
    this.#database = database;
    this.#statements = statements;
  }

  /** Throws StoreError. */
  async learn(texts: Iterable<string>): Promise<void> {
    const unknown = [...new Set(texts)].filter((text) => !this.#keys.has(text));
    if (unknown.length === 0) return;
    await this.#database.query(this.#statements.add, [unknown]);
    const rows = await this.#database.query<{ text: string; key: number }>(this.#statements.find, [unknown]);
    for (const { text, key } of rows) this.#keys.set(text, key);
  }

  /** Of a text that was learned. */
  keyOf(text: string): number {
    return this.#keys.get(text) ?? 0;
  }
}
