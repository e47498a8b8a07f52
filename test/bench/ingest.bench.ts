/**
 * Writing block-load rows: the profile writer, which is idempotent, bare and with all that the daemon does in the same
 * transaction and after it, against COPY that only copies.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { profileLayout } from "../../protocol/profile/layout.ts";
import type { ProfileBatch } from "../../src/profiles/batch.ts";
import { PROFILE_COLUMNS } from "../../src/profiles/columns.ts";
import { SeriesCatalogue } from "../../src/series/catalogue.ts";
import { CopyRows, copyInto } from "../../src/store/database/binary-copy.ts";
import type { Database } from "../../src/store/database/database.ts";
import { journalCoverage } from "../../src/store/ledger/coverage-journal.ts";
import { noteLoadChanges } from "../../src/store/profiles/load-changes.ts";
import { RowLayout, sortedRows } from "../../src/store/profiles/profile-rows.ts";
import { ProfileWriter } from "../../src/store/profiles/profile-writer.ts";
import { BufferKeeping, packBuffer, type RawBuffer } from "../../src/store/profiles/raw-buffers.ts";
import type { Bench, BenchReport } from "./bench.ts";
import { benchDatabase, newMeters } from "./bench-database.ts";

const TABLE = "dlms.block_load_profile_data";
const GROUP_ROWS = 5000;
const GROUPS = 12;
const START_MS = Date.UTC(2026, 0, 1);
const SLOT_MS = 30 * 60 * 1000;
const VALUES = [
  "active_import",
  "active_export",
  "reactive_import",
  "reactive_export",
  "apparent_import",
  "active_import_total",
  "voltage_l1",
  "current_l1",
];
const KNOWN = new Map(PROFILE_COLUMNS.block_load.map((column) => [column.name, column]));
const LAYOUT = "bench-layout";
/** In these the engine compiles, and the series of new meters are made. */
const WARM_ROUNDS = 3;
const LEAST_ROUNDS = 9;

type Write = (group: readonly ProfileBatch[]) => Promise<unknown>;

/** One way to write, with meters of its own so that all write equally many rows to equal places. */
interface Way {
  readonly meters: readonly number[];
  readonly write: Write;
  /** Whether batches come with the octets that they were decoded from. */
  readonly hasOctets?: boolean;
  readonly rates: number[];
}

export const bench: Bench = {
  compares:
    "ProfileWriter.write of block-load rows (8 values; 5,000 rows a transaction), bare and as the daemon does it (ledger, notes for sums by day, octets of buffers, series catalogue), against binary COPY of equal rows into the same table, encoded alike, in a transaction each, without any look at what is held; rounds take turns, and ratios are medians of those within a round",
  unfair:
    "COPY by itself fails on the first row that is there already and keeps no rest; octets are packed before they are brought, as it happens when a meter is read: bench raw-buffers measures that; the server, the client and the encoder share this machine's cores; slots are fresh, in order, and the table is small enough for memory; the first three rounds, in which the engine compiles and the series of new meters are made, are not counted",
  async run({ timeMs }) {
    await using stack = new AsyncDisposableStack();
    const { database, edition } = await benchDatabase(stack, 4);
    const report: { rows: BenchReport["rows"]; ratios: Record<string, number> } = { rows: [], ratios: {} };
    for (const { connections, slots, others = false, name } of [
      { connections: 1, slots: 48, name: "ingest-1" },
      { connections: 4, slots: 48, name: "ingest-4" },
      { connections: 4, slots: 48, others: true, name: "ingest-4-with-others" },
      { connections: 4, slots: 1, name: "ingest-4-one-row-a-meter" },
    ]) {
      const shape = { connections, slots, others, timeMs };
      const rates = await compare(database, shape);
      const say = (task: string, perSecond: number) => ({ task: `${name}: ${task}`, perSecond, unit: "rows" });
      report.rows = [
        ...report.rows,
        say(`COPY (${edition})`, rates.copy),
        say("bare writer, fresh rows", rates.bare),
        say("the daemon's writer, fresh rows", rates.fresh),
        say("the daemon's writer, all rows held already", rates.held),
      ];
      report.ratios[name] = rates.freshToCopy;
      report.ratios[`${name}-bare`] = rates.bareToCopy;
      report.ratios[`${name}-held-to-fresh`] = rates.heldToFresh;
    }
    return report;
  },
};

interface Shape {
  readonly connections: number;
  /** Rows of a meter in one batch. */
  readonly slots: number;
  /** Whether rows hold a value that has no column. */
  readonly others: boolean;
  readonly timeMs: number;
}

interface Rates {
  readonly copy: number;
  readonly bare: number;
  readonly fresh: number;
  readonly held: number;
  readonly freshToCopy: number;
  readonly bareToCopy: number;
  readonly heldToFresh: number;
}

/** Rows a second of each way, and of one way to another: medians of rounds that take turns. */
async function compare(database: Database, shape: Shape): Promise<Rates> {
  await database.query(`truncate ${TABLE}`);
  const meterCount = Math.floor(GROUP_ROWS / shape.slots) * GROUPS;
  const way = async (write: Write): Promise<Way> => ({
    meters: await newMeters(database, meterCount),
    write,
    rates: [],
  });
  const writer = new ProfileWriter(database, PROFILE_COLUMNS);
  const copy = await way(copyOnly(database));
  const bare = await way((group) => writer.write(group));
  const fresh = { ...(await way(asTheDaemon(database))), hasOctets: true };
  const held: Way = { ...fresh, rates: [] };
  const ways = [copy, bare, fresh, held];
  const endMs = performance.now() + 4 * shape.timeMs;
  for (let round = 0; round < WARM_ROUNDS + LEAST_ROUNDS || performance.now() < endMs; round++) {
    if (round === WARM_ROUNDS) for (const { rates } of ways) rates.length = 0;
    // What comes last finds its rows held.
    for (const each of round % 2 === 0 ? ways : [fresh, bare, copy, held]) await runRound(each, round, shape);
  }
  const ratio = (one: Way, other: Way) => median(one.rates.map((rate, at) => rate / (other.rates[at] ?? Number.NaN)));
  return {
    copy: median(copy.rates),
    bare: median(bare.rates),
    fresh: median(fresh.rates),
    held: median(held.rates),
    freshToCopy: ratio(fresh, copy),
    bareToCopy: ratio(bare, copy),
    heldToFresh: ratio(held, fresh),
  };
}

/** All that takes part in the daemon's writes. */
function asTheDaemon(database: Database): Write {
  const writer = new ProfileWriter(database, PROFILE_COLUMNS, [
    journalCoverage,
    noteLoadChanges,
    new BufferKeeping(database),
  ]);
  const catalogue = new SeriesCatalogue(database);
  return async (group) => {
    await writer.write(group);
    await catalogue.learn(group);
  };
}

const OCTETS_OF_A_ROW = 60;
const BUFFER_LAYOUT = profileLayout({
  captureObjects: [{ classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 }],
  scalers: [],
  capturePeriodS: 1800,
});

/** As long as the answer of a meter, and about as easy to compress. */
function bufferOf({ meterKey, profile, source, readAt, rowCount, instantsMs }: ProfileBatch): RawBuffer {
  const octets = new Uint8Array(rowCount * OCTETS_OF_A_ROW);
  for (let row = 0; row < rowCount; row++) {
    const view = new DataView(octets.buffer, row * OCTETS_OF_A_ROW);
    view.setFloat64(0, instantsMs[row] ?? 0);
    for (let value = 0; value < VALUES.length; value++)
      view.setUint32(12 + value * 5, meterKey * 1000 + row * 7919 * value);
  }
  return {
    form: "buffer",
    meterKey,
    profile,
    source,
    receivedAt: readAt,
    layout: BUFFER_LAYOUT,
    deviation: "standard",
    octets,
  };
}

setFlagsFromString("--expose-gc");
/** What making the batches of a round leaves behind is no part of writing them. */
const collectGarbage = runInNewContext("gc") as () => void;

async function runRound(way: Way, round: number, { connections, slots, others }: Shape): Promise<void> {
  const firstMs = START_MS + round * slots * SLOT_MS;
  const batches = way.meters.map((meter) => {
    const batch = blockLoad(meter, firstMs, { rowCount: slots, others });
    return way.hasOctets === true ? Object.assign(batch, { buffers: [packBuffer(bufferOf(batch))] }) : batch;
  });
  collectGarbage();
  const perGroup = Math.ceil(batches.length / GROUPS);
  const groups = Array.from({ length: GROUPS }, (_, at) => batches.slice(at * perGroup, (at + 1) * perGroup));
  const rows = batches.length * slots;
  const beganMs = performance.now();
  const work = groups.values();
  await Promise.all(
    Array.from({ length: connections }, async () => {
      for (const group of work) await way.write(group);
    }),
  );
  way.rates.push((rows / (performance.now() - beganMs)) * 1000);
}

function copyOnly(database: Database): Write {
  return (group) =>
    database.transaction(async (client) => {
      const layout = new RowLayout(group, KNOWN, { keyOf: () => 1 });
      const rows = new CopyRows();
      for (const row of sortedRows(group, refuse)) layout.encode(row, rows);
      await copyInto(client, { table: TABLE, columns: layout.columns }, rows.finish());
    });
}

function refuse(): never {
  throw new Error("the bench made a row without a usable time");
}

function blockLoad(
  meterKey: number,
  firstMs: number,
  { rowCount, others }: { readonly rowCount: number; readonly others: boolean },
): ProfileBatch {
  const index = Array.from({ length: rowCount }, (_, at) => at);
  return {
    meterKey,
    profile: "block_load",
    source: "poll",
    layoutFingerprint: LAYOUT,
    readAt: new Date(firstMs + rowCount * SLOT_MS),
    rowCount,
    instantsMs: index.map((at) => firstMs + at * SLOT_MS),
    timeRules: index.map(() => "deviation" as const),
    meterTimes: undefined,
    intervalS: SLOT_MS / 1000,
    columns: VALUES.map((column, position) => ({
      column,
      values: index.map((at) => BigInt((meterKey % 977) * 1000 + position * 100 + at)),
    })),
    others: others ? [{ captureObject: "1:0.0.96.99.8.255:2", unit: undefined, values: index.map(String) }] : [],
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
