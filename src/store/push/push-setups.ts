/** What the push setups of meters send, and where to: as it was read from them last. */
import type { CaptureObject } from "../../../protocol/cosem/capture-object.ts";
import type { PushSchedule } from "../../push/setups/push-schedule.ts";
import type { Database } from "../database/database.ts";
import { insertSchedules } from "./push-schedules.ts";

export interface StoredPushSetup {
  /** Dotted logical name. */
  readonly logicalName: string;
  /** As the meter has it, for people. */
  readonly destination: string | undefined;
  readonly transport: string | undefined;
  /** The push_object_list, in order. */
  readonly objects: readonly CaptureObject[];
  /** Most seconds by which a push is put off by chance. */
  readonly randomisationS?: number | undefined;
  /** When it sends: its schedule and its window, as far as the meter tells. */
  readonly schedules?: readonly PushSchedule[];
}

/** Replaces what is held of these setups of a meter. */
export async function keepPushSetups(
  database: Database,
  meterId: string,
  setups: readonly StoredPushSetup[],
): Promise<void> {
  if (setups.length === 0) return;
  await database.transaction(async (client) => {
    const { rows } = await client.query<{ push_setup_id: string; logical_name: string }>(
      `insert into dlms.push_setups as p (meter_id, logical_name, destination, transport, randomisation_s)
       select $1::uuid, * from unnest($2::text[], $3::text[], $4::text[], $5::int[])
       on conflict (meter_id, logical_name) do update set
         destination = excluded.destination, transport = excluded.transport,
         randomisation_s = excluded.randomisation_s, updated_at = now()
       returning push_setup_id, logical_name`,
      [
        meterId,
        setups.map((setup) => setup.logicalName),
        setups.map((setup) => setup.destination ?? null),
        setups.map((setup) => setup.transport ?? null),
        setups.map((setup) => setup.randomisationS ?? null),
      ],
    );
    const ids = new Map(rows.map((row) => [row.logical_name, row.push_setup_id]));
    await client.query("delete from dlms.push_objects where push_setup_id = any ($1::uuid[])", [[...ids.values()]]);
    const objects = setups.flatMap((setup) =>
      setup.objects.map((object, position) => ({ ...object, position, setupId: ids.get(setup.logicalName) })),
    );
    await client.query(
      `insert into dlms.push_objects (push_setup_id, position, class_id, logical_name, attribute_index, data_index)
       select * from unnest($1::uuid[], $2::int[], $3::int[], $4::text[], $5::int[], $6::int[])`,
      [
        objects.map((object) => object.setupId),
        objects.map((object) => object.position + 1),
        objects.map((object) => object.classId),
        objects.map((object) => object.logicalName),
        objects.map((object) => object.attributeId),
        objects.map((object) => object.dataIndex),
      ],
    );
    await client.query(
      "delete from dlms.push_schedules where push_setup_id = any ($1::uuid[]) and kind <> 'expectation'",
      [[...ids.values()]],
    );
    await insertSchedules(
      client,
      setups.flatMap(({ logicalName, schedules = [] }) =>
        schedules.map((schedule) => ({ ...schedule, setupId: ids.get(logicalName) ?? "" })),
      ),
    );
  });
}
