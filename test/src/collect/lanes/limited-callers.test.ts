/** What somebody whose token is for some meters learns of how meters are worked. */
import { expect, test } from "vitest";
import { Callers } from "../../../../src/api/callers.ts";
import { gatewayResources } from "../../../../src/api/resources/gateway-resources.ts";
import type { ApiToken } from "../../../../src/api/tokens.ts";
import { type JobParts, jobResources } from "../../../../src/collect/lanes/job-resources.ts";
import type { PolledMeter } from "../../../../src/collect/polled-meter.ts";
import { apiFor } from "../../api/api-for.ts";

const OWN = { meterKey: 7, target: { name: "feeder-7" } } as PolledMeter;
const OTHER = { meterKey: 8, target: { name: "feeder-8" } } as PolledMeter;
const COUNTS = { running: 2, waiting: 0, meters: 2, quarantined: 0 };
const GATEWAY = { name: "a", isMe: true, networks: [], version: "1", ageMs: 0, silenceMs: 1, awayMs: 0 };
const TIMES = { p50: 1, p99: 2 };

function token(collections: string[] | undefined): ApiToken {
  const [createdAt, expiresAt] = [new Date(0), new Date(1)];
  const named = { id: "1", name: "tester", role: "reader", createdBy: "test" } as const;
  return { ...named, collections, createdAt, expiresAt, revokedAt: undefined };
}

async function answers(...collections: string[]): Promise<unknown[]> {
  const limited = token(collections.length === 0 ? undefined : collections);
  const api = await apiFor(
    new Callers({ verify: async () => limited, collectionMeters: async () => new Set([OWN.meterKey]) }),
  );
  const loop: JobParts["loop"] = {
    *openJobs() {
      for (const meter of [OWN, OTHER])
        yield { meter, lane: "on_demand", what: "clock", stage: "running", askedMs: 0, sinceMs: 0 };
    },
    upcomingJobs: () => [],
    heldCount: COUNTS.meters,
    quarantinedCount: COUNTS.quarantined,
  };
  const keys = new Map([OWN, OTHER].map(({ target, meterKey }) => [target.name, meterKey]));
  jobResources(api, {
    loop,
    gateway: "a",
    questions: { ask: async () => [] },
    untaken: async () => [],
    meterOf: () => OWN,
    nameOf: (name) => name,
    isSeen: (name, { meterKeys }) => meterKeys?.has(keys.get(name) ?? 0) ?? true,
  });
  gatewayResources(api, {
    gateways: () => [{ ...GATEWAY, meters: 2, blocks: 1 }],
    dismiss: async (name) => name,
    loop: { laneTimes: () => new Map([["on_demand", { jobs: 2, waitMs: TIMES, runMs: TIMES }]]) },
  });
  const headers = { authorization: "Bearer dgw_x" };
  const asked = ["/v1/jobs", "/v1/gateways", "/v1/lanes"].map((url) => api.inject({ method: "GET", url, headers }));
  const told = (await Promise.all(asked)).map((answer): unknown => answer.json());
  await api.close();
  return told;
}

function job(meter: string): unknown {
  return expect.objectContaining({ meter, state: "running" });
}

test("work: a token for some meters is told their jobs, and no number of all meters and jobs", async () => {
  expect(await answers()).toMatchObject([
    { counts: COUNTS, items: [job("feeder-7"), job("feeder-8")] },
    { items: [{ ...GATEWAY, meters: 2, blocks: 1 }] },
    { on_demand: { jobs: 2, waitMs: TIMES } },
  ]);
  expect(await answers("ours")).toMatchObject([
    { counts: null, items: [job("feeder-7")] },
    { items: [{ ...GATEWAY, meters: null, blocks: null }] },
    { on_demand: { jobs: null, waitMs: TIMES } },
  ]);
});
