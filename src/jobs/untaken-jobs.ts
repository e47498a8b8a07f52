/** Work for single meters that gateways have asked of others, and that none has taken yet. */
import type { Queryable } from "../store/database/database.ts";

export interface UntakenJob {
  readonly meter: string;
  readonly kind: string;
  readonly askedAt: Date;
  /** Name of the gateway that asks; empty where it has left. */
  readonly askedBy: string;
}

/** The oldest first; questions to gateways are none. Throws StoreError. */
export async function untakenJobs(database: Queryable, most: number): Promise<UntakenJob[]> {
  return await database.query<UntakenJob & Record<string, unknown>>(
    `select j.meter_name as meter, j.kind, j.asked_at as "askedAt", coalesce(g.name, '') as "askedBy"
     from dlms.jobs j left join dlms.gateways g on g.gateway_id = j.asked_by
     where j.taken_by is null and j.answered_at is null and j.expires_at > now() and j.meter_name <> ''
     order by j.job_key limit $1`,
    [most],
  );
}
