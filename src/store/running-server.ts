/** Where the embedded server of a directory can be reached while a gateway runs it. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { StoreError } from "./store-error.ts";

const ROLE = "dlms";

/** A connection string with the password: never for a log. Throws StoreError where no server was ever started. */
export async function runningServerUrl(directory: string): Promise<string> {
  try {
    const port = await readFile(join(directory, "port"), "utf8");
    const lines = (await readFile(join(directory, "pgpass"), "utf8")).split("\n").map((line) => line.split(":"));
    const [host = "", , , , password = ""] = lines.find((line) => line[3] === ROLE) ?? [];
    return `postgresql://${ROLE}:${password}@${host}:${port.trim()}/${ROLE}`;
  } catch (cause) {
    throw new StoreError("DATABASE_UNREACHABLE", { directory }, { cause });
  }
}
