/**
 * Read-only views under the names of the owner's document in `_timescaledb_cache`, for reports that expect them there. The
 * schema is the TimescaleDB extension's own: what lies in it may vanish with an upgrade of the extension. So it is kept
 * in the database that they are wanted, and every migration puts back what is missing.
 */
import { type ClientBase, escapeIdentifier, escapeLiteral } from "pg";

const SCHEMA = "_timescaledb_cache";
const VIEWS = [
  "energy_measurements",
  "power_readings",
  "voltage_measurements",
  "current_measurements",
  "instant_profile",
  "daily_load_profile",
  "block_load_profile",
  "billing_profile",
  "event_logs",
  "push_schedules",
  "schedule_entries",
  "push_history",
  "push_objects",
  "push_setups",
  "obis_codes",
] as const;

type Client = Pick<ClientBase, "query">;

/**
 * Makes the views anew, owned by the schema's owner like all that is ours, and notes that they are wanted; their names.
 * To be called in a transaction. The database refuses it when the role may not create in that schema.
 */
export async function makeCompatibilityViews(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ owner: string; present: string }>(
    "select nspowner::regrole::text as owner, current_user::regrole::text as present from pg_namespace where nspname = 'dlms'",
  );
  const owner = rows[0]?.owner ?? "current_user";
  await client.query(`create schema if not exists ${SCHEMA}`);
  // So that the owner, who migrates, can put them back.
  if (owner !== rows[0]?.present) await client.query(`grant usage, create on schema ${SCHEMA} to ${owner}`);
  await dropViews(client);
  for (const name of VIEWS) {
    const view = `${SCHEMA}.${escapeIdentifier(name)}`;
    const comment = `Read-only, for reports that look here: see dlms.${name}. Made by dlms-gateway db compat.`;
    await client.query(
      `create view ${view} as select * from dlms.${escapeIdentifier(name)};
       comment on view ${view} is ${escapeLiteral(comment)};
       create trigger read_only instead of insert or update or delete on ${view}
       for each row execute function dlms.refuse_view_change();
       alter view ${view} owner to ${owner}`,
    );
  }
  await client.query("insert into dlms.compatibility_views default values on conflict do nothing");
  return VIEWS.map((name) => `${SCHEMA}.${name}`);
}

/** Takes the views away for good; their names. To be called in a transaction. */
export async function removeCompatibilityViews(client: Client): Promise<string[]> {
  await client.query("delete from dlms.compatibility_views");
  return dropViews(client);
}

/** Whether views are wanted and there are fewer than there should be. */
export async function lacksCompatibilityViews(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ wanted: boolean }>(
    "select exists (select from dlms.compatibility_views) as wanted",
  );
  return rows[0]?.wanted === true && (await presentViews(client)).length < VIEWS.length;
}

/** Takes the views away, because migrations could not change what they show; their names. */
export async function dropViews(client: Client): Promise<string[]> {
  const names = await presentViews(client);
  for (const name of names) await client.query(`drop view ${SCHEMA}.${escapeIdentifier(name)}`);
  return names.map((name) => `${SCHEMA}.${name}`);
}

/** Only our own: the extension may have something of such a name one day. */
async function presentViews(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select viewname as name from pg_views where schemaname = $1::text and viewname = any ($2::text[])
       and obj_description(format('%I.%I', schemaname, viewname)::regclass) like '%Made by dlms-gateway%'`,
    [SCHEMA, [...VIEWS]],
  );
  return rows.map(({ name }) => name);
}
