import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { FAILURE_CAUSES } from "../../../../src/collect/causes/failure-cause.ts";
import { troubleshootingPage } from "../../../../src/collect/causes/troubleshooting-page.ts";

test("troubleshooting: the page is what npm run docs makes, and has every cause with its next step", async () => {
  const page = await readFile(new URL("../../../../docs/troubleshooting.md", import.meta.url), "utf8");
  expect(page).toBe(troubleshootingPage());
  for (const [cause, { nextStep }] of Object.entries(FAILURE_CAUSES)) {
    expect(page).toMatch(new RegExp(`^\\| ${cause} \\|.*\\|$`, "m"));
    expect(page).toContain(nextStep);
  }
});
