import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { UTC } from "../../../../protocol/cosem/time-zone.ts";
import { DlmsError } from "../../../../protocol/errors.ts";
import { SessionFailedError } from "../../../../src/collect/causes/session-failure.ts";
import { PollLoop, type PollLoopOptions } from "../../../../src/collect/lanes/poll-loop.ts";
import { SharedVisit, VisitOverError } from "../../../../src/collect/session/shared-visit.ts";

const DAY_MS = 86_400_000;
const READ = { lane: "on_demand", what: "clock" } as const;

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1, 0, 2) });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A visit is a word. */
function loopOver(
  poll: PollLoopOptions<string, string>["poll"],
  options: Partial<PollLoopOptions<string, string>> = {},
) {
  return new PollLoop<string, string>({
    meters: ["a"],
    nameOf: (meter) => meter,
    zoneOf: () => UTC,
    plansOf: () => [{ profile: "block_load", everyMs: DAY_MS, deadlineMs: DAY_MS }],
    concurrency: 2,
    startsPerSecond: 1000,
    poll,
    ...options,
  });
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

const notOwn = () => Promise.reject(new Error("it had a turn of its own"));

function linkLost(): SessionFailedError {
  const error = new DlmsError("LINK_ENDED", "peer", { by: "channel" });
  const circumstances = { channel: "", mechanism: "none", ciphered: false, noiseOctets: 0, receivedOctets: 0 } as const;
  return new SessionFailedError(
    { stage: "link", error, evidence: { type: "linkEnded", during: "link" } },
    circumstances,
  );
}

test("shared visit: what is asked meanwhile is done on it, and it stays open for that", async () => {
  const ends: string[] = [];
  const loop = loopOver(async (_meter, _profiles, _lane, visit) => {
    await pause(500);
    await visit.during("association", () => pause(1000));
    ends.push("visit");
    return { answered: true, more: [] };
  });
  loop.start();
  await vi.advanceTimersByTimeAsync(100);
  const ask = (name: string, ms: number) => {
    const onVisit = async (connection: string) => {
      await pause(ms);
      ends.push(`${name} on ${connection}`);
    };
    return loop.readNow("a", notOwn, { ...READ, onVisit });
  };
  const early = ask("early", 100);
  await vi.advanceTimersByTimeAsync(900);
  expect(ends).toEqual(["early on association"]);
  const late = ask("late", 2000);
  await vi.advanceTimersByTimeAsync(0);
  const told = Array.from(loop.openJobs(), ({ lane, stage }) => `${lane} ${stage}`);
  expect(told).toEqual(["scheduled running", "on_demand running"]);
  await vi.advanceTimersByTimeAsync(3000);
  await Promise.all([early, late]);
  expect(ends).toEqual(["early on association", "late on association", "visit"]);
  expect(loop.laneTimes().get("on_demand")?.jobs).toBe(2);
  await loop.stop();
});

test("shared visit: what comes while the visit waits for its place joins it, however full the pool is", async () => {
  const pool = { places: 1 };
  const loop = loopOver(
    async (_meter, _profiles, _lane, visit) => {
      await visit.during("association", () => pause(60_000));
      return { answered: true, more: [] };
    },
    { startsPerSecond: 1, boundsOf: () => [pool] },
  );
  const first = loop.readNow("b", notOwn).catch(() => "not held");
  loop.start();
  await vi.advanceTimersByTimeAsync(10);
  expect(Array.from(loop.openJobs(), ({ stage }) => stage)).toEqual(["place"]);
  const asked = loop.readNow("a", notOwn, { ...READ, onVisit: async (connection) => connection });
  await vi.advanceTimersByTimeAsync(3000);
  expect(await Promise.all([first, asked])).toEqual(["not held", "association"]);
  const stopped = loop.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  await stopped;
});

test("shared visit: where the visit fails, is not shared or loses its link, what is asked has a turn of its own", async () => {
  const polls: ((visit: SharedVisit<string>) => Promise<unknown>)[] = [
    () => pause(1000),
    (visit) => visit.during("association", () => pause(1000)),
  ];
  for (const poll of polls) {
    const loop = loopOver(async (_meter, _profiles, _lane, visit) => {
      await poll(visit);
      return { answered: true, more: [] };
    });
    loop.start();
    const asked = loop.readNow("a", () => Promise.resolve("own"), {
      ...READ,
      onVisit: () => Promise.reject(linkLost()),
    });
    await vi.advanceTimersByTimeAsync(2000);
    expect(await asked).toBe("own");
    await loop.stop();
  }
});

test("shared visit: what the meter refuses is told at once", async () => {
  const loop = loopOver(async (_meter, _profiles, _lane, visit) => {
    await visit.during("association", () => pause(1000));
    return { answered: true, more: [] };
  });
  loop.start();
  const asked = loop.readNow("a", notOwn, { ...READ, onVisit: () => Promise.reject(new Error("refused")) });
  await expect(asked).rejects.toThrow("refused");
  await vi.advanceTimersByTimeAsync(2000);
  await loop.stop();
});

test("shared visit: nothing joins one that is over", async () => {
  const visit = new SharedVisit<string>();
  await visit.during("association", () => Promise.resolve());
  await expect(visit.join(() => Promise.resolve())).rejects.toThrow(VisitOverError);
});
