import * as fc from "fast-check";
import { expect, test } from "vitest";
import { BlockCutter, BlockJoiner } from "../../../protocol/association/block-transfer.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { LIMITS } from "../../../protocol/limits.ts";

test("blocks: what is cut into blocks of any lengths is joined to the same", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.infiniteStream(fc.integer({ min: -3, max: 40 })),
      (octets, lengths) => {
        const cutter = new BlockCutter(octets);
        const joiner = new BlockJoiner();
        let step = "next";
        while (!cutter.done) {
          expect(step).toBe("next");
          step = joiner.add(cutter.next(lengths.next().value ?? 1));
        }
        expect(step).toBe("last");
        expect(joiner.count).toBe(cutter.lastNumber);
        expect(joiner.finish()).toEqual(octets);
      },
    ),
  );
});

/** Joins blocks without end until that is refused. */
function overLimit(rawData: Uint8Array) {
  const joiner = new BlockJoiner();
  try {
    for (let blockNumber = 1; ; blockNumber++) joiner.add({ lastBlock: false, blockNumber, rawData });
  } catch (error) {
    return { error, blocks: joiner.count, length: joiner.length };
  }
}

function block(blockNumber: number) {
  return { lastBlock: false, blockNumber, rawData: Uint8Array.of(blockNumber) };
}

test("blocks: blocks without end and values without end are refused at their limits", () => {
  const empty = overLimit(new Uint8Array(0));
  expect(empty.error).toBeInstanceOf(DlmsError);
  expect(empty).toMatchObject({ error: { code: "LENGTH_OVER_LIMIT", fault: "peer" }, blocks: LIMITS.blockCount });
  const long = overLimit(new Uint8Array(60_000));
  expect(long).toMatchObject({ error: { code: "LENGTH_OVER_LIMIT", fault: "peer" } });
  expect(long.length).toBeLessThanOrEqual(LIMITS.apduLength);
  expect(long.length).toBeGreaterThan(LIMITS.apduLength - 60_000);
});

test("blocks: a number that does not follow is refused, the latest one again is a duplicate", () => {
  for (const first of [0, 1]) {
    const joiner = new BlockJoiner();
    expect(joiner.add(block(first))).toBe("next");
    expect(joiner.add(block(first))).toBe("duplicate");
    expect(() => joiner.add(block(first + 2))).toThrow("BLOCK_NUMBER_INVALID");
    expect(joiner.add(block(first + 1))).toBe("next");
    expect(joiner.length).toBe(2);
  }
  expect(() => new BlockJoiner().add(block(2))).toThrow("BLOCK_NUMBER_INVALID");
});

test("blocks: a server takes those that follow one another from 1 on", () => {
  const joiner = new BlockJoiner();
  for (const [blockNumber, taken] of [
    [0, false],
    [2, false],
    [1, true],
    [1, false],
    [3, false],
    [2, true],
  ] as const) {
    expect(joiner.addNext(block(blockNumber))).toBe(taken);
  }
  expect(joiner.finish()).toEqual(Uint8Array.of(1, 2));
});
