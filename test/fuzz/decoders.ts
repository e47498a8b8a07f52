/** What counts as a decoder: an exported function of protocol/ that by its name reads octets or data of a peer. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..", "..");
const EXPORTED = /^export function (\w+)/gm;
const READING = /^(?:decode|parse|read|expand|resolve)[A-Z]|From(?:Data|Bytes|Profile|Octets)$/;

/** Read what we were given ourselves, and blame the caller. */
const NOT_OF_PEERS = new Set([
  "protocol/cosem/obis.ts:parseObis",
  "protocol/security/elliptic-key.ts:privateKeyFromOctets",
]);

/** All of them, as `file:name`. */
export function decodersOf(): string[] {
  return globSync("protocol/**/*.ts", { cwd: ROOT })
    .sort()
    .flatMap((file) => {
      const text = readFileSync(join(ROOT, file), "utf8");
      return Array.from(text.matchAll(EXPORTED), ([, name = ""]) => name)
        .filter((name) => READING.test(name))
        .map((name) => `${file}:${name}`)
        .filter((name) => !NOT_OF_PEERS.has(name));
    });
}
