import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const VECTORS = join(import.meta.dirname, "..", "..", "vectors");
/** Octets of real meters, which may be read in place but not be part of this repository. */
const FIELD = join(import.meta.dirname, "..", "..", "..", "..", "shared", "corpus", "field");

interface Case {
  readonly id: string;
  readonly layer: string;
  readonly input: { readonly hex?: string };
  readonly expect: { readonly outcome: string };
}

export interface ApduOctets {
  readonly id: string;
  readonly hex: string;
  readonly outcome: string;
}

function load(directory: string, names: readonly string[]): ApduOctets[] {
  return names
    .flatMap((name) => JSON.parse(readFileSync(join(directory, name), "utf8")) as Case[])
    .flatMap(({ id, layer, input, expect }) =>
      layer === "apdu" && input.hex !== undefined ? [{ id, hex: input.hex, outcome: expect.outcome }] : [],
    );
}

export const OWN_APDUS = load(VECTORS, ["apdu.json", "negative.json", "security.json"]);
/** Undefined where the field cases are not at hand. */
export const FIELD_APDUS = existsSync(FIELD)
  ? load(FIELD, ["apdu.json", "negative.json", "push.json", "profiles.json"])
  : undefined;
