import { expect, test } from "vitest";
import { guessCompanion } from "../../../../src/collect/probe/companion-guess.ts";

const COMMON = ["0.0.1.0.0.255", "0.0.42.0.0.255", "1.0.1.8.0.255", "0.0.97.98.0.255", "0.0.96.3.10.255"];

test.each([
  ["is15959", [...COMMON, "1.0.94.91.0.255"]],
  ["spodes", [...COMMON, "1.0.94.7.0.255", "1.0.98.2.0.255"]],
  ["dsmr", [...COMMON, "0.1.94.31.3.255"]],
  ["idis", [...COMMON, "0.0.97.98.20.255", "0.0.99.98.2.255"]],
  ["none", COMMON],
  ["none", []],
] as const)("companion guess: %s", (companion, names) => {
  expect(guessCompanion(names)).toBe(companion);
});

test("companion guess: the device's own name helps, but says too little alone", () => {
  expect(guessCompanion(COMMON, "ELV0000160000001")).toBe("none");
  expect(guessCompanion([...COMMON, "0.0.99.98.2.255"], "ELV0000160000001")).toBe("idis");
});
