import { mkdtempSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MEMORY = "/dev/shm";
const WANTED_OCTETS = 2 ** 30;

/** A new directory for a server that lives as long as a test: in memory where there is room, for speed. */
export function scratchDirectory(purpose: string): string {
  return mkdtempSync(join(hasRoom() ? MEMORY : tmpdir(), `dlms-gateway-${purpose}-`));
}

function hasRoom(): boolean {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize > WANTED_OCTETS;
  } catch {
    return false;
  }
}
