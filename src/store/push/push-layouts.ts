/** What the pushes of meters are, as it was read from them: kept in versions, the same layout once for all meters. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { layoutText, type PushLayout, type PushLayoutVersion } from "../../push/receive/push-layouts.ts";
import type { Database } from "../database/database.ts";
import { captureObjectForm, layoutSourceFrom, registerScalerForm } from "../profiles/kept-layout.ts";

/** Keeps what a meter's pushes are from now on; the meter's firmware with it. Throws StoreError. */
export async function keepPushLayout(database: Database, meterId: string, version: PushLayoutVersion): Promise<void> {
  const text = layoutText(version.layout);
  const digest = createHash("sha256").update(text).digest();
  await database.transaction(async (client) => {
    await client.query(
      "insert into dlms.push_layouts (digest, layout) values ($1::bytea, $2::jsonb) on conflict do nothing",
      [digest, text],
    );
    await client.query(
      `insert into dlms.meter_push_layouts (meter_id, version, push_layout_key, firmware, read_at)
       select $1::uuid, coalesce((select max(version) from dlms.meter_push_layouts where meter_id = $1::uuid), 0) + 1,
         push_layout_key, $3::text, $4::timestamptz
       from dlms.push_layouts where digest = $2::bytea`,
      [meterId, digest, version.firmware ?? null, version.readAt],
    );
    await client.query(
      `update public.meters set firmware = $2::text, updated_at = now()
       where id = $1::uuid and $2::text is not null and firmware is distinct from $2::text`,
      [meterId, version.firmware ?? null],
    );
  });
}

/** Other gateways hear of what was asked of meters: from whom, and the meter's id. */
export const LEARNED_CHANNEL = "dlms_push_learned";

/** Tells other gateways that what a meter's pushes are was asked of it. Throws StoreError. */
export async function tellLearned(database: Database, gatewayId: string, meterId: string): Promise<void> {
  await database.query("select pg_notify($1, $2)", [LEARNED_CHANNEL, `${gatewayId} ${meterId}`]);
}

interface Row {
  meter_key: number;
  push_layout_key: number;
  firmware: string | null;
  read_at: Date;
}

/** All versions, the oldest first, by the meter's key; of all meters when left out. Meters with the same layout share it. */
export async function loadPushLayouts(
  database: Database,
  meterIds?: readonly string[],
): Promise<Map<number, PushLayoutVersion[]>> {
  const kept = await database.query<{ push_layout_key: number; layout: unknown }>(
    "select push_layout_key, layout from dlms.push_layouts",
  );
  const layouts = new Map(kept.map((row) => [row.push_layout_key, pushLayoutOf(row.layout)]));
  const rows = await database.query<Row>(
    `select m.meter_key, l.push_layout_key, l.firmware, l.read_at
     from dlms.meter_push_layouts l join public.meters m on m.id = l.meter_id
     where $1::uuid[] is null or l.meter_id = any ($1::uuid[]) order by l.meter_id, l.version`,
    [meterIds ?? null],
  );
  const meters = new Map<number, PushLayoutVersion[]>();
  for (const row of rows) {
    const layout = layouts.get(row.push_layout_key);
    if (layout === undefined) continue;
    const versions = meters.get(row.meter_key) ?? [];
    meters.set(row.meter_key, versions);
    versions.push({ layout, firmware: row.firmware ?? undefined, readAt: row.read_at });
  }
  return meters;
}

const layoutForm = z.object({
  lists: z.array(z.tuple([z.string(), z.array(captureObjectForm)])),
  scalers: z.array(registerScalerForm),
  profiles: z.array(z.tuple([z.string(), z.unknown()])),
});

/** A layout of its text, parsed. Throws ZodError. */
export function pushLayoutOf(value: unknown): PushLayout {
  const { lists, scalers, profiles } = layoutForm.parse(value);
  return {
    lists: new Map(lists),
    scalers,
    profiles: new Map(profiles.map(([name, source]) => [name, layoutSourceFrom(source)])),
  };
}
