/** A connection to the database that a verb is about. */
import { type Database, openDatabase } from "../../store/database/database.ts";
import { type DatabasePlace, openPlace } from "./database-place.ts";

/** Lends the database to `work` over one connection. Throws ConfigError or StoreError. */
export async function withDatabase<Result>(
  place: DatabasePlace,
  work: (database: Database) => Promise<Result>,
): Promise<Result> {
  await using stack = new AsyncDisposableStack();
  const { url } = await openPlace(place, stack);
  // Freezing a large run takes minutes.
  const options = { url, connections: 1, applicationName: "dlms-gateway command", unlimited: true };
  return await work(stack.use(await openDatabase(options)));
}
