/** Secrets that nobody but the test knows, and the search for them in whatever may be shown to somebody. */
import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { pino } from "pino";
import { toHex } from "../../../protocol/bytes/hex.ts";
import { type KeyRole, SecretKey } from "../../../protocol/security/secret-key.ts";

/** Octets in a row that are no accident. */
const SHORTEST_RUN = 6;

export class Canaries {
  readonly #spellings: string[] = [];

  octets(length: number): Uint8Array {
    const octets = new Uint8Array(randomBytes(length));
    this.watch(octets);
    return octets;
  }

  key<R extends KeyRole>(role: R, length = 16): SecretKey<R> {
    return new SecretKey(role, this.octets(length));
  }

  /** `shortest` is the part that counts; all of it for a secret like others, as a number is. */
  watch(octets: Uint8Array, shortest = SHORTEST_RUN): void {
    this.#spellings.push(...spellings(octets, shortest));
  }

  /** What of the secrets stands in a text; nothing, as it should be. */
  leaksIn(text: string): string[] {
    // Inspection aligns numbers in columns.
    const flat = text.replace(/,\s+/g, ",");
    return this.#spellings.filter((spelling) => text.includes(spelling) || flat.includes(spelling));
  }
}

/** The ways in which octets may stand in a text, or any `shortest` of them in a row. */
function spellings(octets: Uint8Array, shortest: number): string[] {
  const text: string[] = [];
  for (let start = 0; start + shortest <= octets.length; start++) {
    const run = octets.subarray(start, start + shortest);
    const hex = toHex(run);
    text.push(hex, hex.toUpperCase(), run.join(","), Buffer.from(run).toString("latin1"));
    text.push((hex.match(/../g) ?? []).join(" "));
  }
  for (const encoding of ["base64", "base64url"] as const)
    text.push(
      Buffer.from(octets)
        .toString(encoding)
        .slice(0, Math.floor((shortest * 4) / 3)),
    );
  return text;
}

/** Everything that a log, a console or an error report would make of a value. */
export function shown(value: unknown): string {
  const lines: string[] = [];
  const log = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
  log.info({ value, err: value }, "message");
  return [
    String(value),
    JSON.stringify(value),
    JSON.stringify({ nested: [value] }),
    inspect(value),
    inspect(value, { depth: 20, showHidden: true, getters: true, maxArrayLength: 10_000 }),
    value instanceof Error ? `${value.stack}${inspect(value.cause, { depth: 20, showHidden: true })}` : "",
    ...lines,
  ].join("\n");
}
