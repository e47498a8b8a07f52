/** How many pushes the schedules of push setups, and what the configuration expects, call for on each day in UTC. */
import { setImmediate } from "node:timers/promises";
import { namedZone } from "../../../protocol/cosem/time-zone.ts";
import { entryFromTexts } from "../../push/setups/push-schedule.ts";
import { nextPushMs } from "../../push/setups/push-times.ts";
import type { Queryable } from "../database/database.ts";

/** First and last day, as 2026-01-31. */
export interface Days {
  readonly from: string;
  readonly to: string;
}

/** How often a schedule fires on a day. */
export interface Firings {
  readonly schedule: string;
  readonly day: string;
  readonly times: number;
}

const DAY_MS = 86_400_000;
const HEARD_WITHIN = "31 days";

/**
 * Setups with their schedules: a zone, and a line for each entry; without a name where any push of the meter is expected. What the configuration expects goes before what the
 * meter says, and that counts once the setup has been heard, for it may be meant for somebody else. Days are $1 and $2.
 */
export const SCHEDULED_SETUPS = `
  select p.meter_id, m.meter_key, p.logical_name, m.time_zone || n.entries as schedule
  from dlms.push_setups p join public.meters m on m.id = p.meter_id
  cross join lateral (
    select s.kind, string_agg(e'\\n' || e.at_time || ' ' || e.at_date, '' order by s.logical_name, e.position) as entries
    from dlms.push_schedules s join dlms.schedule_entries e using (push_schedule_id)
    where s.push_setup_id = p.push_setup_id and s.enabled and s.kind in ('expectation', 'schedule')
    group by s.kind order by s.kind limit 1
  ) n
  where n.kind = 'expectation' or exists (
    select from dlms.push_history h
    where h.meter_id = p.meter_id and h.push_setup = p.logical_name and h.outcome <> 'rejected'
      and h.received_at > ($1::date - interval '${HEARD_WITHIN}') at time zone 'UTC'
      and h.received_at < ($2::date + interval '1 day') at time zone 'UTC'
  )
  union all
  select m.id, m.meter_key, null, m.time_zone || string_agg(e'\\n' || e.at_time || ' ' || e.at_date, '' order by e.position)
  from dlms.push_schedules s join public.meters m on m.id = s.meter_id join dlms.schedule_entries e using (push_schedule_id)
  group by m.id`;

/** For each schedule that there is, up to now. Throws StoreError. */
export async function firingsOfDays(database: Queryable, { from, to }: Days): Promise<Firings[]> {
  const rows = await database.query<{ schedule: string }>(
    `select distinct schedule from (${SCHEDULED_SETUPS}) s order by schedule`,
    [from, to],
  );
  const firings: Firings[] = [];
  for (const { schedule } of rows) {
    firings.push(...firingsOf(schedule, { from, to }, Date.now()));
    // Makers spread the times: there may be as many schedules as meters.
    await setImmediate();
  }
  return firings;
}

function firingsOf(schedule: string, { from, to }: Days, nowMs: number): Firings[] {
  const [zoneName = "", ...lines] = schedule.split("\n");
  const zone = namedZone(zoneName);
  const entries = lines.map((line) => {
    const [time = "", ...date] = line.split(" ");
    return entryFromTexts(time, date.join(" "));
  });
  const firings: Firings[] = [];
  for (let startMs = Date.parse(from); startMs <= Date.parse(to); startMs += DAY_MS) {
    const endMs = Math.min(startMs + DAY_MS, nowMs);
    let times = 0;
    let atMs = nextPushMs(entries, zone, startMs - 1);
    while (atMs !== undefined && atMs < endMs) {
      times++;
      atMs = nextPushMs(entries, zone, atMs);
    }
    if (times > 0) firings.push({ schedule, day: new Date(startMs).toISOString().slice(0, from.length), times });
  }
  return firings;
}
