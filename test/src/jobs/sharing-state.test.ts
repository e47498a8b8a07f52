import { expect, test } from "vitest";
import { BLOCKS } from "../../../src/jobs/block.ts";
import { leaseEndMs } from "../../../src/jobs/lease-rule.ts";
import type { Renewal } from "../../../src/jobs/share-session.ts";
import { SharingState } from "../../../src/jobs/sharing-state.ts";

const SILENCE_MS = 3000;
const AWAY_MS = 60_000;
const SETTLE_MS = 6000;

interface Told {
  readonly id: string;
  readonly beat: number;
  readonly ageMs?: number;
  readonly fleet?: Readonly<Record<string, string>>;
}

let change = 0;
function renewal(gateways: readonly Told[], holders: readonly (string | null)[] = []): Renewal {
  return {
    known: true,
    gateways: gateways.map(({ id, beat, ageMs = 0, fleet = {} }) => ({
      id,
      name: id,
      beat,
      incarnation: 1,
      networks: ["n"],
      meters: 0,
      version: "test",
      silenceMs: SILENCE_MS,
      awayMs: AWAY_MS,
      fleet,
      listens: false,
      ageMs,
    })),
    blocks: holders.map((holder, block) => ["n", block, holder, 1, ++change]),
  };
}

function stateOfB(holders: readonly (string | null)[]): SharingState {
  const state = new SharingState(() => "b", SETTLE_MS);
  state.learn(
    renewal(
      [
        { id: "a", beat: 1 },
        { id: "b", beat: 1 },
      ],
      holders,
    ),
    0,
  );
  return state;
}

const ALL_OF_A = Array.from({ length: BLOCKS }, () => "a");

test("sharing: one that was seen alive and falls silent is relieved after its silence, not before", () => {
  const state = stateOfB(ALL_OF_A);
  state.learn(
    renewal([
      { id: "a", beat: 2 },
      { id: "b", beat: 2 },
    ]),
    500,
  );
  expect(state.exchange("n", 500 + SILENCE_MS - 1).take).toEqual([]);
  const { take } = state.exchange("n", 500 + SILENCE_MS);
  expect(take).toHaveLength(BLOCKS);
  expect(take[0]).toEqual({ network: "n", block: 0, epoch: 1, beat: 2 });
});

test("sharing: one that was never seen alive is given up only after the time for which it may go on alone", () => {
  const state = stateOfB(ALL_OF_A);
  expect(state.exchange("n", 10 * SILENCE_MS).take).toEqual([]);
  state.learn(
    renewal([
      { id: "a", beat: 1, ageMs: AWAY_MS + 1 },
      { id: "b", beat: 2 },
    ]),
    1000,
  );
  expect(state.exchange("n", 1000).take).toHaveLength(BLOCKS);
});

test("sharing: after our own way to the database was broken, silence says nothing until a beat is seen again", () => {
  const state = stateOfB(ALL_OF_A);
  state.learn(
    renewal([
      { id: "a", beat: 2 },
      { id: "b", beat: 2 },
    ]),
    500,
  );
  state.distrustSightings();
  expect(state.exchange("n", 10 * SILENCE_MS).take).toEqual([]);
});

test("sharing: one that left, or was dismissed, is relieved at once", () => {
  const state = stateOfB(ALL_OF_A);
  state.learn(renewal([{ id: "b", beat: 2 }]), 500);
  expect(state.exchange("n", 500).take).toHaveLength(BLOCKS);
  expect(state.isAlone(500)).toBe(true);
});

test("lease rule: work ends before others begin, and goes on longer where nobody can have seen us fall silent", () => {
  const state = { renewedMs: 1000, alone: false, serverAway: false, silenceMs: SILENCE_MS, awayMs: AWAY_MS };
  expect(leaseEndMs(state)).toBeLessThan(1000 + SILENCE_MS);
  expect(leaseEndMs(state)).toBeGreaterThan(1000 + SILENCE_MS / 2);
  for (const longer of [{ alone: true }, { serverAway: true }]) {
    expect(leaseEndMs({ ...state, ...longer })).toBeLessThan(1000 + AWAY_MS);
    expect(leaseEndMs({ ...state, ...longer })).toBeGreaterThan(1000 + SILENCE_MS);
  }
});

test("sharing: that gateways know other meters counts when it lasts, not while they hear of a new one", () => {
  const state = stateOfB(ALL_OF_A);
  const one = { n: "1:aa" };
  const two = { n: "2:bb" };
  const look = (nowMs: number, fleets: readonly [Told["fleet"] & object, Told["fleet"] & object]) =>
    state.learn(
      renewal([
        { id: "a", beat: nowMs, fleet: fleets[0] },
        { id: "b", beat: nowMs, fleet: fleets[1] },
      ]),
      nowMs,
    );
  look(100, [one, one]);
  look(200, [two, one]);
  expect(state.knowingOthers(200)).toEqual([]);
  look(300, [two, two]);
  expect(state.knowingOthers(300 + SETTLE_MS)).toEqual([]);
  look(20_000, [two, one]);
  look(20_000 + SETTLE_MS, [two, one]);
  expect(state.knowingOthers(20_000 + SETTLE_MS)).toEqual(["a"]);
});
