/** Pushes and their values in the form of their tables. */
import type { PoolClient } from "pg";
import { type CopyRows, copyInto, copyRowsOf } from "../database/binary-copy.ts";
import { valueText } from "../records/meter-records.ts";
import type { QueuedPush } from "./received-push.ts";

type KeyedPush = Pick<QueuedPush, "push" | "key">;

export async function copyPushes(client: PoolClient, pushes: readonly KeyedPush[]): Promise<void> {
  if (pushes.length === 0) return;
  await copyInto(
    client,
    { table: "dlms.push_history", columns: HISTORY_COLUMNS },
    await copyRowsOf(pushes, addHistory),
  );
  await copyValues(client, pushes);
}

export async function copyValues(client: PoolClient, pushes: readonly KeyedPush[]): Promise<void> {
  if (pushes.every(({ push }) => push.values.length === 0)) return;
  await copyInto(client, { table: "dlms.push_values", columns: VALUE_COLUMNS }, await copyRowsOf(pushes, addValues));
}

const HISTORY_COLUMNS = [
  "push_key",
  "received_at",
  "peer",
  "transport",
  "meter_id",
  "system_title",
  "push_setup",
  "read_at",
  "protection",
  "verified",
  "marks",
  "sender_names",
  "attributed_by",
  "repeat_key",
  "outcome",
  "reason",
  "octets",
];

function addHistory(rows: CopyRows, { push, key = 0n }: KeyedPush): void {
  rows.beginRow(HISTORY_COLUMNS.length);
  rows.int8(key);
  rows.timestamptz(push.receivedAt.getTime());
  rows.text(push.peer);
  rows.text(push.transport);
  optional(rows, push.meterId, (id) => rows.uuid(id));
  optional(rows, push.systemTitle, (title) => rows.bytea(title));
  optional(rows, push.pushSetup, (name) => rows.text(name));
  optional(rows, push.readAt, (at) => rows.distantTimestamptz(BigInt(at.getTime())));
  optional(rows, push.protection, (protection) => rows.text(protection));
  optional(rows, push.verified, (verified) => rows.bool(verified));
  rows.texts(push.marks.map(valueText));
  rows.texts(push.senderNames.map(valueText));
  optional(rows, push.attributedBy, (by) => rows.text(by));
  optional(rows, push.repeatKey, (repeatKey) => rows.bytea(repeatKey));
  rows.text(push.outcome);
  optional(rows, push.reason, (reason) => rows.text(valueText(reason)));
  rows.bytea(push.octets);
}

const VALUE_COLUMNS = ["push_key", "received_at", "position", "capture_object", "value", "unit"];

function addValues(rows: CopyRows, { push: { receivedAt, values }, key = 0n }: KeyedPush): void {
  for (const [position, { captureObject, value, unit }] of values.entries()) {
    rows.beginRow(VALUE_COLUMNS.length);
    rows.int8(key);
    rows.timestamptz(receivedAt.getTime());
    rows.int4(position + 1);
    rows.text(valueText(captureObject));
    rows.text(valueText(value));
    optional(rows, unit, (text) => rows.text(text));
  }
}

function optional<T>(rows: CopyRows, value: T | undefined, write: (value: T) => void): void {
  if (value === undefined) rows.absent();
  else write(value);
}
