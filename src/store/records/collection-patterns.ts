import type { CollectionConfig } from "../../config/collection-schema.ts";
import { type Database, isTransient } from "../database/database.ts";
import { StoreError } from "../database/store-error.ts";

/** Throws StoreError that names the collection whose pattern PostgreSQL does not take, whatever other languages say. */
export async function checkPatterns(
  database: Database,
  configs: readonly Pick<CollectionConfig, "name" | "pattern">[],
): Promise<void> {
  for (const { name: collection, pattern } of configs) {
    if (pattern === undefined) continue;
    await database.query("select '' ~ $1::text", [pattern]).catch((cause: unknown) => {
      if (isTransient(cause)) throw cause;
      throw new StoreError("COLLECTION_PATTERN_REFUSED", { collection, pattern }, { cause });
    });
  }
}
