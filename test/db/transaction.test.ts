import { expect, test } from "vitest";
import { openDatabase } from "../../src/store/database/database.ts";
import { useTestDatabase } from "./test-database.ts";

const current = useTestDatabase();

test("transaction: what fails to open leaves its connection to the next", async () => {
  await using alone = await openDatabase({ url: current().url, connections: 1 });
  const opening = "set local lock_timeout = '20ms'; select pg_advisory_xact_lock(4711)";
  await current().database.transaction(async (holder) => {
    await holder.query("select pg_advisory_xact_lock(4711)");
    await expect(alone.transaction(async () => "opened", opening)).rejects.toThrow("lock timeout");
  });
  await expect(alone.transaction(async () => "opened", opening)).resolves.toBe("opened");
});
