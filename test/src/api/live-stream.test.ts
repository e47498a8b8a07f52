import { once } from "node:events";
import { expect, test } from "vitest";
import { LiveStream } from "../../../src/api/live-stream.ts";

test("live stream: whose token is no longer good is sent away, who may stay is not", async () => {
  const live = new LiveStream(5);
  let isGood = true;
  const leaver = live.listen({ mayHear: () => true, mayStay: async () => isGood });
  const stayer = live.listen({ mayHear: () => true, mayStay: async () => true });
  stayer.resume();
  const ended = once(leaver.resume(), "end");
  isGood = false;
  await ended;
  expect(stayer.readableEnded).toBe(false);
  live.close();
});

test("live stream: a database that is away sends nobody away", async () => {
  const live = new LiveStream(5);
  let looks = 0;
  const out = live.listen({
    mayHear: () => true,
    mayStay: async () => {
      looks++;
      throw new Error("away");
    },
  });
  out.resume();
  await expect.poll(() => looks).toBeGreaterThan(2);
  expect(out.readableEnded).toBe(false);
  live.close();
});
