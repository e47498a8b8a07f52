import { expect, test } from "vitest";
import { Callers } from "../../../src/api/callers.ts";
import { type PushParts, pushResources } from "../../../src/api/resources/push-resources.ts";
import type { ApiToken } from "../../../src/api/tokens.ts";
import { meterSchema } from "../../../src/config/schema.ts";
import type { Adoption } from "../../../src/push/receive/push-reception.ts";
import { apiFor } from "./api-for.ts";

const TOKEN: ApiToken = {
  id: "1",
  name: "tester",
  role: "engineer",
  collections: undefined,
  createdAt: new Date(0),
  createdBy: "test",
  expiresAt: new Date(1),
  revokedAt: undefined,
};
/** As a meter is named that lost its name to another. */
const RELEASED = "feeder-7~SMT10007";

/** Answers to adoptions, each as status, and what was said to be wrong. */
async function adopting(...bodies: Partial<Adoption>[]): Promise<[number, unknown][]> {
  const api = await apiFor(new Callers({ verify: async () => TOKEN, collectionMeters: async () => undefined }));
  const reception: PushParts["reception"] = {
    unknownSenders: async () => [],
    senderConflicts: async () => [],
    replay: async () => ({ held: 0, replayed: 0, stored: 0 }),
    knows: (name) => name === RELEASED,
    adopt: async ({ name, number = "1" }) => ({
      meter: { id: "1", key: 1, number, name, type: "", companion: "none", timeZone: "UTC", systemTitle: undefined },
      keyWanted: false,
      held: 1,
      replayed: 1,
      stored: 1,
    }),
  };
  pushResources(api, { database: { query: async () => [] }, reception });
  const headers = { authorization: "Bearer dgw_x" };
  const answers: [number, unknown][] = [];
  for (const body of bodies) {
    const payload = { sender: "ABC1", name: "attic", ...body };
    const answer = await api.inject({ method: "POST", url: "/v1/pushes/adopt", headers, payload });
    answers.push([answer.statusCode, answer.json<{ detail?: string }>().detail]);
  }
  await api.close();
  return answers;
}

function refusalOf(field: "name" | "timeZone", value: string): string {
  const meter = { name: "attic", number: "1", connection: { tcp: "192.0.2.1:4059" }, [field]: value };
  return meterSchema.safeParse(meter).error?.issues[0]?.message ?? "";
}

test("adoption: what the configuration refuses of a meter is refused with the same words", async () => {
  const names = ["../attic", "the attic", "-x", "a".repeat(64)];
  const answers = await adopting(...names.map((name) => ({ name })), { timeZone: "Europe/Nowhere" });
  const words = [...names.map((name) => refusalOf("name", name)), refusalOf("timeZone", "Europe/Nowhere")];
  expect(words).not.toContain("");
  expect(answers).toEqual(words.map((each) => [400, expect.stringContaining(each)]));
});

test("adoption: a name of a new meter, and that of one that is known, whatever it is", async () => {
  const taken: [number, unknown] = [200, undefined];
  expect(await adopting({ name: "attic" }, { name: RELEASED })).toEqual([taken, taken]);
});
