/**
 * Which rows are held already just as they come: read back in the form in which they would be written, and compared octet
 * by octet. That takes no lock and writes nothing, and what is left is what has to be merged.
 */
import { finished } from "node:stream/promises";
import type { PoolClient } from "pg";
import { type CopyToStreamQuery, to as copyTo } from "pg-copy-streams";
import { COPY_HEADER_LENGTH, CopyRows } from "../database/binary-copy.ts";
import { instantOf, type ProfileRow, type RowLayout, rangeOf } from "./profile-rows.ts";
import { dataTable } from "./profile-tables.ts";

/** Where the fields are in rows as RowLayout encodes them, and as they are read back. */
const ARRIVED = { time: 0, meter: 2, values: 7 };
const HELD = { time: 0, meter: 1, values: 2 };
const LENGTH_OCTETS = 4;
const COUNT_OCTETS = 2;
const ABSENT = 0xffff_ffff;

/** The rows that are not held, or not just like this; `rows` are sorted by meter and time. */
export async function notHeldAlike(
  client: PoolClient,
  layout: RowLayout,
  rows: readonly ProfileRow[],
): Promise<readonly ProfileRow[]> {
  // What has no column is compared by the database alone.
  if (layout.hasOthers || rows.length === 0) return rows;
  const encoded = new CopyRows();
  const sound: ProfileRow[] = [];
  const left: ProfileRow[] = [];
  for (const row of rows) (layout.encode(row, encoded) === undefined ? sound : left).push(row);
  if (sound.length === 0) return rows;
  const arrived = new RowWalk(encoded.finish(), ARRIVED, layout.valueColumns.length);
  const held = new RowWalk(await readHeld(client, layout, sound), HELD, layout.valueColumns.length);
  let isThere = held.next();
  for (const row of sound) {
    arrived.next();
    while (isThere && held.isBefore(arrived)) isThere = held.next();
    if (!isThere || !held.holds(arrived)) left.push(row);
  }
  return left.length === rows.length ? rows : left;
}

/** What is held of the meters in the span of time that their rows have, as octets of a COPY. */
async function readHeld(client: PoolClient, layout: RowLayout, rows: readonly ProfileRow[]): Promise<Uint8Array> {
  const spans = new Map<number, { from: number; to: number }>();
  for (const row of rows) {
    const ms = instantOf(row);
    const span = spans.get(row.batch.meterKey);
    if (span === undefined) spans.set(row.batch.meterKey, { from: ms, to: ms });
    else span.to = Math.max(span.to, ms);
  }
  const list = [...spans.values()];
  const times = (pick: (span: { from: number; to: number }) => number) =>
    literal(
      list.map((span) => new Date(pick(span)).toISOString()),
      "timestamptz",
    );
  const columns = ["captured_at", "meter_key", ...layout.valueColumns.map(({ name }) => name)];
  const keys = literal([...spans.keys()], "int");
  const [first, last] = rangeOf(rows);
  const within = `d.captured_at between '${new Date(first).toISOString()}' and '${new Date(last).toISOString()}'`;
  // Meters that are read at the same time bring the same slots: one scan finds these several times as fast.
  const isOneSpan = list.every((span) => span.from === first && span.to === last);
  const selection = isOneSpan
    ? `select ${columns.join(", ")} from dlms.${dataTable(layout.profile)} d
      where d.meter_key = any (${keys}) and ${within} order by d.meter_key, d.captured_at`
    : `select ${columns.map((name) => `t.${name}`).join(", ")}
      from unnest(${keys}, ${times((span) => span.from)}, ${times((span) => span.to)})
        with ordinality as k (meter_key, first_at, last_at, place)
      cross join lateral (
        select * from dlms.${dataTable(layout.profile)} d
        where d.meter_key = k.meter_key and d.captured_at between k.first_at and k.last_at
          and ${within}
        order by d.captured_at offset 0
      ) t order by k.place, t.captured_at`;
  const chunks: Uint8Array[] = [];
  const stream: CopyToStreamQuery & TimedQuery = client.query(copyTo(`copy (${selection}) to stdout (format binary)`));
  stream.on("data", (chunk: Uint8Array) => chunks.push(chunk));
  try {
    await finished(stream);
  } finally {
    stream.callback?.();
  }
  return Buffer.concat(chunks);
}

/** The driver ends its limit of time by this; the stream, unlike other queries, does not call it by itself. */
interface TimedQuery {
  readonly callback?: () => void;
}

/** COPY takes no parameters; all of these are numbers and times of ours. */
function literal(values: readonly (number | string)[], type: string): string {
  return `'{${values.join(",")}}'::${type}[]`;
}

interface Places {
  readonly time: number;
  readonly meter: number;
  readonly values: number;
}

/** Goes through the rows of a binary COPY in order. */
class RowWalk {
  readonly #octets: Uint8Array;
  readonly #view: DataView;
  readonly #places: Places;
  /** Where each field's length is. */
  readonly #fields: Int32Array;
  #end = COPY_HEADER_LENGTH;

  constructor(octets: Uint8Array, places: Places, valueCount: number) {
    this.#octets = octets;
    this.#view = new DataView(octets.buffer, octets.byteOffset, octets.length);
    this.#places = places;
    this.#fields = new Int32Array(places.values + valueCount);
  }

  /** Steps to the next row; false at the end. */
  next(): boolean {
    let at = this.#end;
    if (at + COUNT_OCTETS > this.#octets.length) return false;
    const count = this.#view.getInt16(at);
    if (count < 0) return false;
    at += COUNT_OCTETS;
    for (let field = 0; field < count; field++) {
      if (field < this.#fields.length) this.#fields[field] = at;
      const length = this.#view.getUint32(at);
      at += LENGTH_OCTETS + (length === ABSENT ? 0 : length);
    }
    this.#end = at;
    return true;
  }

  isBefore(other: RowWalk): boolean {
    const difference = this.#meter - other.#meter;
    if (difference !== 0) return difference < 0;
    return this.#time < other.#time;
  }

  /** Whether it is the same slot, and has every value that the other one brings. */
  holds(other: RowWalk): boolean {
    if (this.#meter !== other.#meter || this.#time !== other.#time) return false;
    for (let at = 0; at < this.#fields.length - this.#places.values; at++) {
      if (
        !this.#isAlike(
          this.#fields[this.#places.values + at] ?? 0,
          other,
          other.#fields[other.#places.values + at] ?? 0,
        )
      ) {
        return false;
      }
    }
    return true;
  }

  #isAlike(here: number, other: RowWalk, there: number): boolean {
    const length = other.#view.getUint32(there);
    if (length === ABSENT) return true;
    if (this.#view.getUint32(here) !== length) return false;
    for (let at = LENGTH_OCTETS; at < LENGTH_OCTETS + length; at++) {
      if (this.#octets[here + at] !== other.#octets[there + at]) return false;
    }
    return true;
  }

  get #meter(): number {
    return this.#view.getInt32((this.#fields[this.#places.meter] ?? 0) + LENGTH_OCTETS);
  }

  get #time(): number {
    const at = (this.#fields[this.#places.time] ?? 0) + LENGTH_OCTETS;
    // Beyond 2255 not every microsecond is a number of its own, but every millisecond is.
    return this.#view.getInt32(at) * 2 ** 32 + this.#view.getUint32(at + 4);
  }
}
