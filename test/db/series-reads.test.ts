import fc from "fast-check";
import { expect, test } from "vitest";
import { blockLoad, makeMeters, SLOT_MS, START_MS } from "./profile-batches.ts";
import { Gathering, keepAllQuantities } from "./series-tables.ts";
import { useTestDatabase } from "./test-database.ts";

const current = useTestDatabase(keepAllQuantities);
const QUALITIES = ["suspect", "validated", "estimated", "edited", "final"] as const;
const SLOTS = 6;
let made = 0;

function rows(text: string, values: readonly unknown[] = []): Promise<object[]> {
  return current().database.query(text, values);
}

interface Step {
  readonly isSent: boolean;
  readonly slots: readonly number[];
  /** In thousandths of a volt; undefined for none. */
  readonly amount: number | undefined;
  readonly quality: (typeof QUALITIES)[number];
}

const step: fc.Arbitrary<Step> = fc.record({
  isSent: fc.boolean(),
  slots: fc.uniqueArray(fc.nat(SLOTS - 1), { minLength: 1, maxLength: SLOTS }),
  amount: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined, freq: 4 }),
  quality: fc.constantFrom(...QUALITIES),
});

async function perform(gathering: Gathering, [meter, name]: readonly [number, string], each: Step): Promise<void> {
  const { isSent, slots, amount, quality } = each;
  if (isSent) {
    const values = slots.map(() => (amount === undefined ? undefined : BigInt(amount)));
    const energy = { column: "active_import", values: slots.map(() => 7n) };
    await gathering.write(
      blockLoad(
        meter,
        slots.toSorted((a, b) => a - b),
        { columns: [{ column: "voltage_l1", values }, energy] },
      ),
    );
    return;
  }
  await rows(
    `select dlms_api.store_values('block_load', array_fill($1::text, array[cardinality($2::timestamptz[])]), $2, $3::numeric[], $4)`,
    [
      name,
      slots.map((slot) => new Date(START_MS + slot * SLOT_MS)),
      slots.map(() => (amount === undefined ? null : amount / 1000)),
      quality,
    ],
  );
}

/** What holds at a moment within bounds, by the rule and from all versions that there are. */
const CHOSEN = `select key, at, value from (
    select distinct on (h.key, h.at) h.key, h.at, h.value, h.quality
    from dlms_api.read_history($1::text[]) h join dlms.qualities q on q.name = h.quality
    where h.known_from <= $2::timestamptz and q.quality <= $4::int
    order by h.key, h.at, q.rank desc, h.known_from desc
  ) c join dlms.qualities q on q.name = c.quality
  where q.quality >= $3::int and c.value is not null order by 1, 2`;
const READ = `select r.key, r.at, r.value from dlms_api.read_series($1::text[], as_of => $2::timestamptz,
    least_quality => (select name from dlms.qualities where quality = $3::int),
    best_quality => (select name from dlms.qualities where quality = $4::int)) r`;

test("series: a read gives of each slot the version that holds by the rule, for one series and for several", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
      const numbers = [`V${++made}`, `V${++made}`];
      const meters = await makeMeters(current().database, numbers);
      const keys = numbers.map((number) => `m.${number}.voltage_l1.block_load`);
      const gathering = new Gathering(current().database);
      await gathering.write(
        ...meters.map((meter) => blockLoad(meter, [0], { columns: [{ column: "voltage_l1", values: [9n] }] })),
      );
      for (const [index, each] of steps.entries()) {
        const [meter = 0, name = ""] = [meters[index % 2], keys[index % 2]];
        await perform(gathering, [meter, name], each);
      }
      const found = await current().database.query<{ moment: Date | string }>(
        "select distinct known_from::text as moment from dlms_api.read_history($1) order by 1",
        [keys],
      );
      const moments = [found.at(0), found.at(found.length >> 1), { moment: "infinity" }].map((each) => each?.moment);
      for (const moment of moments) {
        for (const [least, best] of [
          [1, 6],
          [3, 6],
          [1, 3],
        ]) {
          for (const wanted of [keys, keys.slice(0, 1)]) {
            const values = [wanted, moment, least, best];
            expect(await rows(READ, values)).toEqual(await rows(CHOSEN, values));
          }
        }
      }
    }),
    { numRuns: 12, endOnFailure: true },
  );
});

const token = fc.constantFrom(
  "m\\.",
  "10",
  "0016667",
  "12345",
  ".*",
  ".",
  "voltage_l1",
  "\\.block",
  "[0-9]",
  "[^a]",
  "[]5]",
  "\\d",
  "\\m",
  "+",
  "*",
  "?",
  "*?",
  "^",
  "$",
  "(67)",
  "|",
  "{2}",
  "\\x31",
  "7",
  "B",
  "_",
  "\\-",
  "[[:digit:]]",
  "(?i)",
  "***=",
);

test("series: whatever matches a pattern holds the literal that is looked for", async () => {
  const keys = [
    "m.B10016667.voltage_l1.block_load",
    "m.B12345.0100636300ff.a2.block_load",
    "m.1234567890.voltage_l1.billing",
    "sp.1112345-77.active_import.daily_load",
    "free/12345667/1",
  ];
  const patterns = fc
    .sample(fc.array(token, { minLength: 1, maxLength: 6 }), { numRuns: 1500, seed: 11 })
    .map((all) => all.join(""));
  const matches = await current().database.withClient(async (client) => {
    await client.query(`create function pg_temp.matches(key text, pattern text) returns boolean language plpgsql as $$
      begin return key ~ pattern; exception when invalid_regular_expression then return false; end $$`);
    const found = await client.query<{ pattern: string; key: string; literal: string }>({
      text: `select p.pattern, k.key, l.literal from unnest($1::text[]) p (pattern) cross join unnest($2::text[]) k (key)
        cross join lateral (select dlms.literal_of_pattern(p.pattern) as literal) l
        where l.literal is not null and pg_temp.matches(k.key, p.pattern)`,
      values: [patterns, keys],
    });
    return found.rows;
  });
  expect(matches.filter(({ key, literal }) => !key.includes(literal))).toEqual([]);
  expect(matches.length).toBeGreaterThan(20);
});

test("series: a search by pattern finds the same with its literal as by looking at every key", async () => {
  const numbers = Array.from({ length: 30 }, (_, at) => `P_${77000 + at * 13}`);
  const meters = await makeMeters(current().database, numbers);
  const gathering = new Gathering(current().database);
  await gathering.write(...meters.map((meter) => blockLoad(meter, [0])));
  for (const pattern of [
    "_77013",
    "P_770[0-9]3\\.",
    "7702.*active",
    "^m\\.P_77026\\.",
    "77013|77026",
    "P.77039.*block_load$",
    "770.9",
  ]) {
    const found = await rows("select key from dlms_api.find_series($1) order by 1", [pattern]);
    expect(found).toEqual(await rows("select key from dlms.series where key || '' ~ $1 order by 1", [pattern]));
    expect(found.length).toBeGreaterThan(0);
  }
});
