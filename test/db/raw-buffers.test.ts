import { expect, test } from "vitest";
import { dataToBytes } from "../../protocol/axdr/data.ts";
import { toHex } from "../../protocol/bytes/hex.ts";
import { dateTimeAt, encodeDateTime } from "../../protocol/cosem/date-time.ts";
import { namedZone } from "../../protocol/cosem/time-zone.ts";
import { decodeProfileBuffer } from "../../protocol/profile/decode.ts";
import { profileLayout } from "../../protocol/profile/layout.ts";
import { MeterTimes } from "../../protocol/profile/meter-times.ts";
import { replay } from "../../src/collect/keeping/replay.ts";
import type { PolledMeter } from "../../src/collect/polled-meter.ts";
import { PROFILE_COLUMNS } from "../../src/profiles/columns.ts";
import { mapProfile } from "../../src/profiles/map-profile.ts";
import { StoreError } from "../../src/store/database/store-error.ts";
import { journalCoverage } from "../../src/store/ledger/coverage-journal.ts";
import { ProfileWriter } from "../../src/store/profiles/profile-writer.ts";
import {
  BufferKeeping,
  DECODER_VERSION,
  type KeptBuffers,
  keptBuffers,
  packBuffer,
  type RawBuffer,
  rowlessBatch,
} from "../../src/store/profiles/raw-buffers.ts";
import { makeMeters, SLOT_MS, START_MS, slots } from "./profile-batches.ts";
import { useTestDatabase } from "./test-database.ts";

const current = useTestDatabase();
const UTC = namedZone("UTC");
const CLOCK = { deviation: "standard" as const, zone: UTC };
const LAYOUT = profileLayout({
  captureObjects: [
    { classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 },
    { classId: 3, logicalName: "1.0.1.8.0.255", attributeId: 2, dataIndex: 0 },
  ],
  scalers: [{ classId: 3, logicalName: "1.0.1.8.0.255", scalerUnit: { scaler: 0, unit: 30 } }],
  capturePeriodS: 900,
  sortMethod: 1,
  profileEntries: 2880,
});
const READ_AT = new Date(START_MS + 86_400_000);
let numbers = 0;

async function newMeter(): Promise<PolledMeter> {
  const name = `raw-${numbers++}`;
  const [meterKey = 0] = await makeMeters(current().database, [name]);
  const target = { name, companion: "idis", zone: UTC } as unknown as PolledMeter["target"];
  return { meterKey, meterId: "", target };
}

/** A day of registers that count up. */
function octetsOf(count: number): Uint8Array {
  return dataToBytes({
    type: "array",
    value: slots(0, count).map((slot) => ({
      type: "structure",
      value: [
        { type: "octet-string", value: encodeDateTime(dateTimeAt(START_MS + slot * SLOT_MS, UTC)) },
        { type: "double-long-unsigned", value: 1_000_000 + slot * 13 },
      ],
    })),
  });
}

function bufferOf(meter: PolledMeter, count = 96): RawBuffer {
  return {
    form: "buffer",
    meterKey: meter.meterKey,
    profile: "block_load",
    source: "poll",
    receivedAt: READ_AT,
    layout: LAYOUT,
    deviation: "standard",
    octets: octetsOf(count),
  };
}

function newWriter(): ProfileWriter {
  return new ProfileWriter(current().database, PROFILE_COLUMNS, [
    journalCoverage,
    new BufferKeeping(current().database),
  ]);
}

/** As a read that gave no rows of them. */
async function keep(...buffers: readonly RawBuffer[]): Promise<void> {
  await newWriter().write(buffers.map((buffer) => rowlessBatch(buffer, [packBuffer(buffer)])));
}

function decoded(meter: PolledMeter) {
  const { octets } = bufferOf(meter);
  const context = { meterKey: meter.meterKey, profile: "block_load" as const, companion: "idis" as const };
  const rows = decodeProfileBuffer(octets, LAYOUT, { clock: CLOCK });
  return mapProfile(rows, { ...context, source: "poll", readAt: READ_AT, clock: CLOCK }).batch;
}

async function replayed(meters: readonly PolledMeter[], order: { sinceMs?: number; profile?: "daily_load" } = {}) {
  const texts: string[] = [];
  const store = { database: current().database, writer: newWriter() };
  for await (const line of replay(store, meters, order)) if ("text" in line) texts.push(line.text);
  return texts;
}

async function keptOf(...meters: readonly PolledMeter[]): Promise<KeptBuffers[]> {
  const kept: KeptBuffers[] = [];
  const meterKeys = meters.map(({ meterKey }) => meterKey);
  for await (const each of keptBuffers(current().database, { meterKeys })) kept.push(each);
  return kept;
}

test("raw buffers: octets come back as they were, with layout and decoder, compressed to a part", async () => {
  const { database } = current();
  const meter = await newMeter();
  const short = bufferOf(meter, 1);
  await keep(bufferOf(meter), short);
  const kept = await keptOf(meter);
  expect(kept.map(({ decoderVersion, isWhole }) => [decoderVersion, isWhole])).toEqual([
    [DECODER_VERSION, true],
    [DECODER_VERSION, true],
  ]);
  const [long, other] = kept.flatMap(({ buffers }) => buffers);
  expect(Uint8Array.from(long?.octets ?? [])).toEqual(octetsOf(96));
  expect({ ...other, octets: Uint8Array.from(other?.octets ?? []) }).toEqual(short);
  const [size] = await database.query<{ part: number }>(
    `select octet_length(octets)::float8 / $2::int as part from dlms.raw_buffers
     where $1 = any (meter_keys) order by raw_buffer_key limit 1`,
    [meter.meterKey, octetsOf(96).length],
  );
  expect(size?.part).toBeLessThan(0.5);
});

function plain(buffers: readonly RawBuffer[]): string[] {
  return buffers
    .map(({ form, meterKey, receivedAt, layout, octets }) =>
      [form, meterKey, receivedAt.toISOString(), layout.fingerprint, toHex(octets)].join(" "),
    )
    .sort();
}

test("raw buffers: those of many meters are few rows, from which each comes as it was", async () => {
  const meters = await Promise.all(Array.from({ length: 5 }, newMeter));
  const sent = meters.flatMap((meter, at) => [
    { ...bufferOf(meter, 1 + at), receivedAt: new Date(READ_AT.getTime() + at) },
    { ...bufferOf(meter, 90 + at), receivedAt: new Date(READ_AT.getTime() + at) },
    { ...bufferOf(meter, 1), receivedAt: new Date(READ_AT.getTime() + 7_200_000), form: "registers" as const },
  ]);
  await keep(...sent);
  const kept = await keptOf(...meters);
  expect(kept.map(({ buffers, isWhole }) => [buffers.length, isWhole])).toEqual(
    [5, 5, 5].map((count) => [count, true]),
  );
  expect(plain(kept.flatMap(({ buffers }) => buffers))).toEqual(plain(sent));
  const [, second] = meters;
  if (second === undefined) throw new Error("no meter");
  const own = await keptOf(second);
  expect(own.map(({ buffers, isWhole }) => [buffers.length, isWhole])).toEqual(
    [1, 1, 1].map((count) => [count, false]),
  );
  expect(plain(own.flatMap(({ buffers }) => buffers))).toEqual(
    plain(sent.filter(({ meterKey }) => meterKey === second.meterKey)),
  );
});

test("raw buffers: a repeat in another company keeps what is there once", async () => {
  const [one, two] = [await newMeter(), await newMeter()];
  const buffers = [bufferOf(one, 2), bufferOf(two, 2), bufferOf(one, 3)];
  await keep(...buffers);
  const batches = [bufferOf(two, 2), bufferOf(two, 4), bufferOf(one, 3)].map((each) =>
    rowlessBatch(each, [packBuffer(each)]),
  );
  await newWriter().write(batches, { isRepeat: true });
  const octets = (await keptOf(one, two)).flatMap(({ buffers }) => buffers.map((each) => toHex(each.octets)));
  expect(octets.sort()).toEqual([2, 2, 3, 4].map((count) => toHex(octetsOf(count))).sort());
});

test("raw buffers: octets and rows are there together or not at all, and a repeated write keeps them once", async () => {
  const { database } = current();
  const meter = await newMeter();
  const batch = { ...decoded(meter), buffers: [packBuffer(bufferOf(meter))] };
  const counts = async () => {
    const [row] = await database.query<{ rows: number; buffers: number }>(
      `select (select count(*)::int from dlms.block_load_profile_data where meter_key = $1) as rows,
         (select count(*)::int from dlms.raw_buffers cross join unnest(meter_keys) as m (meter_key)
          where m.meter_key = $1) as buffers`,
      [meter.meterKey],
    );
    return row;
  };
  const undone = newWriter().write([batch], {
    alsoHere: () => Promise.reject(new StoreError("BATCH_INVALID", {}, { cause: new Error("the write is undone") })),
  });
  await expect(undone).rejects.toThrow("BATCH_INVALID");
  expect(await counts()).toEqual({ rows: 0, buffers: 0 });
  await newWriter().write([batch]);
  expect(await counts()).toEqual({ rows: 96, buffers: 1 });
  await newWriter().write([batch], { isRepeat: true });
  expect(await counts()).toEqual({ rows: 96, buffers: 1 });
  const later = { ...bufferOf(meter), receivedAt: new Date(READ_AT.getTime() + 1) };
  await newWriter().write([{ ...batch, buffers: [packBuffer(bufferOf(meter)), packBuffer(later)] }], {
    isRepeat: true,
  });
  expect(await counts()).toEqual({ rows: 96, buffers: 2 });
});

test("replay: rows that the decoder makes again are what they were, and nothing changes", async () => {
  const meter = await newMeter();
  await newWriter().write([decoded(meter)]);
  await keep(bufferOf(meter));
  expect(await replayed([meter])).toEqual([
    `1 buffers, 96 rows: 0 revised, 0 filled in, 0 new (decoder ${DECODER_VERSION})`,
  ]);
});

test("replay: of a buffer whose read broke off the whole rows are made", async () => {
  const meter = await newMeter();
  const whole = bufferOf(meter, 10);
  await keep({ ...whole, form: "part", octets: whole.octets.subarray(0, -3) });
  expect(await replayed([meter])).toEqual([
    `1 buffers, 9 rows: 0 revised, 0 filled in, 9 new (decoder ${DECODER_VERSION})`,
  ]);
});

test("replay: what a mended decoder says otherwise is a revision with its reason, and the held row stays", async () => {
  const { database } = current();
  const meter = await newMeter();
  // What a faulty decoder made of the same octets: a register ten times too large, and a row that it lost.
  const right = decoded(meter);
  const [energy] = right.columns;
  const wrong = {
    ...right,
    rowCount: 95,
    instantsMs: right.instantsMs.slice(1),
    timeRules: right.timeRules.slice(1),
    meterTimes: MeterTimes.of(right.meterTimes?.toArray().slice(1) ?? []),
    columns: [
      {
        column: energy?.column ?? "",
        values: Array.from(energy?.values ?? [], (value) => (value ?? 0n) * 10n).slice(1),
      },
    ],
  };
  await newWriter().write([wrong]);
  await keep(bufferOf(meter));
  await database.query("update dlms.raw_buffers set decoder_version = 0 where $1 = any (meter_keys)", [meter.meterKey]);
  expect(await replayed([meter])).toEqual([
    `1 buffers, 96 rows: 95 revised, 0 filled in, 1 new (decoder ${DECODER_VERSION})`,
  ]);
  const revisions = await database.query<{ reason: string; count: number }>(
    "select reason, count(*)::int as count from dlms.profile_revisions where meter_key = $1 group by reason",
    [meter.meterKey],
  );
  expect(revisions).toEqual([{ reason: `decoded again: decoder 0 to ${DECODER_VERSION}`, count: 95 }]);
  const [held] = await database.query<{ wrong: number }>(
    `select count(*) filter (where active_import_total >= 10000000000)::int as wrong
     from dlms.block_load_profile_data where meter_key = $1`,
    [meter.meterKey],
  );
  expect(held?.wrong).toBe(95);
  expect((await keptOf(meter))[0]?.decoderVersion).toBe(DECODER_VERSION);
  // The same again finds the same revisions.
  expect(await replayed([meter])).toEqual([
    `1 buffers, 96 rows: 0 revised, 0 filled in, 0 new (decoder ${DECODER_VERSION})`,
  ]);
});

test("replay: only what was asked for, and octets that are no rows are named", async () => {
  const meter = await newMeter();
  await keep({ ...bufferOf(meter), octets: Uint8Array.of(1, 130, 255) }, bufferOf(meter, 3));
  expect(await replayed([meter], { sinceMs: READ_AT.getTime() + 1 })).toEqual([
    `0 buffers, 0 rows: 0 revised, 0 filled in, 0 new (decoder ${DECODER_VERSION})`,
  ]);
  expect(await replayed([meter], { profile: "daily_load" })).toHaveLength(1);
  const texts = await replayed([meter]);
  expect(texts).toHaveLength(2);
  expect(texts[0]).toContain(`${meter.target.name} block_load`);
  expect(texts[1]).toContain("2 buffers, 3 rows: 0 revised, 0 filled in, 3 new");
});
