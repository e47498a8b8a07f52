/**
 * Writes profile-buffers.json: octets of profile buffers as simulated meters of each kind sent them, over the hours in
 * which clocks are set back. Simulated meters may change; what is in the file need not, so it is written anew only to add kinds.
 *
 *   npx node test/src/store/write-profile-buffers.ts
 */
import { writeFile } from "node:fs/promises";
import { toHex } from "../../../protocol/bytes/hex.ts";
import { PROFILE_KINDS } from "../../../src/store/profiles/profile-tables.ts";
import { unpackBuffer } from "../../../src/store/profiles/raw-buffers.ts";
import { polledStreet } from "../../e2e/polled-street.ts";

/** Houses of the street: of each kind one, and one whose clock has its deviation the wrong way round. */
const HOUSES = [0, 1, 2, 3, 4, 9];
const HISTORY_MS = 5 * 3_600_000;

await using polled = await polledStreet(
  { count: Math.max(...HOUSES) + 1, startMs: Date.UTC(2026, 9, 25, 3, 5) },
  { ruleOf: () => ({ historyMs: HISTORY_MS, order: "oldest-first" }) },
);
const vectors: unknown[] = [];
for (const [house, meter] of polled.meters.entries()) {
  if (!HOUSES.includes(house)) continue;
  const before = polled.store.batches.length;
  await polled.collector.poll(meter, [...PROFILE_KINDS]);
  for (const { profile, buffers = [] } of polled.store.batches.slice(before)) {
    const [buffer] = buffers;
    if (buffer === undefined) continue;
    const { receivedAt, layout, deviation } = buffer;
    const source = { companion: meter.target.companion, zone: meter.target.zone.name, profile };
    vectors.push({ ...source, receivedAt, deviation, layout: JSON.parse(layout), octets: toHex(unpackBuffer(buffer)) });
  }
}
const lines = vectors.map((vector) => JSON.stringify(vector));
await writeFile(new URL("profile-buffers.json", import.meta.url), `[\n${lines.join(",\n")}\n]\n`);
console.log(`${vectors.length} buffers`);
