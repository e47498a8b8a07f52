/** What must hold of every function and view that people without rights can reach, read from the catalogues. */
import { expect, test } from "vitest";
import { query } from "./query.ts";
import { useTestDatabase } from "./test-database.ts";

const current = useTestDatabase();

function rows(text: string): Promise<unknown[][]> {
  return query(current().url, text);
}

const OWN_FUNCTIONS = `select p.*, p.oid::regprocedure::text as function from pg_proc p
  where p.pronamespace in ('dlms'::regnamespace, 'dlms_api'::regnamespace, 'dlms_views'::regnamespace)
    and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')`;
/** Those of dlms_api and all that these call, by their names in the sources. */
const REACHABLE = `with recursive own as (${OWN_FUNCTIONS}), reachable as (
    select o.oid, o.proname, o.prosrc from own o where o.pronamespace = 'dlms_api'::regnamespace
    union
    select o.oid, o.proname, o.prosrc from reachable r
    join own o on o.pronamespace = 'dlms'::regnamespace and strpos(r.prosrc, 'dlms.' || o.proname || '(') > 0
  ) select o.* from own o join reachable r using (oid)`;
const OUTSIDERS = "('dlms_reader', 'dlms_editor')";

/** Each statement lists what breaks the rule. */
const RULES = {
  "a function that runs as its owner has its search path pinned to pg_catalog and pg_temp at the end": `
    select function from (${OWN_FUNCTIONS}) p
    where prosecdef and not coalesce('search_path=pg_catalog, pg_temp' = any (proconfig), false)`,
  "a function that runs as its owner lies in dlms_api": `
    select function from (${OWN_FUNCTIONS}) p where prosecdef and pronamespace <> 'dlms_api'::regnamespace`,
  "a function of dlms_api runs as its owner, a role without login and rights": `
    select function, rolname from (${OWN_FUNCTIONS}) p join pg_roles r on r.oid = p.proowner
    where pronamespace = 'dlms_api'::regnamespace
      and (not prosecdef or rolname <> 'dlms_api_owner' or rolsuper or rolcanlogin or rolcreaterole or rolcreatedb or rolbypassrls)`,
  "nobody is everybody: no function may be called by PUBLIC": `
    select function from (${OWN_FUNCTIONS}) p, aclexplode(coalesce(proacl, acldefault('f', proowner))) a where a.grantee = 0`,
  "outsiders may call functions of dlms_api only, and what a view shows": `
    select function from (${OWN_FUNCTIONS}) p, aclexplode(proacl) a join pg_roles r on r.oid = a.grantee
    where r.rolname in ${OUTSIDERS} and pronamespace <> 'dlms_api'::regnamespace and proname <> 'wall_clock'`,
  "a function takes values: no relation, no type to choose, no name of a column": `
    select function from (${OWN_FUNCTIONS}) p, unnest(proargtypes::oid[]) t
    where pronamespace = 'dlms_api'::regnamespace and (t not in (
      'text'::regtype, 'text[]'::regtype, 'name'::regtype, 'integer'::regtype, 'smallint'::regtype, 'boolean'::regtype,
      'timestamptz'::regtype, 'timestamptz[]'::regtype, 'numeric[]'::regtype, 'interval'::regtype, 'jsonb'::regtype))`,
  "what readers may call changes nothing, but for their own collections": `
    select function from (${OWN_FUNCTIONS}) p, aclexplode(proacl) a join pg_roles r on r.oid = a.grantee
    where r.rolname = 'dlms_reader' and provolatile = 'v' and proname !~ '_(collection|members)$'`,
  "statements are put together from text in the one function that reads, which names no caller's word": `
    select function from (${REACHABLE}) p
    where prosrc ~* '\\mexecute\\M' and (prosecdef or proname <> 'read_versions')`,
  "no function names temporary relations": `
    select function from (${REACHABLE}) p where prosrc ~* 'pg_temp\\.|\\mtemp(orary)?\\s+table'`,
  "every relation in a body is written with its schema": `
    select function, m[1] from (${REACHABLE}) p,
      regexp_matches(prosrc, '\\m(?:from|join|into|update)\\s+([a-z_]+)\\s*(?:[a-z]{0,2}\\s*$|\\s+(?:where|join|on|using|set|values|\\())', 'gn') m
    where to_regclass('dlms.' || m[1]) is not null`,
  "dlms_api holds functions and nothing else": `
    select relname from pg_class where relnamespace = 'dlms_api'::regnamespace
    union all select typname from pg_type where typnamespace = 'dlms_api'::regnamespace`,
  "dlms_views holds views with a security barrier, owned by the functions' owner, and nothing else": `
    select relname from pg_class c where relnamespace = 'dlms_views'::regnamespace and (relkind <> 'v'
      or not coalesce('security_barrier=true' = any (reloptions), false) or pg_get_userbyid(relowner) <> 'dlms_api_owner'
      or coalesce('security_invoker=true' = any (reloptions), false))`,
  "outsiders have no right on any table, sequence or view but those of dlms_views": `
    select c.oid::regclass::text, a.privilege_type from pg_class c, aclexplode(c.relacl) a left join pg_roles r on r.oid = a.grantee
    where c.relnamespace in ('public'::regnamespace, 'dlms'::regnamespace, 'dlms_views'::regnamespace)
      and (a.grantee = 0 or r.rolname in ${OUTSIDERS})
      and not (c.relnamespace = 'dlms_views'::regnamespace and a.privilege_type = 'SELECT' and r.rolname = 'dlms_reader')
      and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')`,
  "outsiders have no right on a column either": `
    select attrelid::regclass::text, attname from pg_attribute t, aclexplode(t.attacl) a left join pg_roles r on r.oid = a.grantee
    where (a.grantee = 0 or r.rolname in ${OUTSIDERS})
      and attrelid in (select oid from pg_class where relnamespace in ('public'::regnamespace, 'dlms'::regnamespace))`,
  "nobody but their owner may make anything in the schemas": `
    select nspname, a.privilege_type from pg_namespace n, aclexplode(n.nspacl) a
    where nspname in ('dlms', 'dlms_api', 'dlms_views') and a.grantee <> n.nspowner
      and not (a.privilege_type = 'USAGE' and (
        pg_get_userbyid(a.grantee) = 'dlms_api_owner'
        or (pg_get_userbyid(a.grantee) = 'dlms_reader' and nspname <> 'dlms')))`,
  "the functions' owner reads no secret and changes no reading": `
    select c.oid::regclass::text, a.privilege_type from pg_class c, aclexplode(c.relacl) a join pg_roles r on r.oid = a.grantee
    where r.rolname = 'dlms_api_owner' and c.relnamespace in ('public'::regnamespace, 'dlms'::regnamespace) and (
      c.relname ~ '^(keys|invocation_counters|associations|connections)$'
      or (a.privilege_type <> 'SELECT' and c.relname ~ '(^meter|profile|^qualities$|^quantities$)')
      or (a.privilege_type in ('UPDATE', 'DELETE', 'TRUNCATE') and c.relname ~ '^(series_values|series_revisions|run_series|run_values)$'))`,
  "the functions' owner is nobody's role but the gateway's": `
    select pg_get_userbyid(a.member) from pg_auth_members a
    where pg_get_userbyid(a.roleid) = 'dlms_api_owner' and pg_get_userbyid(a.member) not in (
      current_user, (select pg_get_userbyid(relowner) from pg_class where oid = 'dlms.series'::regclass))
      and pg_get_userbyid(a.grantor) <> pg_get_userbyid(a.member) and not (select rolsuper from pg_roles where oid = a.member)`,
  "everything that people can call or ask is explained": `
    select function from (${OWN_FUNCTIONS}) p where pronamespace = 'dlms_api'::regnamespace and obj_description(p.oid, 'pg_proc') is null
    union all select relname::text from pg_class c
    where relnamespace = 'dlms_views'::regnamespace and obj_description(c.oid, 'pg_class') is null`,
} as const;

test.each(Object.entries(RULES))("access: %s", async (_rule, text) => {
  expect(await rows(text)).toEqual([]);
});

const BREACHES = {
  "a function that runs as its owner has its search path pinned to pg_catalog and pg_temp at the end":
    "create function dlms_api.breach() returns int language sql security definer as 'select 1'",
  "a function that runs as its owner lies in dlms_api":
    "create function dlms.breach() returns int language sql security definer as 'select 1'",
  "a function of dlms_api runs as its owner, a role without login and rights":
    "create function dlms_api.breach() returns int language sql as 'select 1'",
  "nobody is everybody: no function may be called by PUBLIC":
    "create function dlms.breach() returns int language sql as 'select 1'",
  "outsiders may call functions of dlms_api only, and what a view shows":
    "grant execute on function dlms.caller() to dlms_reader",
  "a function takes values: no relation, no type to choose, no name of a column":
    "create function dlms_api.breach(t regclass) returns int language sql as 'select 1'",
  "what readers may call changes nothing, but for their own collections":
    "create function dlms_api.breach() returns int language sql as 'select 1'; grant execute on function dlms_api.breach() to dlms_reader",
  "statements are put together from text in the one function that reads, which names no caller's word":
    "create function dlms_api.breach() returns int language plpgsql security definer as 'begin execute ''select 1''; end'",
  "no function names temporary relations":
    "create function dlms_api.breach() returns int language plpgsql as 'begin create temporary table t (a int); end'",
  "every relation in a body is written with its schema":
    "create function dlms_api.breach() returns int language plpgsql as 'begin perform 1 from series where true; end'",
  "dlms_api holds functions and nothing else": "create table dlms_api.breach ()",
  "dlms_views holds views with a security barrier, owned by the functions' owner, and nothing else":
    "create view dlms_views.breach as select 1",
  "outsiders have no right on any table, sequence or view but those of dlms_views":
    "grant select on dlms.series to dlms_reader",
  "outsiders have no right on a column either": "grant select (key) on dlms.series to dlms_editor",
  "nobody but their owner may make anything in the schemas": "grant create on schema dlms_api to dlms_reader",
  "the functions' owner reads no secret and changes no reading": "grant select on dlms.keys to dlms_api_owner",
  "the functions' owner is nobody's role but the gateway's": "grant dlms_api_owner to dlms_reader",
  "everything that people can call or ask is explained":
    "create function dlms_api.breach() returns int language sql as 'select 1'",
} as const satisfies Record<keyof typeof RULES, string>;

test.each(Object.keys(RULES) as (keyof typeof RULES)[])("access: the check finds a breach of: %s", async (rule) => {
  await current().database.transaction(async (client) => {
    await client.query(BREACHES[rule]);
    expect((await client.query(RULES[rule])).rows.length).toBeGreaterThan(0);
    await client.query("rollback; begin");
  });
});

test("access: the check looks at what the open functions call, too", async () => {
  const names = (
    await rows(`select distinct proname from (${REACHABLE}) p where pronamespace = 'dlms'::regnamespace`)
  ).flat();
  for (const name of ["read_versions", "row_query", "later_query", "may", "acts_as", "caller", "freeze_run"]) {
    expect(names).toContain(name);
  }
});
