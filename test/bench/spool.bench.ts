/** The spool: appending batches durably against a bare synced append, and bringing them in against COPY of their rows. */
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { ProfileBatch } from "../../src/profiles/batch.ts";
import { PROFILE_COLUMNS } from "../../src/profiles/columns.ts";
import { Spool } from "../../src/spool/spool.ts";
import { CopyRows, copyInto } from "../../src/store/database/binary-copy.ts";
import type { Database } from "../../src/store/database/database.ts";
import { SpoolGate } from "../../src/store/intake/spool-gate.ts";
import { PROFILE_ROWS } from "../../src/store/intake/spool-kinds.ts";
import { RowLayout, sortedRows } from "../../src/store/profiles/profile-rows.ts";
import { ProfileWriter } from "../../src/store/profiles/profile-writer.ts";
import { blockLoad, makeMeters, slots } from "../db/profile-batches.ts";
import type { Bench, BenchRow } from "./bench.ts";
import { embeddedDatabase } from "./bench-database.ts";

const TABLE = "dlms.block_load_profile_data";
const SLOTS = 48;
/** Batches that come together: a few hundred meters answer at the same time. */
const TOGETHER = 100;
const METERS = 100;
const DRAINED_BATCHES = 1000;
const QUOTA = 4e9;
const ROUNDS = 3;
const KNOWN = new Map(PROFILE_COLUMNS.block_load.map((column) => [column.name, column]));

export const bench: Bench = {
  compares:
    "batches of 48 block-load rows appended to the spool, 100 at a time, each durable, against one write and fdatasync of the same octets and against a transaction of node:sqlite (WAL, synchronous = full), with and without encoding them; and brought into the database in order, decoded, against binary COPY of the same rows into the same table",
  unfair:
    "the bare append has no checksums and no quota, and like SQLite, which blocks its thread, is given encoded records; COPY has its rows in memory, keeps no place and finds out nothing; the server shares this machine's cores and disk",
  async run({ timeMs }) {
    await using stack = new AsyncDisposableStack();
    const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-spool-bench-"));
    stack.defer(() => rm(directory, { recursive: true, force: true }));
    const { database } = await embeddedDatabase(stack, 4);
    const appends = await measureAppends(directory, timeMs);
    const drains = await measureDrains(directory, database);
    const rows: BenchRow[] = [
      { task: "append: write and fdatasync of the octets", perSecond: appends.bare, unit: "batches" },
      { task: "append: node:sqlite, synchronous = full", perSecond: appends.sqlite, unit: "batches" },
      { task: "append: spool, of encoded records", perSecond: appends.encoded, unit: "batches" },
      { task: "append: spool", perSecond: appends.spool, unit: "batches" },
      { task: "drain: COPY", perSecond: drains.copy, unit: "rows" },
      { task: "drain: spool", perSecond: drains.spool, unit: "rows" },
    ];
    return {
      rows,
      ratios: {
        "spool-append": appends.spool / appends.bare,
        "spool-append-encoded": appends.encoded / appends.bare,
        "spool-append-encoded-to-sqlite": appends.encoded / appends.sqlite,
        "spool-drain": drains.spool / drains.copy,
      },
    };
  },
};

/** Batches a second of each way, which take turns. */
async function measureAppends(directory: string, timeMs: number) {
  const batches = Array.from({ length: TOGETHER }, (_, index) => blockLoad(index + 1, slots(0, SLOTS)));
  const encoded = batches.map((batch) => PROFILE_ROWS.encode(batch));
  const octets = Buffer.concat(encoded);
  await using stack = new AsyncDisposableStack();
  const spool = stack.adopt(await Spool.open({ directory: join(directory, "append"), quota: QUOTA }), (each) =>
    each.close(),
  );
  const file = stack.adopt(await open(join(directory, "bare"), "w"), (each) => each.close());
  const sqlite = stack.adopt(new DatabaseSync(join(directory, "sqlite")), (each) => each.close());
  sqlite.exec(
    "pragma journal_mode = wal; pragma synchronous = full; create table records (id integer primary key, payload blob)",
  );
  const insert = sqlite.prepare("insert into records (payload) values (?)");
  const { code, version } = PROFILE_ROWS;
  const spent = { bare: 0, sqlite: 0, encoded: 0, spool: 0 };
  const ways = {
    bare: async () => {
      await file.write(octets);
      await file.datasync();
    },
    sqlite: async () => {
      sqlite.exec("begin");
      for (const each of encoded) insert.run(each);
      sqlite.exec("commit");
    },
    encoded: async () => {
      await Promise.all(encoded.map((record) => spool.append(code, version, record)));
    },
    spool: async () => {
      await Promise.all(batches.map((batch) => spool.append(code, version, PROFILE_ROWS.encode(batch))));
    },
  };
  const names = ["bare", "sqlite", "encoded", "spool"] as const;
  const endMs = performance.now() + names.length * timeMs;
  let rounds = 0;
  for (; rounds < ROUNDS || performance.now() < endMs; rounds++) {
    for (const name of names) {
      const beganMs = performance.now();
      await ways[name]();
      spent[name] += performance.now() - beganMs;
    }
  }
  const rate = (ms: number) => (rounds * TOGETHER * 1000) / ms;
  return {
    bare: rate(spent.bare),
    sqlite: rate(spent.sqlite),
    encoded: rate(spent.encoded),
    spool: rate(spent.spool),
  };
}

/** Rows a second: the median of rounds that take turns. */
async function measureDrains(directory: string, database: Database) {
  const meters = await makeMeters(
    database,
    Array.from({ length: METERS }, (_, index) => `BENCH${index}`),
  );
  const batches = Array.from({ length: DRAINED_BATCHES }, (_, index) => {
    const first = Math.floor(index / METERS) * SLOTS;
    return blockLoad(meters[index % METERS] ?? 0, slots(first, first + SLOTS));
  });
  const rates = { copy: [] as number[], spool: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    await database.query(`truncate ${TABLE}`);
    rates.copy.push(await rateOf(() => copyAll(database, batches)));
    await database.query(`truncate ${TABLE}`);
    const spool = await Spool.open({ directory: join(directory, `drain-${round}`), quota: QUOTA });
    const { code, version } = PROFILE_ROWS;
    await Promise.all(batches.map((batch) => spool.append(code, version, PROFILE_ROWS.encode(batch))));
    rates.spool.push(await rateOf(() => drainAll(database, spool)));
  }
  return { copy: median(rates.copy), spool: median(rates.spool) };
}

async function rateOf(work: () => Promise<void>): Promise<number> {
  const beganMs = performance.now();
  await work();
  return (DRAINED_BATCHES * SLOTS * 1000) / (performance.now() - beganMs);
}

async function copyAll(database: Database, batches: readonly ProfileBatch[]): Promise<void> {
  for (let at = 0; at < batches.length; at += TOGETHER) {
    const group = batches.slice(at, at + TOGETHER);
    await database.transaction(async (client) => {
      const layout = new RowLayout(group, KNOWN, { keyOf: () => 1 });
      const rows = new CopyRows();
      for (const row of sortedRows(group, () => undefined)) layout.encode(row, rows);
      await copyInto(client, { table: TABLE, columns: layout.columns }, rows.finish());
    });
  }
}

async function drainAll(database: Database, spool: Spool): Promise<void> {
  const writer = new ProfileWriter(database, PROFILE_COLUMNS);
  const drained = Promise.withResolvers<void>();
  const gate = new SpoolGate({
    spool,
    database,
    patienceMs: 3000,
    events: {
      onEngaged: nothing,
      onRetry: (reason) => drained.reject(new Error(reason)),
      onDrained: () => drained.resolve(),
      onSetAside: (_kind, reason) => drained.reject(new Error(reason)),
      onFilling: nothing,
    },
  });
  gate.add({ kind: PROFILE_ROWS, write: (items, alsoHere) => writer.write(items, { alsoHere, isRepeat: true }) });
  gate.start();
  await drained.promise;
  await gate.stop(1000);
}

function nothing(): void {
  // Only failures and the end count.
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
