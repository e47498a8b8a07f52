import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decodeHdlcFrame } from "../../protocol/link/hdlc/frame.ts";
import { TARGETS } from "./catalogue.ts";
import { decodersOf } from "./decoders.ts";
import { DIALOGUES } from "./dialogues.ts";
import { exploration } from "./exploration.ts";
import { STREAMS } from "./machines.ts";
import { Mutator } from "./mutation.ts";
import { cutAt, cutPoints, hostileOctets } from "./octets.ts";
import { Random } from "./random.ts";
import { repairHdlc } from "./repair.ts";
import { UnderWay } from "./stall.ts";
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

test.for(DIALOGUES)("fuzz $name: whatever a recorded peer says instead, the session goes on or ends", (target) => {
  const seeds = target.seeds();
  expect(target.repair === undefined).toBe(seeds.length === 0);
  for (const octets of seeds) target.run(octets);
  const mutator = new Mutator(new Random(20_261_121));
  const vectors = seeds.length > 0 ? seeds : vectorsOf(["apdu"]);
  for (let count = 0; count < 60; count++) {
    const octets = mutator.mutate(vectors);
    target.run(count % 2 === 0 ? octets : (target.repair?.(octets) ?? octets));
  }
});

test("fuzz: every decoder of protocol/ is entered by the vectors of some target", async () => {
  const targets = [...TARGETS.keys()];
  const order = { seed: 1, secondsEach: 0, targets, memory: new UnderWay().memory };
  const { functions } = await exploration(order, ({ target, finding }) =>
    expect([TARGETS[target]?.name, finding]).toEqual([TARGETS[target]?.name, undefined]),
  );
  expect(decodersOf().filter((name) => !functions.has(name))).toEqual([]);
}, 60_000);

test("fuzz: one seed draws the same inputs again", () => {
  const vectors = vectorsOf(["apdu"]);
  const [one, other] = [7, 7].map((seed) => new Mutator(new Random(seed)));
  for (let count = 0; count < 500; count++) expect(other?.mutate(vectors)).toEqual(one?.mutate(vectors));
});

test("fuzz: a repaired frame passes its checks, whatever octet was changed", () => {
  for (const vector of vectorsOf(["hdlc"]).filter((each) => decodes(each))) {
    for (let at = 7; at < vector.length - 3; at++) {
      const changed = vector.with(at, (vector[at] ?? 0) ^ 0x20);
      expect(decodes(changed)).toBe(false);
      expect(decodes(repairHdlc(changed))).toBe(true);
    }
  }
});

function decodes(octets: Uint8Array): boolean {
  try {
    return decodeHdlcFrame(octets)?.closingFlag === octets.length - 1;
  } catch {
    return false;
  }
}
