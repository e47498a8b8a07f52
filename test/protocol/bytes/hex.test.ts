import { queryObjects } from "node:v8";
import { expect, test } from "vitest";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";

test("hex: octets come back from their text", () => {
  const octets = Uint8Array.from({ length: 256 }, (_, octet) => octet);
  expect(toHex(octets)).toMatch(/^00010203.*fdfeff$/);
  expect(fromHex(toHex(octets))).toEqual(octets);
});

test("hex: a text that is kept takes about as much as its characters", () => {
  const octets = new Uint8Array(500);
  const before = living();
  const kept = Array.from({ length: 2000 }, (_, at) => {
    octets[0] = at;
    return toHex(octets);
  });
  expect(living() - before).toBeLessThan(8e6);
  expect(kept).toHaveLength(2000);
});

/** To count objects, V8 collects all garbage first. */
function living(): number {
  queryObjects(URL, { format: "count" });
  return process.memoryUsage().heapUsed;
}
