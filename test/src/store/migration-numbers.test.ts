import { expect, test } from "vitest";
import { readMigrations } from "../../../src/store/database/migrations.ts";

test("migrations: the files in the tree have numbers without gaps or repetitions, and good headers", async () => {
  expect((await readMigrations()).length).toBeGreaterThan(10);
});
