/**
 * Pushes of real meters through the real listener into a real database: each ends as rows with meter, time, values and
 * units; every value of a body is found in its rows, and nothing is in the rows that was not in the body.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CorpusCase, loadCases } from "../../corpus/case.ts";
import { query } from "../../db/query.ts";
import { useTestDatabase } from "../../db/test-database.ts";
import {
  bodyOf,
  derivedRegisters,
  difference,
  essence,
  essenceOfLeaf,
  instantOf,
  leavesOf,
  nameIn,
  numbersIn,
  statedValues,
  storedLeaves,
  type Typed,
} from "./push-corpus.ts";
import { rowCounts } from "./push-rows.ts";
import { type PushStation, type StationMeter, sendTcp, startPushStation } from "./push-station.ts";

const FIELD = join(import.meta.dirname, "..", "..", "..", "..", "shared", "corpus", "field");
const ABSENT = !existsSync(FIELD);
const { cases } = ABSENT ? { cases: [] } : loadCases([join(FIELD, "push.json")]);
const { cases: negatives } = ABSENT ? { cases: [] } : loadCases([join(FIELD, "negative.json")]);

/** Read by a quirk that is on by default for pushes. */
const LENIENT = new Set(["dlmsparser-raw-sagemcom-xt211", "dlmsparser-raw-egd-example"]);
/** Its source states numbers as they were sent, without the maker's scalers. */
const RAW = new Set(["dlmsparser-kamstrup-omnipower"]);
/** Several made-up meters have this title, and some push at the same time: the first reading of a moment stays. */
const SHARED_TITLE = "5341470102030405";
/** Ciphered, and nobody has the key. */
const KEYLESS = new Set(["dlmsparser-kmswest"]);

const accepted = cases.filter(({ outcome, id }) => !KEYLESS.has(id) && (outcome === "accept" || LENIENT.has(id)));
const refused = cases.filter((each) => !accepted.includes(each));

const current = useTestDatabase();
let station: PushStation;

beforeAll(async () => {
  station = await startPushStation({ database: current().database, meters: metersOf([...cases, ...negatives]) });
});
afterAll(() => station[Symbol.asyncDispose]());

/** Each case's meters: by title and keys, by the numbers in its body, and by the address that it is sent from. */
function metersOf(cases: readonly CorpusCase[]): StationMeter[] {
  const meters = new Map<string, StationMeter>();
  for (const [index, each] of cases.entries()) {
    const { guek, gak } = each.keys;
    const systemTitle = titleOf(each.derived);
    if (guek !== undefined && systemTitle !== undefined && !meters.has(systemTitle)) {
      const authentication = gak === undefined ? {} : { authenticationKey: gak };
      meters.set(systemTitle, { number: systemTitle, systemTitle, blockCipherKey: guek, ...authentication });
    }
    for (const number of numbersIn(each)) {
      if (systemTitle === undefined) meters.set(number, { number });
    }
    meters.set(hostOf(index), { number: `at ${hostOf(index)}`, host: hostOf(index) });
  }
  return [...meters.values()];
}

function hostOf(index: number): string {
  return `127.${1 + Math.floor(index / 250)}.0.${1 + (index % 250)}`;
}

function titleOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, inner] of Object.entries(value)) {
    const found = name === "systemTitle" && typeof inner === "string" ? inner : titleOf(inner);
    if (found !== undefined) return found;
  }
  return undefined;
}

interface HistoryRow {
  readonly push_key: bigint;
  readonly outcome: string;
  readonly reason: string | null;
  readonly read_at: Date | null;
  readonly meter_id: string | null;
  readonly meter_number: string | null;
  readonly marks: string[];
  readonly received_at: Date;
}

interface ValueRow {
  readonly capture_object: string;
  readonly value: string;
  readonly unit: string | null;
}

async function send(each: CorpusCase): Promise<HistoryRow[]> {
  const { frames, apdus, hex } = each.input;
  const units = Array.isArray(frames) ? frames : Array.isArray(apdus) ? apdus : [hex];
  const index = [...cases, ...negatives].indexOf(each);
  const chunks = units.map((unit) => Buffer.from(String(unit), "hex"));
  const { peer } = await sendTcp(station.tcp, chunks, { from: hostOf(index) });
  await station.settled();
  return current().database.query<HistoryRow>(
    `select h.*, m.meter_number from dlms.push_history h left join public.meters m on m.id = h.meter_id
     where peer = $1 order by push_key`,
    [peer],
  );
}

function valuesOf(row: HistoryRow | undefined): Promise<ValueRow[]> {
  return current().database.query<ValueRow>(
    "select capture_object, value, unit from dlms.push_values where push_key = $1 order by position",
    [row?.push_key ?? 0n],
  );
}

function logicalName({ capture_object }: ValueRow): string {
  return capture_object.split(":")[1] ?? "";
}

test.skipIf(ABSENT)("field pushes: every case of the corpus is sent, and none is left out", () => {
  expect({ accepted: accepted.length, refused: refused.length, hostile: hostile.length }).toEqual({
    accepted: 56,
    refused: 3,
    hostile: 98,
  });
});

test.each(accepted.map((each) => [each.id, each] as const))("field push %s ends as rows", async (_, each) => {
  const [row, ...more] = await send(each);
  expect(more).toEqual([]);
  expect(row).toMatchObject({ meter_id: expect.any(String) });
  expect(["stored", "partial"]).toContain(row?.outcome);
  const values = await valuesOf(row);
  expect(values.length).toBeGreaterThan(0);
  const found = bodyOf(each);
  const title = each.keys["guek"] === undefined ? undefined : titleOf(each.derived);
  const bySource = row?.marks.includes("sender-by-address") === true;
  const numbers = found === undefined && each.stated["obis"] === undefined ? [row?.meter_number] : numbersIn(each);
  expect(title ?? (bySource ? row.meter_number : numbers)).toContain(row?.meter_number);
  expect(row?.read_at).toEqual(found === undefined ? row?.read_at : (instantOf(found) ?? row?.received_at));
  expectEveryLeaf(found === undefined ? undefined : leavesOf(found.body), values);
  expectStated(each, values);
  const readings = await current().database.query<ValueRow>(
    `select capture_object, coalesce(value::text, value_text) as value, unit from public.meter_readings
     where meter_id = $1 and read_at = $2`,
    [row?.meter_id, row?.read_at],
  );
  const comparable = (rows: readonly ValueRow[]) =>
    title === SHARED_TITLE ? rows.map(({ capture_object, unit }) => ({ capture_object, unit })) : rows;
  expect(comparable(readings)).toEqual(expect.arrayContaining([...comparable(values)]));
});

/** Values match values; a leaf that is no value is the name of one. */
function expectEveryLeaf(leaves: readonly Typed[] | undefined, values: readonly ValueRow[]): void {
  if (leaves === undefined) return;
  const names = new Set(values.map(logicalName));
  const stored = values.flatMap(({ value }) => storedLeaves(value));
  const { onlyA: gone, onlyB: invented } = difference(leaves.map(essenceOfLeaf), stored);
  const unnamed = new Set(leaves.filter((leaf) => !names.has(nameIn(leaf) ?? "")).map(essenceOfLeaf));
  expect({ gone: gone.filter((each) => unnamed.has(each)), invented }).toEqual({ gone: [], invented: [] });
}

function expectStated(each: CorpusCase, values: readonly ValueRow[]): void {
  for (const [name, { value, unit }] of derivedRegisters(each)) {
    expect(values.find((row) => logicalName(row) === name)).toMatchObject({ value, unit });
  }
  for (const [name, stated] of statedValues(each)) {
    const rows = values.filter(
      (row) => name === "any" || `${logicalName(row)}.`.includes(`.${name}.`) || logicalName(row) === name,
    );
    const seen = RAW.has(each.id) ? (value: string) => essence(value) : (value: string) => value;
    expect(rows.map(({ value }) => seen(value))).toContain(seen(String(stated)));
  }
}

test.each(refused.map((each) => [each.id, each] as const))("field push %s leaves a record only", async (_, each) => {
  const before = await rowCounts(current().url);
  const rows = await send(each);
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows)
    expect(row).toMatchObject({ outcome: "rejected", reason: expect.stringMatching(/^[A-Z_]+: /) });
  expect(await rowCounts(current().url)).toEqual(before);
});

/** What may come over a line that pushes; telegrams of P1 and sequences of requests do not. */
const PUSH_LAYERS = new Set(["hdlc", "wrapper", "apdu", "security"]);
const hostile = negatives.filter(({ layer, input }) => PUSH_LAYERS.has(layer) && ("hex" in input || "frames" in input));

test.each(hostile.filter(({ outcome }) => outcome === "reject").map((each) => [each.id, each] as const))(
  "field negative %s leaves a record of its octets and nothing else",
  async (_, each) => {
    const before = await rowCounts(current().url);
    const rows = await send(each);
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows)
      expect(row).toMatchObject({ outcome: "rejected", reason: expect.stringMatching(/^[A-Z_]+: /), read_at: null });
    expect(await rowCounts(current().url)).toEqual(before);
  },
);

test.each(hostile.filter(({ outcome }) => outcome !== "reject").map((each) => [each.id, each] as const))(
  "field negative %s is read all the same",
  async (_, each) => {
    const rows = (await send(each)).filter(({ outcome }) => outcome === "stored");
    expect(rows).toHaveLength(1);
    expect((await valuesOf(rows[0])).length).toBeGreaterThan(10);
  },
);

async function again(id: string): Promise<HistoryRow[]> {
  const each = accepted.find((one) => one.id === id);
  return each === undefined ? [] : send(each);
}

test.skipIf(ABSENT)(
  "field pushes: the same again is a row of its own, unless its stamp says that it is a repetition",
  async () => {
    expect(await again("amshan-aidon-no-list-1")).toHaveLength(1);
    expect(await again("dlmsparser-hdlc-norway-han-3phase")).toHaveLength(0);
  },
);

test.skipIf(ABSENT)("field pushes: no push failed inside the gateway, and none was dropped", () => {
  const told = new Set(station.events.map(({ event }) => event));
  expect([...told].sort()).toEqual(["pushListening", "pushReceived", "pushRejected", "senderConflict"]);
});

test.skipIf(ABSENT)("field pushes: named values of known meters are rows of the instant profile as well", async () => {
  const rows = await query(
    current().url,
    `select voltage_l1_v::float, active_import_total_wh::float, source from dlms.instant_profile
     where meter_number = '5341470102030405' and captured_at = '2026-08-17 12:30:15Z'`,
  );
  expect(rows).toEqual([[231.4, 1234567, "push"]]);
});
