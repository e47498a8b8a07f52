/** The system title of the field tool: drawn once and kept beside its counters. */
import { randomBytes } from "node:crypto";
import { drawnOnce } from "./drawn-once.ts";

/** Three letters as makers have them, then octets that no other installation has. */
const LETTERS = "444c47";
const RANDOM_OCTETS = 5;
const TITLE = /^[0-9a-f]{16}$/;

/**
 * A title that belongs to this counter file alone. Two senders with one key and one title would use the same
 * initialisation vectors, however well each keeps its own counters.
 */
export async function ownSystemTitle(counterFile: string): Promise<string> {
  const file = `${counterFile}.title`;
  const kept = await drawnOnce(file, LETTERS + randomBytes(RANDOM_OCTETS).toString("hex"));
  if (!TITLE.test(kept)) throw new Error(`${file} holds no system title; take it away, or say --client-title`);
  return kept;
}
