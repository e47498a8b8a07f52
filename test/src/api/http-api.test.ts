import { expect, test } from "vitest";
import { Callers } from "../../../src/api/callers.ts";
import { httpApi } from "../../../src/api/http-api.ts";
import { LocalSocket } from "../../../src/api/local-socket.ts";
import { sessionResources } from "../../../src/api/resources/token-resources.ts";
import type { ApiToken } from "../../../src/api/tokens.ts";

const LIMIT = 3;
const OPTIONS = {
  version: "test",
  local: new LocalSocket(),
  log: async () => undefined,
  requestsPerMinute: LIMIT,
  tls: undefined,
  behindProxy: false,
  onFault: () => undefined,
};
const TOKEN: ApiToken = {
  id: "1",
  name: "tester",
  role: "reader",
  collections: undefined,
  createdAt: new Date(0),
  createdBy: "test",
  expiresAt: new Date(1),
  revokedAt: undefined,
};

test("http api: guesses at tokens are refused before each costs a look into the database", async () => {
  let looks = 0;
  const callers = new Callers({
    verify: async () => {
      looks++;
      return undefined;
    },
    collectionMeters: async () => undefined,
  });
  const api = await httpApi({ ...OPTIONS, callers });
  api.get("/thing", { config: { needs: "reader" } }, async () => ({}));
  const statuses: number[] = [];
  for (let guess = 0; guess < 2 * LIMIT; guess++) {
    const headers = { authorization: `Bearer dgw_0000000000_${guess}` };
    statuses.push((await api.inject({ method: "GET", url: "/thing", headers })).statusCode);
  }
  expect(statuses.slice(0, LIMIT)).toEqual([401, 401, 401]);
  expect(statuses.slice(LIMIT)).toEqual([429, 429, 429]);
  expect(looks).toBe(LIMIT);
  await api.close();
});

test("http api: behind a proxy, the cookie is for HTTPS alone, and callers are told apart by what the proxy says", async () => {
  const callers = new Callers({ verify: async () => TOKEN, collectionMeters: async () => undefined });
  const api = await httpApi({ ...OPTIONS, callers, behindProxy: true });
  sessionResources(api, callers);
  const signIn = (from: string) =>
    api.inject({
      method: "POST",
      url: "/v1/session",
      payload: { token: "dgw_x" },
      headers: { "x-forwarded-for": from, "x-forwarded-proto": "https" },
    });
  expect((await signIn("192.0.2.1")).headers["set-cookie"]).toMatch(/; Secure$/);
  for (let more = 1; more < LIMIT; more++) await signIn("192.0.2.1");
  expect((await signIn("192.0.2.1")).statusCode).toBe(429);
  expect((await signIn("192.0.2.2")).statusCode).toBe(200);
  await api.close();
});
