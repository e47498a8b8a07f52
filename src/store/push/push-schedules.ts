/** When push setups send, as meters and the configuration say it; and which of them have been heard. */
import type { PoolClient } from "pg";
import {
  dateText,
  entryFromTexts,
  type PushEntry,
  type PushSchedule,
  timeText,
} from "../../push/setups/push-schedule.ts";
import type { Database } from "../database/database.ts";

/** Of a setup, or of a meter's pushes, whichever setup sends them. */
export type KeptSchedule = PushSchedule & ({ readonly setupId: string } | { readonly meterId: string });

/** In a transaction of the caller's, which has removed what was there before. */
export async function insertSchedules(client: PoolClient, schedules: readonly KeptSchedule[]): Promise<void> {
  if (schedules.length === 0) return;
  const { rows } = await client.query<{ push_schedule_id: string; key: string }>(
    `insert into dlms.push_schedules (push_setup_id, meter_id, kind, logical_name)
     select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[])
     returning push_schedule_id, concat_ws(' ', push_setup_id, meter_id, kind, logical_name) as key`,
    [
      schedules.map((each) => ("setupId" in each ? each.setupId : null)),
      schedules.map((each) => ("meterId" in each ? each.meterId : null)),
      schedules.map((each) => each.kind),
      schedules.map((each) => each.logicalName),
    ],
  );
  const ids = new Map(rows.map((row) => [row.key, row.push_schedule_id]));
  const entries = schedules.flatMap(({ kind, logicalName, entries, ...of }) => {
    const id = ids.get(`${"setupId" in of ? of.setupId : of.meterId} ${kind} ${logicalName}`);
    return entries.map((entry, position) => ({ ...entry, position, id }));
  });
  await client.query(
    `insert into dlms.schedule_entries (push_schedule_id, position, at_time, at_date, until_time, until_date)
     select * from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[])`,
    [
      entries.map((entry) => entry.id),
      entries.map((entry) => entry.position + 1),
      entries.map((entry) => timeText(entry.from)),
      entries.map((entry) => dateText(entry.from)),
      entries.map((entry) => (entry.to === undefined ? null : timeText(entry.to))),
      entries.map((entry) => (entry.to === undefined ? null : dateText(entry.to))),
    ],
  );
}

/** What the configuration expects of one setup of a meter, or of any. */
export interface ExpectedPush {
  readonly meterId: string;
  readonly pushSetup: string | undefined;
  readonly entries: readonly PushEntry[];
}

/** Puts what the configuration expects in the place of what it expected before. Throws StoreError. */
export async function keepExpectedPushes(database: Database, expected: readonly ExpectedPush[]): Promise<void> {
  await database.transaction(async (client) => {
    await client.query("delete from dlms.push_schedules where kind = 'expectation'");
    if (expected.length === 0) return;
    const named = expected.filter(({ pushSetup }) => pushSetup !== undefined);
    const { rows } = await client.query<{ push_setup_id: string; meter_id: string; logical_name: string }>(
      `with wanted as (select distinct * from unnest($1::uuid[], $2::text[]) as w (meter_id, logical_name)),
         made as (
           insert into dlms.push_setups (meter_id, logical_name) select * from wanted order by 1, 2
           on conflict (meter_id, logical_name) do nothing returning push_setup_id, meter_id, logical_name)
       select * from made union all
       select p.push_setup_id, p.meter_id, p.logical_name from dlms.push_setups p join wanted using (meter_id, logical_name)`,
      [named.map((each) => each.meterId), named.map((each) => each.pushSetup)],
    );
    const ids = new Map(rows.map((row) => [`${row.meter_id} ${row.logical_name}`, row.push_setup_id]));
    await insertSchedules(
      client,
      expected.map(({ meterId, pushSetup, entries }) => ({
        ...(pushSetup === undefined ? { meterId } : { setupId: ids.get(`${meterId} ${pushSetup}`) ?? "" }),
        kind: "expectation",
        logicalName: pushSetup ?? "",
        entries: entries.map((from) => ({ from })),
      })),
    );
  });
}

/** A setup that sends by a schedule of its meter. */
export interface ScheduledSetup extends ExpectedPush {
  readonly pushSetup: string;
  readonly randomisationS: number;
}

interface ScheduleRow {
  meter_id: string;
  logical_name: string;
  randomisation_s: number | null;
  at_times: string[];
  at_dates: string[];
}

/**
 * Setups that send by schedules which were read of their meters; with `meterIds` all setups of these, also those without
 * entries. Throws StoreError.
 */
export async function loadScheduledSetups(database: Database, meterIds?: readonly string[]): Promise<ScheduledSetup[]> {
  const rows = await database.query<ScheduleRow>(
    `select p.meter_id, p.logical_name, p.randomisation_s, coalesce(n.at_times, '{}') as at_times,
       coalesce(n.at_dates, '{}') as at_dates
     from dlms.push_setups p left join (
       select s.push_setup_id, array_agg(e.at_time order by s.logical_name, e.position) as at_times,
         array_agg(e.at_date order by s.logical_name, e.position) as at_dates
       from dlms.push_schedules s join dlms.schedule_entries e using (push_schedule_id)
       where s.kind = 'schedule' and s.enabled group by 1) n using (push_setup_id)
     where case when $1::uuid[] is null then n.push_setup_id is not null else p.meter_id = any ($1::uuid[]) end`,
    [meterIds ?? null],
  );
  return rows.map((row) => ({
    meterId: row.meter_id,
    pushSetup: row.logical_name,
    randomisationS: row.randomisation_s ?? 0,
    entries: row.at_times.map((time, index) => entryFromTexts(time, row.at_dates[index] ?? "*-*-*")),
  }));
}

/** What is known of setups from before. */
export interface HeardSetup {
  readonly meterId: string;
  readonly pushSetup: string | undefined;
  readonly lastMs: number | undefined;
  readonly silentSinceMs: number | undefined;
}

/** Since when a setup has been heard counts for so long. */
const HEARD_WITHIN = "31 days";

/** When setups were heard last, and since when they are silent, where that has been told. Throws StoreError. */
export async function loadHeardSetups(
  database: Database,
  setups: readonly { readonly meterId: string; readonly pushSetup: string | undefined; readonly condition: string }[],
): Promise<HeardSetup[]> {
  const rows = await database.query<{ place: number; last_at: Date | null; silent_since: Date | null }>(
    `select w.place::int, h.received_at as last_at, e.occurred_at as silent_since
     from unnest($1::uuid[], $2::text[], $3::text[]) with ordinality as w (meter_id, setup, condition, place)
     left join lateral (
       select received_at from dlms.push_history
       where meter_id = w.meter_id and (w.setup is null or push_setup = w.setup) and outcome <> 'rejected'
         and received_at > now() - $4::interval
       order by received_at desc limit 1) h on true
     left join lateral (
       select occurred_at from public.meter_events
       where meter_id = w.meter_id and condition = w.condition and log = 'gateway' and kind = 'occurrence'
         and restored_at is null
       order by occurred_at desc limit 1) e on true`,
    [
      setups.map((each) => each.meterId),
      setups.map((each) => each.pushSetup ?? null),
      setups.map((each) => each.condition),
      HEARD_WITHIN,
    ],
  );
  return rows.flatMap((row) => {
    const setup = setups[row.place - 1];
    if (setup === undefined) return [];
    const { meterId, pushSetup } = setup;
    return [{ meterId, pushSetup, lastMs: row.last_at?.getTime(), silentSinceMs: row.silent_since?.getTime() }];
  });
}
