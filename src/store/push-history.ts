/** Every push that came in: its octets, what became of it, and its values under their logical names. */
import type { OtherValue } from "../profiles/batch.ts";
import type { Database } from "./database.ts";
import { valueText } from "./meter-records.ts";

export interface ReceivedPush {
  readonly receivedAt: Date;
  /** Address of whoever sent it. */
  readonly peer: string;
  readonly transport: string;
  readonly meterId: string | undefined;
  readonly systemTitle: Uint8Array | undefined;
  /** `stored`: all values have a place; `partial`: some were set aside; `rejected`: none was taken. */
  readonly outcome: "stored" | "partial" | "rejected";
  /** Why it was not stored whole. */
  readonly reason: string | undefined;
  /** As they came off the wire. */
  readonly octets: Uint8Array;
  readonly values: readonly PushedValue[];
}

export interface PushedValue {
  /** `class:logical name:attribute` */
  readonly captureObject: string;
  /** An exact decimal as text, text, octets in hex (`0x…`), a boolean, or nested of these. */
  readonly value: OtherValue;
  /** UCUM unit, or undefined. */
  readonly unit: string | undefined;
}

/** Keeps a push in one statement; durable when it returns. */
export async function keepPush(database: Pick<Database, "query">, push: ReceivedPush): Promise<void> {
  await database.query(
    `with push as (
       insert into dlms.push_history (received_at, peer, transport, meter_id, system_title, outcome, reason, octets)
       values ($1::timestamptz, $2::text, $3::text, $4::uuid, $5::bytea, $6::text, $7::text, $8::bytea)
       returning push_key, received_at
     )
     insert into dlms.push_values (push_key, received_at, position, capture_object, value, unit)
     select push.push_key, push.received_at, v.position, v.capture_object, v.value, v.unit
     from push, unnest($9::text[], $10::text[], $11::text[])
       with ordinality as v (capture_object, value, unit, position)`,
    [
      push.receivedAt,
      push.peer,
      push.transport,
      push.meterId ?? null,
      push.systemTitle === undefined ? null : Buffer.from(push.systemTitle),
      push.outcome,
      push.reason ?? null,
      Buffer.from(push.octets),
      push.values.map((each) => each.captureObject),
      push.values.map((each) => valueText(each.value)),
      push.values.map((each) => each.unit ?? null),
    ],
  );
}
