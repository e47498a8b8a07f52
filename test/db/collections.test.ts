import { expect, test } from "vitest";
import { collectionSchema } from "../../src/config/collection-schema.ts";
import { collectionMeters, keepCollections, keepMeterAttributes } from "../../src/series/collections.ts";
import { checkPatterns } from "../../src/store/records/collection-patterns.ts";
import { makeMeters } from "./profile-batches.ts";
import { useTestDatabase } from "./test-database.ts";

let keys: readonly number[] = [];
const current = useTestDatabase(async (database) => {
  keys = await makeMeters(database, ["A1", "A2", "B1"]);
});

function config(value: Record<string, unknown>) {
  return collectionSchema.parse(value);
}

async function members(name: string): Promise<number[] | undefined> {
  const found = await collectionMeters(current().database, name);
  return found && [...found].map((key) => keys.indexOf(key)).toSorted((a, b) => a - b);
}

test("collections: those of the configuration are by list, by pattern, by attributes, and follow changes of it", async () => {
  const { database } = current();
  await keepMeterAttributes(database, [
    { number: "A1", attributes: { feeder: "7", district: "north" } },
    { number: "B1", attributes: { feeder: "7" } },
  ]);
  await keepCollections(database, [
    config({ name: "listed", meters: ["name-A1", "name-B1", "nobody"] }),
    config({ name: "numbers", pattern: "^A" }),
    config({ name: "feeder-7", attributes: { feeder: "7" } }),
    config({ name: "both", pattern: "^A", attributes: { feeder: "7" } }),
  ]);
  expect(await members("listed")).toEqual([0, 2]);
  expect(await members("numbers")).toEqual([0, 1]);
  expect(await members("feeder-7")).toEqual([0, 2]);
  expect(await members("both")).toEqual([0]);
  expect(await members("unknown")).toBeUndefined();
  await keepCollections(database, [config({ name: "listed", meters: ["name-A2"] })]);
  await keepMeterAttributes(database, [
    { number: "B1", attributes: { feeder: "8" } },
    { number: "A2", attributes: {} },
  ]);
  expect(await members("listed")).toEqual([1]);
  expect(await members("feeder-7")).toEqual([0]);
  await keepMeterAttributes(database, [{ number: "A1", attributes: { district: "north" } }]);
  expect(await members("feeder-7")).toEqual([]);
});

test("collections: one that says nothing, or no regular expression, is refused", () => {
  expect(() => config({ name: "empty" })).toThrow(/needs/);
  expect(() => config({ name: "bad", pattern: "(" })).toThrow(/regular expression/);
});

test("collections: a pattern that only other languages take is refused, with the collection's name", async () => {
  for (const pattern of ["(?<site>A)", "\\p{L}"]) {
    const named = { code: "COLLECTION_PATTERN_REFUSED", at: { collection: "odd", pattern } };
    await expect(checkPatterns(current().database, [config({ name: "odd", pattern })])).rejects.toMatchObject(named);
  }
});
