/** The salt of an installation's pseudonyms: the same meter has the same ones in each of its bundles. */
import { randomBytes } from "node:crypto";
import { drawnOnce } from "./drawn-once.ts";

const SALT_LENGTH = 32;
const SALT = /^[0-9a-f]{64}$/;

/** Throws where the file holds something else: with less of a salt, pseudonyms could be found out by trying. */
export async function pseudonymSalt(file: string): Promise<Uint8Array> {
  const kept = await drawnOnce(file, randomBytes(SALT_LENGTH).toString("hex"));
  if (!SALT.test(kept)) {
    throw new Error(
      `${file} holds no salt for pseudonyms; take it away: a new one is drawn, and meters get other ones`,
    );
  }
  return Buffer.from(kept, "hex");
}
