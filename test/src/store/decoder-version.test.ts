import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { COMPANIONS, type Companion } from "../../../protocol/cosem/companion/companion.ts";
import { namedZone } from "../../../protocol/cosem/time-zone.ts";
import { decodeProfileBuffer } from "../../../protocol/profile/decode.ts";
import { profileLayout } from "../../../protocol/profile/layout.ts";
import { clockBreaksOf } from "../../../src/collect/read/known-layout.ts";
import { mapProfile } from "../../../src/profiles/map-profile.ts";
import { layoutSourceFrom } from "../../../src/store/profiles/kept-layout.ts";
import { DEVIATION_RULES, PROFILE_KINDS } from "../../../src/store/profiles/profile-tables.ts";
import { DECODER_VERSION } from "../../../src/store/profiles/raw-buffers.ts";

/**
 * By version: SHA-256 over all that is made of profile-buffers.json beside it. When the last one is wrong, rows of the
 * same octets have become others: raise DECODER_VERSION, add its digest, and `db replay` finds what the former made.
 */
const DIGESTS: Readonly<Record<number, string>> = {
  1: "5722dd4a927a79368365666ebd6102f792c9c682bb9a2355172fad93457c8824",
};

const vectorForm = z.object({
  companion: z.enum(COMPANIONS),
  zone: z.string(),
  profile: z.enum(PROFILE_KINDS),
  receivedAt: z.coerce.date(),
  deviation: z.enum(DEVIATION_RULES),
  layout: z.unknown(),
  octets: z.string(),
});
const file = new URL("profile-buffers.json", import.meta.url);
const vectors = z.array(vectorForm).parse(JSON.parse(readFileSync(file, "utf8")));

function decoded(vector: z.infer<typeof vectorForm>, companion: Companion) {
  const { zone, profile, receivedAt, deviation, layout: source, octets } = vector;
  const clock = { deviation, zone: namedZone(zone) };
  const layout = profileLayout(layoutSourceFrom(source));
  const clockBreaks = clockBreaksOf(layout, companion);
  const buffer = decodeProfileBuffer(fromHex(octets), layout, { clock, ...(clockBreaks && { clockBreaks }) });
  const context = { meterKey: 1, profile, companion, source: "poll", readAt: receivedAt, clock } as const;
  const { batch, setAside } = mapProfile(buffer, context);
  const meterTimes = batch.instantsMs.map((_, row) => batch.meterTimes?.at(row));
  return { batch: { ...batch, meterTimes }, setAside };
}

test("decoder version: what is made of the same octets changes only with it", () => {
  const own = vectors.map((vector) => decoded(vector, vector.companion));
  expect(new Set(vectors.map(({ companion, profile }) => `${companion} ${profile}`)).size).toBeGreaterThanOrEqual(10);
  expect(own.every(({ batch }) => batch.rowCount > 0 && batch.columns.length > 0)).toBe(true);
  // By the tables of every companion.
  const results = vectors.map((vector) => COMPANIONS.map((companion) => decoded(vector, companion)));
  const text = JSON.stringify(results, (_, value: unknown) => {
    if (typeof value === "bigint") return `${value}`;
    if (value === undefined) return null;
    if (value instanceof BigInt64Array) return Array.from(value);
    return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;
  });
  expect(createHash("sha256").update(text).digest("hex")).toBe(DIGESTS[DECODER_VERSION]);
  expect(Math.max(...Object.keys(DIGESTS).map(Number))).toBe(DECODER_VERSION);
});
