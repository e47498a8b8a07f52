/**
 * The octets that profile rows were decoded from, kept compressed for a configurable time. They go the way of their rows:
 * into the same transaction, and into the spool with them. What a write brings of many meters is packed into few rows.
 */
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { zstdCompress, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { PoolClient } from "pg";
import { z } from "zod";
import type { DeviationRule } from "../../../protocol/cosem/date-time.ts";
import { layoutSource, type ProfileLayout, profileLayout } from "../../../protocol/profile/layout.ts";
import type { PackedBuffer, ProfileBatch, ProfileKind, ReadingSource, ReadOctets } from "../../profiles/batch.ts";
import { CopyRows, copyInto } from "../database/binary-copy.ts";
import type { Database } from "../database/database.ts";
import { layoutSourceFrom } from "./kept-layout.ts";
import { BUFFER_FORMS, DEVIATION_RULES, PROFILE_KINDS, SOURCES, sourceCode } from "./profile-tables.ts";
import type { PreparedParticipant, WrittenBatches } from "./profile-writer.ts";
import { SharedTexts } from "./shared-texts.ts";

/** A test fails when what is made of octets has changed without it: what an older one made can be found by it. */
export const DECODER_VERSION = 1;

export interface RawBuffer extends ReadOctets {
  readonly meterKey: number;
  readonly profile: ProfileKind;
  readonly source: ReadingSource;
  readonly receivedAt: Date;
  readonly layout: ProfileLayout;
  readonly deviation: DeviationRule;
}

const COLUMNS = [
  "received_at",
  "raw_layout_key",
  "decoder_version",
  "source",
  "form",
  "profile",
  "fingerprint",
  "deviation",
  "meter_keys",
  "received_ms",
  "octet_counts",
  "compressed_each",
  "octets",
] as const;
const ZSTD = 1;
const NONE = 0;
/** Shorter ones are compressed together: one by one that takes longer than all the rest, and they hardly shrink. */
const LEAST_OCTETS = 1024;
/** Buffers are short mostly: a smaller piece of memory at a time is a quarter cheaper. */
const CHUNK_OCTETS = 4096;
const PACK_CHUNK_OCTETS = 65_536;
/** Of what is packed together: bounds what has to be unpacked for one meter's buffer. */
const PACK_OCTETS = 1024 * 1024;
const PACK_SPAN_MS = 3_600_000;
/** More would be no buffer that was read. */
const MOST_OCTETS = 64 * 1024 * 1024;
const PACKS_AT_ONCE = 20;
const layoutTexts = new WeakMap<ProfileLayout, string>();

/** Octets as they go to the store with their rows: long ones are compressed at once, wherever they wait. */
export function packBuffer({ form, receivedAt, layout, deviation, octets }: RawBuffer): PackedBuffer {
  const isShort = octets.length < LEAST_OCTETS;
  return {
    form,
    receivedAt,
    layout: layoutText(layout),
    layoutFingerprint: layout.fingerprint,
    deviation,
    octetCount: octets.length,
    compression: isShort ? NONE : ZSTD,
    octets: isShort ? octets : zstdCompressSync(octets, { pledgedSrcSize: octets.length, chunkSize: CHUNK_OCTETS }),
  };
}

/** Beside the thread that all else runs on. */
const compressPack: (octets: Uint8Array, options: { readonly chunkSize: number }) => Promise<Uint8Array> =
  promisify(zstdCompress);

/** The octets as they came. */
export function unpackBuffer({ compression, octets }: Pick<PackedBuffer, "compression" | "octets">): Uint8Array {
  return compression === ZSTD ? decompressed(octets) : octets;
}

function decompressed(octets: Uint8Array): Uint8Array {
  return zstdDecompressSync(octets, { maxOutputLength: MOST_OCTETS });
}

/** A layout serves many buffers of its meter. */
function layoutText(layout: ProfileLayout): string {
  const known = layoutTexts.get(layout);
  if (known !== undefined) return known;
  const text = JSON.stringify(layoutSource(layout));
  layoutTexts.set(layout, text);
  return text;
}

/** A batch of no rows, for buffers that gave none. */
export function rowlessBatch(
  { meterKey, profile, source, receivedAt }: RawBuffer,
  buffers: readonly PackedBuffer[],
): ProfileBatch {
  const none = { rowCount: 0, instantsMs: [], timeRules: [], meterTimes: undefined, columns: [], others: [] };
  const layoutFingerprint = buffers[0]?.layoutFingerprint ?? "";
  return { meterKey, profile, source, layoutFingerprint, readAt: receivedAt, intervalS: undefined, ...none, buffers };
}

const LAYOUTS = {
  add: `insert into dlms.raw_layouts (digest, layout)
    select sha256(convert_to(t, 'UTF8')), t::jsonb from unnest($1::text[]) as t order by 1 on conflict do nothing`,
  find: `select t as text, l.raw_layout_key as key
    from unnest($1::text[]) as t join dlms.raw_layouts l on l.digest = sha256(convert_to(t, 'UTF8'))`,
};

/** Takes part in writes: buffers of the batches become durable with their rows. */
export class BufferKeeping implements PreparedParticipant {
  readonly #layouts: SharedTexts;

  constructor(database: Database) {
    this.#layouts = new SharedTexts(database, LAYOUTS);
  }

  prepare(batches: readonly ProfileBatch[]): Promise<void> {
    return this.#layouts.learn(batches.flatMap(({ buffers = [] }) => buffers.map(({ layout }) => layout)));
  }

  async takePart(client: PoolClient, { batches, isRepeat }: WrittenBatches): Promise<void> {
    let all: readonly BatchBuffer[] = batches.flatMap((batch) =>
      (batch.buffers ?? []).map((buffer) => ({ batch, buffer })),
    );
    if (isRepeat && all.length > 0) all = await withoutHeld(client, all);
    if (all.length === 0) return;
    const rows = new CopyRows();
    for (const pack of packsOf(all)) {
      const octets = Buffer.concat(pack.members.map((each) => each.buffer.octets));
      const isCompressed = pack.buffer.compression === ZSTD;
      this.#encode(pack, isCompressed ? octets : await compressPack(octets, { chunkSize: PACK_CHUNK_OCTETS }), rows);
    }
    await copyInto(client, { table: "dlms.raw_buffers", columns: COLUMNS }, rows.finish());
  }

  #encode({ batch, buffer, members, fromMs }: BufferPack, octets: Uint8Array, into: CopyRows): void {
    into.beginRow(COLUMNS.length);
    into.timestamptz(fromMs);
    into.int4(this.#layouts.keyOf(buffer.layout));
    into.int4(DECODER_VERSION);
    into.int2(sourceCode(batch.source));
    into.text(buffer.form);
    into.text(batch.profile);
    into.text(buffer.layoutFingerprint);
    into.text(buffer.deviation);
    into.int4s(members.map((each) => each.batch.meterKey));
    into.int4s(members.map((each) => each.buffer.receivedAt.getTime() - fromMs));
    into.int4s(members.map((each) => each.buffer.octets.length));
    into.bool(buffer.compression === ZSTD);
    into.bytea(octets);
  }
}

interface BatchBuffer {
  readonly batch: ProfileBatch;
  readonly buffer: PackedBuffer;
}

/** What is alike in all of its members is taken from the first. */
interface BufferPack extends BatchBuffer {
  readonly members: BatchBuffer[];
  fromMs: number;
  toMs: number;
  octetCount: number;
}

function packsOf(all: readonly BatchBuffer[]): readonly BufferPack[] {
  const packs: BufferPack[] = [];
  for (const each of all) {
    const receivedMs = each.buffer.receivedAt.getTime();
    // There are few, and the last one fits mostly.
    const pack = packs.findLast((one) => fits(one, each));
    if (pack === undefined) {
      packs.push({
        ...each,
        members: [each],
        fromMs: receivedMs,
        toMs: receivedMs,
        octetCount: each.buffer.octetCount,
      });
      continue;
    }
    pack.members.push(each);
    pack.fromMs = Math.min(pack.fromMs, receivedMs);
    pack.toMs = Math.max(pack.toMs, receivedMs);
    pack.octetCount += each.buffer.octetCount;
  }
  return packs;
}

function fits(pack: BufferPack, { batch, buffer }: BatchBuffer): boolean {
  const receivedMs = buffer.receivedAt.getTime();
  return (
    pack.buffer.layout === buffer.layout &&
    pack.batch.profile === batch.profile &&
    pack.batch.source === batch.source &&
    pack.buffer.form === buffer.form &&
    pack.buffer.deviation === buffer.deviation &&
    pack.buffer.layoutFingerprint === buffer.layoutFingerprint &&
    pack.buffer.compression === buffer.compression &&
    pack.octetCount + buffer.octetCount <= PACK_OCTETS &&
    receivedMs > pack.toMs - PACK_SPAN_MS &&
    receivedMs < pack.fromMs + PACK_SPAN_MS
  );
}

interface Identity {
  readonly meterKey: number;
  readonly profile: string;
  readonly receivedAt: Date;
  readonly octets: Uint8Array;
}

function identityOf({ meterKey, profile, receivedAt, octets }: Identity): string {
  const digest = createHash("sha256").update(octets).digest("hex");
  return [meterKey, profile, receivedAt.getTime(), digest].join(" ");
}

/** Those that an earlier write of the same has not left. */
async function withoutHeld(client: PoolClient, all: readonly BatchBuffer[]): Promise<readonly BatchBuffer[]> {
  let [fromMs, toMs] = [Infinity, -Infinity];
  for (const { buffer } of all) {
    fromMs = Math.min(fromMs, buffer.receivedAt.getTime());
    toMs = Math.max(toMs, buffer.receivedAt.getTime());
  }
  const { rows } = await client.query<PackRow>(
    `${SELECT_PACKS} where b.received_at between $3::timestamptz and $4::timestamptz and exists (
       select from unnest(b.meter_keys, b.received_ms) as k (meter_key, ms)
       where (k.meter_key, b.received_at + k.ms * interval '1 ms') in (select * from unnest($1::int[], $2::timestamptz[]))
     )`,
    [
      all.map(({ batch }) => batch.meterKey),
      all.map(({ buffer }) => buffer.receivedAt),
      new Date(fromMs - PACK_SPAN_MS),
      new Date(toMs),
    ],
  );
  if (rows.length === 0) return all;
  const held = new Set(
    rows.flatMap((row) => membersOf(row).map((each) => identityOf({ profile: row.profile, ...each }))),
  );
  return all.filter(({ batch: { meterKey, profile }, buffer }) => {
    const octets = unpackBuffer(buffer);
    return !held.has(identityOf({ meterKey, profile, receivedAt: buffer.receivedAt, octets }));
  });
}

interface PackRow {
  raw_buffer_key: bigint;
  received_at: Date;
  form: string;
  profile: string;
  source: number;
  layout: unknown;
  deviation: string;
  decoder_version: number;
  meter_keys: number[];
  received_ms: number[];
  octet_counts: number[];
  compressed_each: boolean;
  octets: Uint8Array;
}

const SELECT_PACKS = `select b.raw_buffer_key, b.received_at, b.form, b.profile, b.source, l.layout, b.deviation,
    b.decoder_version, b.meter_keys, b.received_ms, b.octet_counts, b.compressed_each, b.octets
  from dlms.raw_buffers b join dlms.raw_layouts l on l.raw_layout_key = b.raw_layout_key`;

function membersOf(row: PackRow): { meterKey: number; receivedAt: Date; octets: Uint8Array }[] {
  const octets = row.compressed_each ? row.octets : decompressed(row.octets);
  let end = 0;
  return row.meter_keys.map((meterKey, at) => {
    const start = end;
    end += row.octet_counts[at] ?? 0;
    const receivedAt = new Date(row.received_at.getTime() + (row.received_ms[at] ?? 0));
    const own = octets.subarray(start, end);
    return { meterKey, receivedAt, octets: row.compressed_each ? decompressed(own) : own };
  });
}

export interface RawBufferQuery {
  readonly meterKeys: readonly number[];
  readonly sinceMs?: number | undefined;
  readonly profile?: ProfileKind | undefined;
}

/** Buffers that were written together, and of these the ones that were asked for. */
export interface KeptBuffers {
  readonly key: bigint;
  readonly receivedAt: Date;
  readonly decoderVersion: number;
  readonly buffers: readonly RawBuffer[];
  /** Whether all of them were asked for. */
  readonly isWhole: boolean;
}

const KEPT_AFTER = `b.received_at >= $2::timestamptz
  and (b.received_at, b.raw_buffer_key) > ($2::timestamptz, $3::bigint)
  and ($4::text is null or b.profile = $4::text)
  and exists (select from unnest(b.meter_keys) as k (meter_key) where k.meter_key = any ($1::int[]))`;

/** How many packs `keptBuffers` goes through. Throws StoreError. */
export async function countKeptPacks(
  database: Database,
  { meterKeys, sinceMs, profile }: RawBufferQuery,
): Promise<number> {
  const [row] = await database.query<{ count: number }>(
    `select count(*)::int as count from dlms.raw_buffers b where ${KEPT_AFTER}`,
    [meterKeys, firstReceived(sinceMs), 0n, profile ?? null],
  );
  return row?.count ?? 0;
}

/** Packs hold what came within a span. */
function firstReceived(sinceMs = -Infinity): Date {
  return new Date(Math.max(0, sinceMs - PACK_SPAN_MS));
}

/** Kept buffers in the order in which they came. Throws StoreError. */
export async function* keptBuffers(database: Database, query: RawBufferQuery): AsyncGenerator<KeptBuffers> {
  const { meterKeys, sinceMs = -Infinity, profile = null } = query;
  const wanted = new Set(meterKeys);
  let after = { received_at: firstReceived(sinceMs), raw_buffer_key: 0n };
  for (;;) {
    const rows = await database.query<PackRow>(
      `${SELECT_PACKS} where ${KEPT_AFTER} order by b.received_at, b.raw_buffer_key limit ${PACKS_AT_ONCE}`,
      [meterKeys, after.received_at, after.raw_buffer_key, profile],
    );
    for (const row of rows) {
      const buffers = buffersOf(row).filter(
        (each) => wanted.has(each.meterKey) && each.receivedAt.getTime() >= sinceMs,
      );
      if (buffers.length === 0) continue;
      yield {
        key: row.raw_buffer_key,
        receivedAt: row.received_at,
        decoderVersion: row.decoder_version,
        buffers,
        isWhole: buffers.length === row.meter_keys.length,
      };
    }
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last;
  }
}

/** Notes which decoder made rows of buffers last. */
export const NOTE_DECODER = `update dlms.raw_buffers set decoder_version = $3::int
  where raw_buffer_key = $1::bigint and received_at = $2::timestamptz and decoder_version <> $3::int`;

const deviationSchema = z.enum(DEVIATION_RULES);
const formSchema = z.enum(BUFFER_FORMS);

function buffersOf(row: PackRow): RawBuffer[] {
  const head = {
    form: formSchema.parse(row.form),
    profile: PROFILE_KINDS.find((kind) => kind === row.profile) ?? "instant",
    source: SOURCES[row.source - 1] ?? "poll",
    layout: layoutFrom(row.layout),
    deviation: deviationSchema.parse(row.deviation),
  };
  return membersOf(row).map((each) => Object.assign(each, head));
}

/** Of what it was put together from: a mended `profileLayout` then makes a mended layout of it. */
function layoutFrom(value: unknown): ProfileLayout {
  return profileLayout(layoutSourceFrom(value));
}
