/** The verbs `db …` as people use them: on the embedded database while its server runs and when it does not. */
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { z } from "zod";
import { fromHex } from "../../protocol/bytes/hex.ts";
import { profileLayout } from "../../protocol/profile/layout.ts";
import { profileWriter } from "../../src/gateway/stored-readings.ts";
import { openDatabase } from "../../src/store/database/database.ts";
import { migrate } from "../../src/store/database/migrations.ts";
import { keepMemories } from "../../src/store/ledger/ledger-records.ts";
import { layoutSourceFrom } from "../../src/store/profiles/kept-layout.ts";
import { DEVIATION_RULES, PROFILE_KINDS } from "../../src/store/profiles/profile-tables.ts";
import { packBuffer, rowlessBatch } from "../../src/store/profiles/raw-buffers.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../src/store/server/embedded-postgres.ts";
import { blockLoad, makeMeters, SLOT_MS, START_MS } from "../db/profile-batches.ts";
import { query } from "../db/query.ts";
import { scratchDirectory } from "../db/scratch.ts";
import { withDatabase } from "../db/test-database.ts";
import { run } from "./command.ts";

const bufferForm = z.object({
  profile: z.enum(PROFILE_KINDS),
  receivedAt: z.coerce.date(),
  deviation: z.enum(DEVIATION_RULES),
  layout: z.unknown(),
  octets: z.string(),
});

let state = "";
let server: EmbeddedPostgres;
const external = { name: `verbs_${process.pid}`, url: "" };

beforeAll(async () => {
  state = scratchDirectory("verbs");
  await chmod(state, 0o711);
  server = await startEmbeddedPostgres({ directory: join(state, "data/postgres") });
  await migrate(server.url);
  const { url } = inject("databaseServer");
  await query(url, `create database ${external.name}`);
  external.url = withDatabase(url, external.name);
});

afterAll(async () => {
  await server.stop();
  await rm(state, { recursive: true, force: true });
  await query(inject("databaseServer").administratorUrl, `drop database if exists ${external.name} with (force)`);
});

test("db migrate: a dry run tells what would be done, and then it is done once", async () => {
  const place = ["--url", "env:TEST_DB"];
  const environment = { TEST_DB: external.url };
  const none = await run(["db", "status", ...place], environment);
  expect(none).toMatchObject({ code: 1, out: "" });
  expect(none.err).toContain("SCHEMA_MISSING");
  expect(none.err).toContain("next step: run dlms-gateway db migrate");
  const dry = await run(["db", "migrate", "--dry-run", ...place], environment);
  expect(dry).toMatchObject({ code: 0, err: "" });
  expect(dry.out).toMatch(/pending +0001_time_tables\.sql/);
  expect(await query(external.url, "select nspname from pg_namespace where nspname = 'dlms'")).toEqual([]);
  const done = await run(["db", "migrate", "--json", ...place], environment);
  expect(done).toMatchObject({ code: 0, err: "" });
  expect(JSON.parse(done.out)).toMatchObject({ capabilities: { edition: "postgresql" } });
  const again = await run(["db", "migrate", "--json", ...place], environment);
  expect(JSON.parse(again.out)).toMatchObject({ applied: [] });
  await query(
    external.url,
    "insert into dlms.migrations (number, name, checksum) values (9999, '9999_later.sql', 'x')",
  );
  const newer = await run(["db", "migrate", "--dry-run", ...place], environment);
  expect(newer.code).toBe(5);
  expect(newer.err).toContain("SCHEMA_NEWER");
  expect(newer.err).toContain("migration=9999_later.sql");
  await query(
    external.url,
    "delete from dlms.migrations where number >= (select max(number) from dlms.migrations where number < 9999)",
  );
  const behind = await run(["db", "status", ...place], environment);
  expect(behind).toMatchObject({ code: 1, out: "" });
  expect(behind.err).toMatch(/SCHEMA_BEHIND.*migration=\d{4}_/);
}, 120_000);

test("db status, check, compat: on the embedded database, its server running or not", async () => {
  const place = ["--directory", state];
  const running = await run(["db", "status", "--json", ...place]);
  expect(running).toMatchObject({ code: 0, err: "" });
  const status: unknown = JSON.parse(running.out);
  expect(status).toMatchObject({ dailyLoad: { keptBy: "table", dueDays: 0 }, policies: [] });
  await server.stop();
  const table = await run(["db", "status", ...place]);
  expect(table).toMatchObject({ code: 0, err: "" });
  expect(table.out).toMatch(/^dlms\.block_load_profile_data +0 +[\d.]+ KiB/m);
  expect(table.out).toMatch(/^dlms\.qualities +6 /m);
  expect(table.out).toMatch(/^sums by day +never +no daemon has done it yet$/m);
  expect(table.out).not.toMatch(/waiting|superseded|chunks| \? /);
  const checked = await run(["db", "check", ...place]);
  expect(checked).toMatchObject({ code: 0, err: "" });
  expect(checked.out).toContain("good  kept sums by day are those of the rows");
  const made = await run(["db", "compat", "--json", ...place]);
  expect(JSON.parse(made.out)).toHaveProperty("made.length", 15);
  const removed = await run(["db", "compat", "--remove", ...place]);
  expect(removed.out).toContain("removed _timescaledb_cache.obis_codes");
  server = await startEmbeddedPostgres({ directory: join(state, "data/postgres") });
}, 120_000);

test("gaps, db coverage, db replay: from the configuration's database where no daemon answers", async () => {
  const config = join(state, "gateway.yaml");
  await writeFile(
    config,
    `stateDirectory: "${state}"
meters:
  - name: "house-1"
    number: "V1"
    companion: "is15959"
    timeZone: "Asia/Kolkata"
    connection: { tcp: "127.0.0.1:4059" }
plans:
  - { profile: "block_load", every: "15m" }
`,
  );
  const file = new URL("../src/store/profile-buffers.json", import.meta.url);
  const vectors = z.array(bufferForm).parse(JSON.parse(await readFile(file, "utf8")));
  const vector = vectors.find(({ profile }) => profile === "daily_load");
  if (vector === undefined) throw new Error("no vector");
  {
    await using database = await openDatabase({ url: server.url, connections: 1 });
    const [meterKey = 0] = await makeMeters(database, ["V1"]);
    const memory = { profile: "block_load", validFromMs: START_MS, intervalS: 900, entries: undefined } as const;
    await database.transaction((client) => keepMemories(client, [{ meterKey, ...memory }]));
    const { profile, deviation, layout, octets, receivedAt } = vector;
    const buffer = {
      form: "buffer" as const,
      meterKey,
      profile,
      deviation,
      receivedAt,
      source: "poll" as const,
      layout: profileLayout(layoutSourceFrom(layout)),
      octets: fromHex(octets),
    };
    await profileWriter(database).write([
      blockLoad(meterKey, [1, 2, 3, 6, 7], { absentMs: [START_MS + 5 * SLOT_MS] }),
      rowlessBatch(buffer, [packBuffer(buffer)]),
    ]);
  }
  const place = ["--config", config, "--socket", join(state, "nobody.sock")];
  const range = ["--from", new Date(START_MS).toISOString(), "--to", new Date(START_MS + 8 * SLOT_MS).toISOString()];
  const asked = await run(["gaps", "--profile", "block", "--json", ...range, ...place]);
  expect([asked.code, asked.err]).toEqual([0, expect.stringContaining("no daemon answers")]);
  const found = asked.out
    .trim()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
  expect(found).toEqual([
    expect.objectContaining({ meter: "house-1", slots: 1, state: "late" }),
    expect.objectContaining({ meter: "house-1", slots: 1, state: "missing" }),
    expect.objectContaining({ meter: "house-1", slots: 1, state: "late" }),
  ]);
  const replayed = await run(["db", "replay", "--meter", "house-1", ...place]);
  expect([replayed.code, replayed.out]).toEqual([
    0,
    expect.stringMatching(/^1 buffers, (\d+) rows: 0 revised, 0 filled in, \1 new/),
  ]);
  expect(await run(["db", "coverage", "check", ...place])).toMatchObject({
    code: 0,
    out: expect.stringContaining(" 0 that disagree"),
  });
  expect(await run(["db", "coverage", "rebuild", "--meter", "house-2", ...place])).toMatchObject({
    code: 1,
    err: expect.stringContaining("there is no meter house-2; did you mean house-1?"),
  });
  // The server is started for the command where nobody else runs it.
  await server.stop();
  expect((await run(["db", "coverage", "check", ...place])).out).toContain(" 0 that disagree");
  server = await startEmbeddedPostgres({ directory: join(state, "data/postgres") });
}, 120_000);

test("db import: rows of a file go in as others do, twice as once, and what is no row is told", async () => {
  const [meterKey = 0] = await (async () => {
    await using database = await openDatabase({ url: server.url, connections: 1 });
    return await makeMeters(database, ["I1", "I2"]);
  })();
  const file = join(state, "march.csv");
  const lines = [
    "\uFEFFmeter,time,active_import_wh,1-0:1.8.0 kWh,1-0:96.99.0 kWh",
    "I1,2026-03-01T00:15:00Z,12.5,100.001,7",
    'name-I1,2026-03-01T06:00:00+05:30,13,"100.014",',
    "I2,2026-03-01T00:15:00Z,0.125,,",
    "nobody,2026-03-01T00:15:00Z,1,1,",
    "I1,2026-03-01 00:45,1,1,",
    "I1,2026-02-30T00:15:00Z,1,1,",
    "I1,2026-03-01T01:00:00Z,1.00001,1,",
    "I1,2026-03-01T01:15:00Z,one,1,",
    "I1,2026-03-01T01:30:00Z,1",
    "I1,2999-01-01T00:00:00Z,1,1,",
  ];
  await writeFile(file, `${lines.join("\r\n")}\r\n`);
  const words = ["db", "import", file, "--profile", "block", "--interval", "15m", "--directory", state];
  const first = await run(words);
  expect([first.code, first.out]).toEqual([
    1,
    "10 lines: 3 new rows, 0 held already, of these 0 that differ, 7 set aside\n",
  ]);
  const held = `select captured_at, active_import_wh::float8, active_import_total_wh::float8, others, source
    from dlms.block_load_profile where meter_number like 'I_' order by meter_number, captured_at`;
  const rows = [
    [
      new Date("2026-03-01T00:15:00Z"),
      12.5,
      100_001,
      { "3:1.0.96.99.0.255:2": { unit: "W.h", value: "7000" } },
      "import",
    ],
    [new Date("2026-03-01T00:30:00Z"), 13, 100_014, null, "import"],
    [new Date("2026-03-01T00:15:00Z"), 0.125, null, null, "import"],
  ];
  expect(await query(server.url, held)).toEqual(rows);
  const reasons = "select reason, count(*)::int from dlms.rejected_rows where source = 5 group by 1 order by 1";
  const told = [
    ["line_uneven", 1],
    ["meter_unknown", 1],
    ["time_in_future", 1],
    ["time_missing", 2],
    ["value_out_of_range", 1],
    ["value_unreadable", 1],
  ];
  expect(await query(server.url, reasons)).toEqual(told);
  await writeFile(file, lines.join("\n").replace("0.125", "0.25"));
  const again = await run(words);
  expect(again.out).toBe("10 lines: 0 new rows, 3 held already, of these 1 that differ, 7 set aside\n");
  expect(await query(server.url, held)).toEqual(rows);
  expect(await query(server.url, reasons)).toEqual(told);
  // The ledger has them, and so have the series.
  const slots = "select sum(bit_count(held))::int from dlms.coverage_bits where meter_key = $1";
  expect(await query(server.url, slots, [meterKey])).toEqual([[2]]);
  const series = "select count(*)::int from dlms.series where meter_key = $1";
  expect(await query(server.url, series, [meterKey])).toEqual([[3]]);
  await writeFile(file, "meter,time,active_import_kwh\n");
  const unknown = await run(words);
  expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining("active_import_kwh: neither a column")]);
}, 120_000);

test("db: a directory without a database and a reference that leads nowhere are named", async () => {
  const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-empty-"));
  try {
    const empty = await run(["db", "status", "--directory", directory]);
    expect(empty.code).toBe(1);
    expect(empty.err).toContain("SERVER_DIRECTORY_EMPTY");
    const config = join(directory, "gateway.yaml");
    await writeFile(config, `database: { url: "env:NOT_SET_ANYWHERE" }\n`);
    const nowhere = await run(["db", "status", "--config", config]);
    expect(nowhere.code).toBe(3);
    expect(nowhere.err).toContain("env:NOT_SET_ANYWHERE");
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
