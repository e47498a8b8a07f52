import { once } from "node:events";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { endWithRight } from "../../../src/api/standing-stream.ts";

test("standing stream: it ends when its caller may no longer hear it", async () => {
  let isGood = true;
  const leaver = endWithRight(new PassThrough(), async () => isGood, 5).resume();
  const stayer = endWithRight(new PassThrough(), async () => true, 5).resume();
  const ended = once(leaver, "end");
  isGood = false;
  await ended;
  expect(stayer.readableEnded).toBe(false);
  stayer.destroy();
});

test("standing stream: a database that is away ends none", async () => {
  let looks = 0;
  const away = async () => {
    looks++;
    throw new Error("away");
  };
  const out = endWithRight(new PassThrough(), away, 5).resume();
  await expect.poll(() => looks).toBeGreaterThan(2);
  expect(out.readableEnded).toBe(false);
  out.destroy();
});
