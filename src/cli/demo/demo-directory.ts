/** Where the demo keeps its database: a temporary directory that goes with it, and what killed demos have left behind. */
import { chmod, mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lockDirectory } from "../../store/server/directory-lock.ts";
import { endOrphans } from "../../store/server/postmaster.ts";

const PREFIX = "dlms-gateway-demo-";
/** Of the database within the demo's directory, as the configuration's default says. */
const SERVER = join("data", "postgres");
/** A younger directory may belong to a demo that is just starting. */
const ABANDONED_AFTER_MS = 60_000;

/** Where root runs the demo, the database runs as another user, who must be able to pass through. */
const PASSABLE = 0o711;

/** A directory that stays: made where it is not there yet. */
export async function keptDirectory(directory: string): Promise<string> {
  await mkdir(directory, { recursive: true, mode: PASSABLE });
  return directory;
}

/** Makes the directory; `stack` takes it away. */
export async function demoDirectory(stack: AsyncDisposableStack): Promise<string> {
  await clearAbandoned();
  const directory = await mkdtemp(join(tmpdir(), PREFIX));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  await chmod(directory, PASSABLE);
  return directory;
}

async function clearAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (name.startsWith(PREFIX)) await clearIfAbandoned(join(tmpdir(), name)).catch(() => undefined);
  }
}

/** Rejects when the directory is in use, or another user's. */
async function clearIfAbandoned(directory: string): Promise<void> {
  const { mtimeMs } = await stat(directory);
  if (Date.now() - mtimeMs < ABANDONED_AFTER_MS) return;
  const server = join(directory, SERVER);
  const unlock = await lockDirectory(server);
  try {
    await endOrphans(join(server, "data"));
    await rm(directory, { recursive: true, force: true });
  } finally {
    await unlock();
  }
}
