import { expect, test } from "vitest";
import { LineGate } from "../../../src/collect/line-gate.ts";

test("line gate: whoever hears that a job has ended finds the gate idle", async () => {
  const gate = new LineGate<string>();
  const idle = await gate.pass("scheduled", "meter", async () => "done").finally(() => expect(gate.idle).toBe(true));
  expect(idle).toBe("done");
  await expect(gate.pass("scheduled", "meter", () => Promise.reject(new Error("failed")))).rejects.toThrow("failed");
  expect(gate.idle).toBe(true);
});
