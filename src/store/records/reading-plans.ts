/** Reading plans in the database: those that people add while gateways run. */
import type { PlanConfig } from "../../config/schema.ts";
import type { Database } from "../database/database.ts";

export const PLANS_CHANNEL = "dlms_reading_plans";

interface PlanRow {
  profile: PlanConfig["profile"];
  group_name: string | null;
  every_ms: bigint;
  deadline_ms: bigint | null;
  history_ms: bigint;
  read_order: PlanConfig["order"];
}

/** In the order in which they count: for groups first, then for all. Throws StoreError. */
export async function loadPlans(database: Database): Promise<PlanConfig[]> {
  const rows = await database.query<PlanRow>(
    `select profile, group_name, every_ms, deadline_ms, history_ms, read_order
     from dlms.reading_plans order by group_name is null, reading_plan_key`,
  );
  return rows.map(planOf);
}

function planOf(row: PlanRow): PlanConfig {
  return {
    profile: row.profile,
    ...(row.group_name !== null && { group: row.group_name }),
    every: Number(row.every_ms),
    ...(row.deadline_ms !== null && { deadline: Number(row.deadline_ms) }),
    history: Number(row.history_ms),
    order: row.read_order,
  };
}

/** The plan of a profile and group becomes this one. Throws StoreError. */
export async function putPlan(database: Database, plan: PlanConfig, who: string): Promise<void> {
  await database.query(
    `with put as (
       insert into dlms.reading_plans (profile, group_name, every_ms, deadline_ms, history_ms, read_order, added_by)
       values ($1::text, $2::text, $3::bigint, $4::bigint, $5::bigint, $6::text, $7::text)
       on conflict (profile, group_name) do update set every_ms = excluded.every_ms,
         deadline_ms = excluded.deadline_ms, history_ms = excluded.history_ms, read_order = excluded.read_order,
         added_at = now(), added_by = excluded.added_by
       returning 1
     )
     select pg_notify('${PLANS_CHANNEL}', '') from put`,
    [plan.profile, plan.group ?? null, plan.every, plan.deadline ?? null, plan.history, plan.order, who],
  );
}

/** False when there is none. Throws StoreError. */
export async function removePlan(database: Database, profile: string, group: string | undefined): Promise<boolean> {
  const rows = await database.query(
    `with gone as (
       delete from dlms.reading_plans where profile = $1::text and group_name is not distinct from $2::text returning 1
     )
     select pg_notify('${PLANS_CHANNEL}', '') from gone`,
    [profile, group ?? null],
  );
  return rows.length > 0;
}
