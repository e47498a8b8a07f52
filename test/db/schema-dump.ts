/** The schema as text, from the catalogues: each change of it shows in review, whichever migrations made it. */
import type { Database } from "../../src/store/database/database.ts";

interface Line {
  line: string;
}

const SECTIONS: readonly string[] = [
  `select format('%s %I.%I %s %s%s%s', case c.relkind when 'v' then 'view' else 'table' end, n.nspname, c.relname,
     quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
     case when a.attnotnull then ' not null' else '' end,
     coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
       || case a.attidentity when 'a' then ' generated always as identity' else '' end
       || coalesce(' -- ' || col_description(c.oid, a.attnum), '')) as line
   from pg_class c
   join pg_namespace n on n.oid = c.relnamespace
   join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
   left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
   where n.nspname in ('public', 'dlms', 'dlms_api', 'dlms_views') and c.relkind in ('r', 'v', 'p')
   order by n.nspname, c.relname, a.attnum`,
  `select format('constraint %s %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) as line
   from pg_constraint where connamespace in ('public'::regnamespace, 'dlms'::regnamespace, 'dlms_api'::regnamespace, 'dlms_views'::regnamespace) and contype <> 'n'
   order by conrelid::regclass::text, conname`,
  `select indexdef as line from pg_indexes where schemaname in ('public', 'dlms', 'dlms_api', 'dlms_views') order by schemaname, indexname`,
  `select format('comment on %s %s: %s', case c.relkind when 'v' then 'view' else 'table' end, c.oid::regclass,
     obj_description(c.oid, 'pg_class')) as line
   from pg_class c where relnamespace in ('public'::regnamespace, 'dlms'::regnamespace, 'dlms_api'::regnamespace, 'dlms_views'::regnamespace)
     and obj_description(c.oid, 'pg_class') is not null
   order by c.oid::regclass::text`,
  `select format(E'view %I.%I\\n%s', schemaname, viewname, definition) as line
   from pg_views where schemaname in ('public', 'dlms', 'dlms_api', 'dlms_views') order by schemaname, viewname`,
  `select format(E'%s', pg_get_functiondef(p.oid)) as line
   from pg_proc p where pronamespace in ('public'::regnamespace, 'dlms'::regnamespace, 'dlms_api'::regnamespace, 'dlms_views'::regnamespace)
     and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
   order by p.oid::regprocedure::text`,
  `select pg_get_triggerdef(t.oid) as line
   from pg_trigger t join pg_class c on c.oid = t.tgrelid
   where not t.tgisinternal and c.relnamespace in ('public'::regnamespace, 'dlms'::regnamespace)
   order by c.oid::regclass::text, t.tgname`,
  `select format('type %s %s %s', a.attrelid::regclass, quote_ident(a.attname), format_type(a.atttypid, a.atttypmod)) as line
   from pg_type t join pg_class c on c.oid = t.typrelid and c.relkind = 'c'
   join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
   where t.typnamespace = 'dlms'::regnamespace
   order by c.oid::regclass::text, a.attnum`,
  `select format('time table %I.%I by %I, chunks of %s, compressed after %s by (%s) in order of (%s)', table_schema,
     table_name, time_column, chunk_interval, coalesce(compress_after::text, 'never'), segment_by, order_by) as line
   from dlms.time_tables order by 1`,
];

/** Describes what lies in the schemas public and dlms of a database without TimescaleDB. */
export async function dumpSchema(database: Database): Promise<string> {
  return database.transaction(async (client) => {
    // Names are shown with their schemas, whatever the role's own path is.
    await client.query("set local search_path = pg_catalog");
    const parts: string[] = [];
    for (const section of SECTIONS) {
      const { rows } = await client.query<Line>(section);
      parts.push(rows.map((row) => row.line).join("\n"));
    }
    return `${parts.join("\n\n")}\n`;
  });
}
