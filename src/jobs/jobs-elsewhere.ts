/** Work for single meters that other gateways have been asked for and have not answered yet. */
import type { Queryable } from "../store/database/database.ts";

export interface JobElsewhere {
  readonly meter: string;
  readonly kind: string;
  readonly askedAt: Date;
  /** Name of the gateway that is at it; null while none is. */
  readonly gateway: string | null;
}

/** The oldest first; those that the gateway itself is at are left out. Throws StoreError. */
export async function jobsElsewhere(database: Queryable, me: string, most: number): Promise<JobElsewhere[]> {
  return await database.query<JobElsewhere & Record<string, unknown>>(
    `select j.meter_name as meter, j.kind, j.asked_at as "askedAt", g.name as gateway
     from dlms.jobs j left join dlms.gateways g on g.gateway_id = j.taken_by
     where j.answered_at is null and j.expires_at > now() and j.taken_by is distinct from $1::uuid
     order by j.job_key limit $2`,
    [me, most],
  );
}
