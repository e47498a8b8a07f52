import { expect, test } from "vitest";
import { listenerFor } from "../../../src/jobs/listener-choice.ts";

const gateway = (id: string, changes: object = {}) => ({
  id,
  listens: true,
  networks: ["n"],
  ageMs: 0,
  silenceMs: 3000,
  ...changes,
});

test("listener: who works a meter answers for it where that listens, else the first that reaches it, else the first", () => {
  const far = gateway("a", { networks: ["far"] });
  const near = [gateway("b"), gateway("c")];
  const deaf = gateway("d", { listens: false });
  const all = [deaf, ...near.toReversed(), far];
  const chosen = ["c", "d", "e", undefined].map((holder) => listenerFor(all, { holder, network: "n" }));
  expect(chosen).toEqual(["c", "b", "b", "b"]);
  expect(listenerFor([deaf, far], { holder: "d", network: "n" })).toBe("a");
  expect(listenerFor([deaf], { holder: "d", network: "n" })).toBe(undefined);
});

test("listener: one that has fallen silent answers for nobody", () => {
  const silent = gateway("a", { ageMs: 3000 });
  expect(listenerFor([silent, gateway("b")], { holder: "a", network: "n" })).toBe("b");
});
