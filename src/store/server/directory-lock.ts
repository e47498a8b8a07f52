/**
 * A lock that says which process may use a directory. It is an abstract socket of Linux, named after the directory:
 * taken in one step, and gone with its process however that ends, so there is nothing stale to clean up.
 */
import { createHash } from "node:crypto";
import { realpath } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { StoreError, type StoreErrorCode } from "../database/store-error.ts";
import { isErrno } from "./server-binaries.ts";

const ANSWER_TIMEOUT_MS = 500;

/** Takes the lock of a directory; the returned function gives it back. Throws StoreError when another process has it. */
export async function lockDirectory(
  directory: string,
  inUse: Extract<StoreErrorCode, "SERVER_DIRECTORY_IN_USE" | "SPOOL_IN_USE"> = "SERVER_DIRECTORY_IN_USE",
): Promise<() => Promise<void>> {
  const digest = createHash("sha256")
    .update(await realpath(directory))
    .digest("hex");
  const path = `\0dlms-gateway-${digest.slice(0, 40)}`;
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.end(String(process.pid));
  });
  try {
    await listen(server, path);
  } catch (cause) {
    if (!isErrno(cause, "EADDRINUSE")) throw cause;
    throw new StoreError(inUse, { directory, pid: await holderOf(path) }, { cause });
  }
  server.unref();
  return () => new Promise((resolve) => server.close(() => resolve()));
}

async function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ path }, resolve);
  });
}

/** The process id of whoever holds the lock, or "unknown". */
async function holderOf(path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    let answer = "";
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy());
    socket.on("data", (octets) => {
      answer += octets.toString();
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => resolve(/^\d+$/.test(answer) ? answer : "unknown"));
  });
}
