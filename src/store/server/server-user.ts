/** PostgreSQL refuses to run as root: says which other user runs it then. */
import { readFile, stat } from "node:fs/promises";
import { StoreError } from "../database/store-error.ts";

export interface ServerUser {
  readonly name: string;
  /** For spawn and chown. */
  readonly credentials: { readonly uid: number; readonly gid: number };
}

/** In order of preference: our own system user, then the one that every system has. */
const CANDIDATES = ["dlms-gateway", "nobody"] as const;

/** Who runs the server: undefined for ourselves; when we are root, who owns the data already, or a system user. */
export async function serverUser(dataDirectory: string): Promise<ServerUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const users = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  const owner = await stat(dataDirectory).catch(() => undefined);
  if (owner !== undefined && owner.uid !== 0) {
    const name = users.find((fields) => Number(fields[2]) === owner.uid)?.[0] ?? String(owner.uid);
    return { name, credentials: { uid: owner.uid, gid: owner.gid } };
  }
  for (const candidate of CANDIDATES) {
    const fields = users.find((each) => each[0] === candidate);
    if (fields !== undefined) {
      return { name: candidate, credentials: { uid: Number(fields[2]), gid: Number(fields[3]) } };
    }
  }
  throw new StoreError("SERVER_USER_MISSING", { tried: CANDIDATES.join(", ") });
}
