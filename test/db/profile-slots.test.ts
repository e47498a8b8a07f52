/** Rows for slots that are held or come more than once: one write leaves what a write of each row would have left. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ProfileBatch, ReadingSource } from "../../src/profiles/batch.ts";
import { blockLoad, SLOT_MS, START_MS } from "./profile-batches.ts";
import { query } from "./query.ts";
import { useProfileWriter } from "./use-profile-writer.ts";

const { current, newMeter, newWriter } = useProfileWriter();

const COLUMNS = ["voltage_l1", "voltage_l2", "active_import"] as const;
const OTHERS = ["3:1.0.99.99.0.255:2", "1:1.0.0.0.0.255:2"] as const;
const NAMES = [...COLUMNS, ...OTHERS];

type Values = Readonly<Partial<Record<(typeof NAMES)[number], number>>>;

interface Reading {
  readonly slot: number;
  readonly values: Values;
}

/** What one reading brings together. */
interface Readings {
  readonly source: ReadingSource;
  readonly rows: readonly Reading[];
}

/** The batch has the columns that any of its rows has. */
function batchOf(meter: number, { source, rows }: Readings): ProfileBatch {
  const had = (name: (typeof NAMES)[number]) => rows.some(({ values }) => values[name] !== undefined);
  return blockLoad(
    meter,
    rows.map(({ slot }) => slot),
    {
      source,
      columns: COLUMNS.filter(had).map((column) => ({
        column,
        values: rows.map(({ values }) => (values[column] === undefined ? undefined : BigInt(values[column]))),
      })),
      others: OTHERS.filter(had).map((captureObject) => ({
        captureObject,
        unit: undefined,
        values: rows.map(({ values }) => values[captureObject]?.toString()),
      })),
    },
  );
}

/** As the database has them: what has no column apart. */
function asHeld(values: Values) {
  const columns = COLUMNS.filter((name) => values[name] !== undefined).map((name) => [name, values[name]]);
  const others = OTHERS.filter((name) => values[name] !== undefined).map((name) => [
    name,
    { value: `${values[name]}` },
  ]);
  return Object.fromEntries([...columns, ...(others.length > 0 ? [["others", Object.fromEntries(others)]] : [])]);
}

interface Held {
  readonly source: ReadingSource;
  readonly values: Values;
  /** What came after the row. */
  readonly completed: readonly string[];
}

/** What is left of rows that are written one by one: the first value of each column holds, others are revisions. */
class SlotModel {
  readonly held = new Map<number, Held>();
  readonly revisions: { slot: number; source: ReadingSource; held: unknown; arrived: unknown }[] = [];
  readonly counts = { rows: 0, inserted: 0, held: 0, completed: 0, revised: 0 };

  take(source: ReadingSource, { slot, values }: Reading): void {
    this.counts.rows += 1;
    const held = this.held.get(slot);
    if (held === undefined) {
      this.held.set(slot, { source, values, completed: [] });
      this.counts.inserted += 1;
      return;
    }
    this.counts.held += 1;
    const came = NAMES.filter((name) => values[name] !== undefined);
    const missing = came.filter((name) => held.values[name] === undefined);
    if (missing.length > 0) {
      const completed = [...held.completed, ...missing];
      this.held.set(slot, { ...held, values: { ...values, ...held.values }, completed });
      this.counts.completed += 1;
    }
    const differing = came.filter((name) => !missing.includes(name) && held.values[name] !== values[name]);
    if (differing.length > 0) this.#revise({ slot, source, values, held: held.values }, differing);
  }

  #revise({ slot, source, values, held }: Reading & Omit<Held, "completed"> & { held: Values }, names: string[]) {
    const pick = (from: Values) =>
      asHeld(Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name))));
    const revision = { slot, source, held: pick(held), arrived: pick(values) };
    const isKnown = this.revisions.some(
      (each) => each.slot === slot && JSON.stringify(each.arrived) === JSON.stringify(revision.arrived),
    );
    if (isKnown) return;
    this.revisions.push(revision);
    this.counts.revised += 1;
  }
}

const SOURCE = "(array['poll', 'push', 'on_demand', 'backfill', 'import'])";
const SLOT = `(extract(epoch from captured_at) * 1000 - ${START_MS})::bigint / ${SLOT_MS}`;

async function stored(meter: number) {
  const { url } = current();
  const rows = await query(
    url,
    `select (${SLOT})::int, ${SOURCE}[source],
       jsonb_strip_nulls(jsonb_build_object(${COLUMNS.map((name) => `'${name}', ${name}`).join(", ")}, 'others', others)),
       array(
         select unnest(columns) collate "C" from dlms.profile_completions c
         where c.profile = 'block_load' and c.meter_key = d.meter_key and c.captured_at = d.captured_at order by 1
       )
     from dlms.block_load_profile_data d where meter_key = $1 order by captured_at`,
    [meter],
  );
  const revisions = await query(
    url,
    `select (${SLOT})::int, ${SOURCE}[source], held, arrived from dlms.profile_revisions
     where meter_key = $1 order by captured_at, revision_key`,
    [meter],
  );
  return {
    rows: rows.map(([slot, source, values, completed]) => ({
      slot,
      source,
      values,
      completed,
    })),
    revisions: revisions.map(([slot, source, held, arrived]) => ({ slot, source, held, arrived })),
  };
}

function expected({ held, revisions }: SlotModel): Awaited<ReturnType<typeof stored>> {
  const rows = [...held].toSorted(([a], [b]) => a - b);
  return {
    rows: rows.map(([slot, { source, values, completed }]) => ({
      slot,
      source,
      values: asHeld(values),
      completed: completed.toSorted(),
    })),
    revisions: revisions.toSorted((a, b) => a.slot - b.slot),
  };
}

/** Each of `writes` is one write of several readings; the database has to agree with the model after each. */
async function expectAsOneByOne(writes: readonly (readonly Readings[])[]): Promise<SlotModel> {
  const meter = await newMeter();
  const writer = newWriter();
  const model = new SlotModel();
  for (const readings of writes) {
    const before = { ...model.counts };
    for (const { source, rows } of readings) for (const row of rows) model.take(source, row);
    const outcome = await writer.write(readings.map((each) => batchOf(meter, each)));
    const counts = Object.entries(model.counts).map(([name, count]) => [
      name,
      count - (before[name as keyof typeof before] ?? 0),
    ]);
    expect(outcome).toEqual({ ...Object.fromEntries(counts), setAside: [] });
    expect(await stored(meter)).toEqual(expected(model));
  }
  return model;
}

const reading = (source: ReadingSource, slot: number, values: Values): Readings => ({
  source,
  rows: [{ slot, values }],
});

const voltages = (source: ReadingSource, slots: readonly number[], value: number): Readings => ({
  source,
  rows: slots.map((slot) => ({ slot, values: { voltage_l1: value } })),
});

test("profile writer: rows of one slot with different columns in one write are one row with all of them", async () => {
  const three = [
    reading("push", 5, { voltage_l1: 1 }),
    reading("poll", 5, { voltage_l2: 2, [OTHERS[0]]: 4 }),
    reading("import", 5, { active_import: 3, [OTHERS[1]]: 5 }),
  ];
  const { counts } = await expectAsOneByOne([three, three]);
  expect(counts).toMatchObject({ rows: 6, inserted: 1, held: 5, completed: 2, revised: 0 });
});

test("profile writer: several rows that lack nothing alike fill in a held slot, all of them", async () => {
  const { counts } = await expectAsOneByOne([
    [reading("poll", 5, { voltage_l1: 1 })],
    [reading("push", 5, { voltage_l2: 2 }), reading("push", 5, { active_import: 3 })],
  ]);
  expect(counts).toMatchObject({ inserted: 1, completed: 2 });
});

test("profile writer: what differs from a value that came in the same write is a revision", async () => {
  const { counts } = await expectAsOneByOne([
    [reading("poll", 5, { voltage_l1: 1 })],
    [
      reading("push", 5, { voltage_l2: 2 }),
      reading("import", 5, { voltage_l2: 7, active_import: 3 }),
      reading("push", 5, { active_import: 8 }),
    ],
  ]);
  expect(counts).toMatchObject({ completed: 2, revised: 2 });
});

test("profile writer: of readings that overlap the first one given holds, also where it begins later", async () => {
  const { counts } = await expectAsOneByOne([
    [voltages("poll", [5, 6], 1), voltages("push", [4, 5, 6], 2)],
    [voltages("poll", [9], 1), voltages("push", [8, 9], 2)],
  ]);
  expect(counts).toMatchObject({ inserted: 5, held: 3, revised: 3 });
});

test("profile writer: any rows in one write leave what a write of each of them would have left", async () => {
  const value = fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined, freq: 1 });
  const anyReadings = fc.subarray(NAMES, { minLength: 1 }).chain((names) =>
    fc.record({
      source: fc.constantFrom<ReadingSource>("poll", "push", "import"),
      rows: fc.array(
        fc.record({
          slot: fc.integer({ min: 0, max: 5 }),
          values: fc.record(Object.fromEntries(names.map((name) => [name, value]))),
        }),
        { minLength: 1, maxLength: 8 },
      ),
    }),
  );
  const anyWrite = fc.array(anyReadings, { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(fc.array(anyWrite, { minLength: 1, maxLength: 4 }), async (writes) => {
      const { counts } = await expectAsOneByOne(writes);
      expect(counts.inserted).toBeGreaterThan(0);
    }),
    { numRuns: 30 },
  );
});
