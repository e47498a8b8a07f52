import { expect, test } from "vitest";
import { startStreet } from "../../src/simulator/street.ts";
import { visit } from "./visitor.ts";

test("street: opens and closes without leaving anything behind", async () => {
  const before = openResources();
  for (let round = 0; round < 3; round++) {
    await using street = await startStreet({ count: 24 });
    const visitors = await Promise.all(street.meters.slice(0, 12).map((meter) => visit(meter)));
    expect(street.connectionCount).toBe(12);
    await Promise.all(visitors.slice(0, 6).map((visitor) => visitor.leave()));
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(openResources()).toEqual(before);
});

function openResources(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => name.startsWith("TCP"))
    .sort();
}
