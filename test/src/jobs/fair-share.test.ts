import fc from "fast-check";
import { expect, test } from "vitest";
import { BLOCKS, blockOf } from "../../../src/jobs/block.ts";
import { fairShare, type HeldBlock } from "../../../src/jobs/fair-share.ts";

function blocksOf(holders: readonly (string | undefined)[]): HeldBlock[] {
  return holders.map((holder, block) => ({ block, holder }));
}

test("fair share: a gateway that is alone takes everything that is free, and gives nothing", () => {
  const holders = blocksOf(Array.from({ length: BLOCKS }, () => undefined));
  const { give, take } = fairShare({ me: "a", living: ["a"], holders });
  expect(take).toHaveLength(BLOCKS);
  expect(give).toEqual([]);
});

test("fair share: half is given when a second one comes, and no more when it has it", () => {
  const all = Array.from({ length: BLOCKS }, () => "a");
  const { give } = fairShare({ me: "a", living: ["a", "b"], holders: blocksOf(all) });
  expect(give).toHaveLength(BLOCKS / 2);
  const shared = all.map((holder, block) => (block < BLOCKS / 2 ? holder : "b"));
  expect(fairShare({ me: "a", living: ["a", "b"], holders: blocksOf(shared) })).toEqual({ give: [], take: [] });
});

test("fair share: of what others lack, only that is given which is not free already", () => {
  const holders = Array.from({ length: 12 }, (_, block) => (block < 8 ? "a" : undefined));
  expect(fairShare({ me: "a", living: ["a", "b"], holders: blocksOf(holders) }).give).toHaveLength(2);
});

test("fair share: what nobody comes for is taken by whoever is there", () => {
  const holders = [
    { block: 0, holder: "a" },
    { block: 1, holder: undefined, isLeftOver: true },
  ];
  expect(fairShare({ me: "a", living: ["a", "b"], holders }).take).toEqual([1]);
});

test("fair share: from any beginning, gateways that take turns end with equal parts and then rest", () => {
  const gateways = ["a", "b", "c", "d", "e"];
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.option(fc.constantFrom(...gateways), { nil: undefined }), { minLength: 1, maxLength: 64 }),
      (count, start) => {
        const living = gateways.slice(0, count);
        // The dead hold nothing.
        const holders = start.map((holder) => (living.includes(holder ?? "") ? holder : undefined));
        for (let round = 0; round < 4; round++) {
          for (const me of living) {
            const { give, take } = fairShare({ me, living, holders: blocksOf(holders) });
            for (const block of give) holders[block] = undefined;
            for (const block of take) holders[block] = me;
          }
        }
        const counts = living.map((each) => holders.filter((holder) => holder === each).length);
        expect(counts.reduce((sum, each) => sum + each, 0)).toBe(holders.length);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        for (const me of living) {
          expect(fairShare({ me, living, holders: blocksOf(holders) })).toEqual({ give: [], take: [] });
        }
      },
    ),
  );
});

test("blocks: names that are numbered spread over all of them", () => {
  const counts = new Map<number, number>();
  for (let i = 0; i < 100 * BLOCKS; i++) {
    const block = blockOf(`10.0.${i >> 8}.${i & 0xff}:4059`);
    counts.set(block, (counts.get(block) ?? 0) + 1);
  }
  expect([...counts.keys()].every((block) => block >= 0 && block < BLOCKS)).toBe(true);
  expect(counts.size).toBe(BLOCKS);
  expect(Math.max(...counts.values())).toBeLessThan(200);
});

test("fair share: a block of which gateways know different meters goes to the one that knows most", () => {
  const living = ["a", "b"];
  const knowing = new Map([
    [0, "a"],
    [1, "b"],
  ]);
  const [ofB, free] = [blocksOf(["b", "b"]), blocksOf([undefined, undefined])];
  expect(fairShare({ me: "b", living, holders: ofB, knowing })).toEqual({ give: [0], take: [] });
  expect(fairShare({ me: "a", living, holders: free, knowing })).toEqual({ give: [], take: [0] });
  expect(fairShare({ me: "a", living, holders: ofB, knowing })).toEqual({ give: [], take: [] });
});
