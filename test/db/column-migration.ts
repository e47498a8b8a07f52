/**
 * Prints the migration that brings the profile tables from what migrations/ makes to what PROFILE_COLUMNS says. Run it
 * when the test "profile tables: columns, types, units and comments are those of the list" fails:
 *
 *   npx node test/db/column-migration.ts > migrations/NNNN_profile_columns.sql
 */
import type { ProfileKind } from "../../src/profiles/batch.ts";
import { PROFILE_COLUMNS } from "../../src/profiles/columns.ts";
import { openDatabase } from "../../src/store/database/database.ts";
import { migrate } from "../../src/store/database/migrations.ts";
import { dataTable, PROFILE_KINDS, storedType } from "../../src/store/profiles/profile-tables.ts";
import { profileSql, profileView } from "./profile-sql.ts";
import { startTestServer } from "./test-server.ts";

interface Column {
  name: string;
  type: string;
}

const TYPES = new Map([["timestamp with time zone", "timestamptz"]]);
const FIXED = new Set([
  "captured_at",
  "read_at",
  "known_from",
  "meter_key",
  "layout_key",
  "interval_s",
  "source",
  "time_rule",
  "meter_time",
  "others",
]);

const server = await startTestServer("embedded");
if (typeof server === "string") throw new Error(server);
await migrate(server.url);
const database = await openDatabase({ url: server.url, connections: 1 });
const lines: string[] = [];
for (const profile of PROFILE_KINDS) {
  const table = `dlms.${dataTable(profile)}`;
  const wanted = new Map(PROFILE_COLUMNS[profile].map((column) => [column.name, storedType(column)]));
  const rows = await database.query<Column>(
    `select attname as name, format_type(atttypid, -1) as type from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped`,
    [table],
  );
  const there = new Map(rows.map((row) => [row.name, TYPES.get(row.type) ?? row.type]));
  const changes = [...wanted].flatMap(([name, type]) => {
    const held = there.get(name);
    if (held === undefined) return [`alter table ${table} add column ${name} ${type};`];
    return held === type ? [] : [`alter table ${table} alter column ${name} type ${type};`];
  });
  const gone = [...there.keys()].filter((name) => !wanted.has(name) && !FIXED.has(name));
  // What a column held must go somewhere: that is for whoever writes the migration to decide.
  changes.push(...gone.map((name) => `-- ${table}.${name} is no longer in the list: rename, move or drop it here.`));
  const statements = [...withoutViews(profile), ...changes, ...withViews(profile)];
  const view = `dlms.${profileView(profile)}`;
  const before = await viewText(view);
  await database.transaction(async (client) => {
    for (const statement of statements.filter((each) => !each.startsWith("--"))) await client.query(statement);
  });
  if (changes.length > 0 || before !== (await viewText(view))) lines.push(...statements);
}
console.log(lines.length === 0 ? "-- The tables are as the list says." : lines.join("\n").trimEnd());
await database.close();
await server.stop();

function withoutViews(profile: ProfileKind): string[] {
  return [`drop view dlms_views.${profileView(profile)};`, `drop view dlms.${profileView(profile)};`];
}

function withViews(profile: ProfileKind): string[] {
  return [profileSql(profile), `select dlms.make_reader_view('${profileView(profile)}', '${profile}');`];
}

async function viewText(view: string): Promise<string> {
  const rows = await database.query<{ text: string }>(
    `select pg_get_viewdef($1::regclass) || coalesce(string_agg(col_description(attrelid, attnum), E'\\n' order by attnum), '') as text
     from pg_attribute where attrelid = $1::regclass and attnum > 0 group by attrelid`,
    [view],
  );
  return rows[0]?.text ?? "";
}
