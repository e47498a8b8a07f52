/** What makers compute in the place of HLS 2, put together from parts: a formula is a line of configuration. */
import { createHash } from "node:crypto";
import { DlmsError } from "../errors.ts";
import type { HlsFormula } from "./hls.ts";

export const FORMULA_DIGESTS = ["md5", "sha1", "sha256", "sha384"] as const;
export const FORMULA_PARTS = ["challenge", "secret"] as const;

/** A digest over challenge and secret, each as often and in the order that it is named. */
export interface DigestFormula {
  readonly digest: (typeof FORMULA_DIGESTS)[number];
  readonly over: readonly (typeof FORMULA_PARTS)[number][];
  /** Octets of the digest that are used; all of them when absent. */
  readonly length?: number;
}

/** Throws DATA_OUT_OF_RANGE, the caller at fault, for a formula without the challenge: its answer could be sent again. */
export function digestFormula({ digest, over, length }: DigestFormula): HlsFormula {
  if (!over.includes("challenge") || !over.includes("secret")) {
    throw new DlmsError("DATA_OUT_OF_RANGE", "caller", { parts: over.join(" ") });
  }
  return (challenge, secret) => {
    const parts = { challenge, secret: secret.reveal() };
    const hash = createHash(digest);
    for (const part of over) hash.update(parts[part]);
    return new Uint8Array(hash.digest()).subarray(0, length);
  };
}
