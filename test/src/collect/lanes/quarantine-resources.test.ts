import { expect, test } from "vitest";
import { Callers } from "../../../../src/api/callers.ts";
import type { ApiToken } from "../../../../src/api/tokens.ts";
import { type QuarantineParts, quarantineResources } from "../../../../src/collect/lanes/quarantine-resources.ts";
import type { PolledMeter } from "../../../../src/collect/polled-meter.ts";
import { apiFor } from "../../api/api-for.ts";

const TOKEN: ApiToken = {
  id: "1",
  name: "tester",
  role: "operator",
  collections: undefined,
  createdAt: new Date(0),
  createdBy: "test",
  expiresAt: new Date(1),
  revokedAt: undefined,
};
const METER = { meterKey: 7, target: { name: "feeder-7" } } as PolledMeter;

test("quarantine: who is set apart, since when, why and until when, and a meter is let out", async () => {
  const callers = new Callers({ verify: async () => TOKEN, collectionMeters: async () => undefined });
  const api = await apiFor(callers);
  const released: string[] = [];
  const loop: QuarantineParts["loop"] = {
    quarantined: () => [{ meter: METER, sinceMs: 0, nextTryMs: 86_400_000, cause: "wrong password" }],
  };
  quarantineResources(api, { loop, nameOf: (name) => name, release: async (name) => void released.push(name) });
  const headers = { authorization: "Bearer dgw_x" };
  const listed = await api.inject({ method: "GET", url: "/v1/quarantine", headers });
  expect(listed.json()).toEqual({
    items: [
      {
        meter: "feeder-7",
        since: "1970-01-01T00:00:00.000Z",
        cause: "wrong password",
        nextStep: expect.stringContaining("secret of this association") as unknown,
        nextTry: "1970-01-02T00:00:00.000Z",
      },
    ],
    next: null,
  });
  const answer = await api.inject({ method: "POST", url: "/v1/meters/feeder-7/release", headers });
  expect(answer.json()).toEqual({ meter: "feeder-7" });
  expect(released).toEqual(["feeder-7"]);
  await api.close();
});
