import * as fc from "fast-check";
import { expect, test } from "vitest";
import { STREAMS } from "./machines.ts";
import { cutAt, cutPoints, hostileOctets } from "./octets.ts";
import { DECODERS, runDecoder, runStream } from "./targets.ts";
import { vectorsOf } from "./vectors.ts";

/** A short turn in the unit tests; `npm run fuzz` takes as long as it is given. fast-check prints the seed on failure. */
const SHORT = { numRuns: 100, interruptAfterTimeLimit: 1_000, markInterruptAsFailure: false };

test.for(DECODERS)("fuzz $name: any octets give a value or a DlmsError of the peer", (target) => {
  const vectors = vectorsOf(target.layers);
  expect(vectors.length).toBeGreaterThan(0);
  fc.assert(
    fc.property(hostileOctets(vectors), (octets) => void runDecoder(target, octets)),
    SHORT,
  );
});

test.for(DECODERS)("fuzz $name: every truncation of every vector gives a value or a DlmsError", (target) => {
  const unnamed: string[] = [];
  for (const vector of vectorsOf(target.layers)) {
    const whole = runDecoder(target, vector);
    // A long vector is cut at places all over; `npm run fuzz` cuts it anywhere.
    const places = target.truncation === "sampled" ? 8 : 64;
    const step = Math.max(1, Math.floor(vector.length / places));
    for (let length = 0; length < vector.length; length += step) {
      const error = runDecoder(target, vector.subarray(0, length));
      if (target.truncation === "named" && whole === undefined && error?.code !== "DATA_TRUNCATED") {
        unnamed.push(`${length}: ${error?.code}`);
      }
    }
  }
  expect(unnamed).toEqual([]);
});

test.for(STREAMS)("fuzz $name: whole, cut and octet by octet give the same", (target) => {
  const vectors = vectorsOf(target.layers);
  expect(vectors.length).toBeGreaterThan(0);
  for (const vector of vectors) runStream(target, vector, [vector]);
  fc.assert(
    fc.property(hostileOctets(vectors), cutPoints, (octets, points) => {
      runStream(target, octets, cutAt(octets, points));
    }),
    SHORT,
  );
});
