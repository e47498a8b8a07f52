import fastify from "fastify";
import { expect, test } from "vitest";
import { ApiError } from "../../../src/api/api-error.ts";
import { sendLines } from "../../../src/api/lines.ts";

async function answered(error: Error): Promise<{ lines: string[]; faults: unknown[] }> {
  const faults: unknown[] = [];
  const api = fastify();
  api.decorate("onFault", (fault) => void faults.push(fault));
  async function* lines() {
    yield { done: 1 };
    throw error;
  }
  api.get("/lines", (_, reply) => sendLines(reply, lines()));
  const { body } = await api.inject("/lines");
  return { lines: body.trimEnd().split("\n"), faults };
}

test("lines: what fails half-way is told in our words and is in the log; what the caller did is said", async () => {
  const error = new Error("relation dlms.secret does not exist");
  const ours = await answered(error);
  expect(ours.faults).toEqual([error]);
  expect(ours.lines).toEqual(['{"done":1}', expect.stringContaining("the log of the gateway says why")]);
  const theirs = await answered(new ApiError("not-found", "there is no meter x"));
  expect(theirs).toEqual({ faults: [], lines: ['{"done":1}', '{"problem":"there is no meter x"}'] });
});
