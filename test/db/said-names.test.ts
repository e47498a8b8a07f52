import { expect, test } from "vitest";
import { meterSchema } from "../../src/config/schema.ts";
import { Fleet } from "../../src/fleet/fleet.ts";
import { SaidNames } from "../../src/fleet/said-names.ts";
import { query } from "./query.ts";
import { useTestDatabase } from "./test-database.ts";

const current = useTestDatabase();
const MOST_KEPT = 10_000;

function meter(number: string) {
  return meterSchema.parse({ name: `meter-${number}`, number, connection: { tcp: "192.0.2.1:4059" } });
}

async function kept(letters: string): Promise<unknown[][]> {
  const sql = `select n.name, m.meter_number from dlms.meter_names n join public.meters m on m.id = n.meter_id
    where n.name like $1 order by 1`;
  return query(current().url, sql, [`${letters}%`]);
}

test("said names: of several meters are kept together, a name that two say is the last one's", async () => {
  const fleet = new Fleet(current().database);
  const [first, second] = await fleet.put([meter("S1"), meter("S2")]);
  if (first === undefined || second === undefined) throw new Error("no meters");
  await fleet.learnNames([
    { meter: first, name: "AAA1" },
    { meter: second, name: "AAA2" },
    { meter: first, name: "AAA3" },
    { meter: second, name: "AAA3" },
    { meter: first, name: "S1" },
  ]);
  expect(fleet.byOwnName("AAA3")).toBe(second);
  expect(await kept("AAA")).toEqual([
    ["AAA1", "S1"],
    ["AAA2", "S2"],
    ["AAA3", "S2"],
  ]);
  expect(await kept("S")).toEqual([]);
});

test("said names: one of a meter that was deleted keeps no other out", async () => {
  const fleet = new Fleet(current().database);
  const [deleted, other] = await fleet.put([meter("S4"), meter("S5")]);
  if (deleted === undefined || other === undefined) throw new Error("no meters");
  await query(current().url, "delete from public.meters where meter_number = 'S4'");
  await fleet.learnNames([
    { meter: deleted, name: "CCC1" },
    { meter: other, name: "CCC2" },
  ]);
  expect(await kept("CCC")).toEqual([["CCC2", "S5"]]);
});

test("said names: one that is said again and again takes one place, and what found none is kept when it is said again", async () => {
  const fleet = new Fleet(current().database);
  const [first] = await fleet.put([meter("S3")]);
  if (first === undefined) throw new Error("no meter");
  const names = new SaidNames(fleet);
  for (let at = 0; at < MOST_KEPT; at++) names.add({ meter: first, name: "BBB" });
  for (let at = 0; at < MOST_KEPT; at++) names.add({ meter: first, name: `BBB${at}` });
  await expect.poll(async () => (await kept("BBB")).length).toBe(MOST_KEPT);
  const last = `BBB${MOST_KEPT - 1}`;
  expect(await kept(last)).toEqual([]);
  await expect
    .poll(() => {
      names.add({ meter: first, name: last });
      return kept(last);
    })
    .toEqual([[last, "S3"]]);
  await names.stop(5000);
});
