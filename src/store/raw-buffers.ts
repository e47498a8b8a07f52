/**
 * The octets of profile buffers, kept compressed for a configurable time. They go the way of their rows: into the same
 * transaction, and into the spool with them.
 */
import { createHash } from "node:crypto";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { PoolClient } from "pg";
import { z } from "zod";
import type { DeviationRule } from "../../protocol/cosem/date-time.ts";
import { layoutSource, type ProfileLayout, profileLayout } from "../../protocol/profile/layout.ts";
import type { PackedBuffer, ProfileBatch, ProfileKind, ReadingSource } from "../profiles/batch.ts";
import { CopyRows, copyInto } from "./binary-copy.ts";
import type { Database } from "./database.ts";
import { layoutSourceFrom } from "./kept-layout.ts";
import { DEVIATION_RULES, PROFILE_KINDS, SOURCES } from "./profile-tables.ts";
import type { PreparedParticipant, WrittenBatches } from "./profile-writer.ts";

/** A test fails when what is made of octets has changed without it: what an older one made can be found by it. */
export const DECODER_VERSION = 1;

export interface RawBuffer {
  readonly meterKey: number;
  readonly profile: ProfileKind;
  readonly source: ReadingSource;
  readonly receivedAt: Date;
  readonly layout: ProfileLayout;
  readonly deviation: DeviationRule;
  /** The buffer attribute's value as it came. */
  readonly octets: Uint8Array;
}

const COLUMNS = [
  "received_at",
  "meter_key",
  "raw_layout_key",
  "decoder_version",
  "octet_count",
  "source",
  "compression",
  "profile",
  "fingerprint",
  "deviation",
  "octets",
] as const;
const ZSTD = 1;
const NONE = 0;
/** Shorter ones grow by it. */
const LEAST_OCTETS = 64;
/** Buffers are short mostly: a smaller piece of memory at a time is a quarter cheaper. */
const CHUNK_OCTETS = 4096;
const layoutTexts = new WeakMap<ProfileLayout, string>();
/** More would be no buffer that was read. */
const MOST_OCTETS = 64 * 1024 * 1024;

/** Octets as they go to the store with their rows: compressed once, wherever they wait. */
export function packBuffer({ receivedAt, layout, deviation, octets }: RawBuffer): PackedBuffer {
  const isShort = octets.length < LEAST_OCTETS;
  return {
    receivedAt,
    layout: layoutText(layout),
    layoutFingerprint: layout.fingerprint,
    deviation,
    octetCount: octets.length,
    compression: isShort ? NONE : ZSTD,
    octets: isShort ? octets : zstdCompressSync(octets, { pledgedSrcSize: octets.length, chunkSize: CHUNK_OCTETS }),
  };
}

/** The octets as they came. */
export function unpackBuffer({ compression, octets }: Pick<PackedBuffer, "compression" | "octets">): Uint8Array {
  return compression === ZSTD ? zstdDecompressSync(octets, { maxOutputLength: MOST_OCTETS }) : Uint8Array.from(octets);
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
  const none = { rowCount: 0, instantsMs: [], timeRules: [], meterTimes: [], columns: [], others: [] };
  const layoutFingerprint = buffers[0]?.layoutFingerprint ?? "";
  return { meterKey, profile, source, layoutFingerprint, readAt: receivedAt, intervalS: undefined, ...none, buffers };
}

/** Takes part in writes: buffers of the batches become durable with their rows. */
export class BufferKeeping implements PreparedParticipant {
  readonly #database: Database;
  readonly #layoutKeys = new Map<string, number>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** Learns the keys of layouts; not in the transaction of the rows, so that writers do not wait for each other. */
  async prepare(batches: readonly ProfileBatch[]): Promise<void> {
    const texts = new Set(batches.flatMap(({ buffers = [] }) => buffers.map(({ layout }) => layout)));
    const unknown = [...texts].filter((text) => !this.#layoutKeys.has(text));
    if (unknown.length === 0) return;
    const digests = unknown.map((text) => createHash("sha256").update(text).digest());
    await this.#database.query(
      `insert into dlms.raw_layouts (digest, layout) select * from unnest($1::bytea[], $2::jsonb[]) order by 1
       on conflict do nothing`,
      [digests, unknown],
    );
    const rows = await this.#database.query<{ raw_layout_key: number; digest: Uint8Array }>(
      "select raw_layout_key, digest from dlms.raw_layouts where digest = any ($1::bytea[])",
      [digests],
    );
    const keys = new Map(rows.map((row) => [Buffer.from(row.digest).toString("hex"), row.raw_layout_key]));
    for (const [at, text] of unknown.entries()) {
      const key = keys.get(digests[at]?.toString("hex") ?? "");
      if (key !== undefined) this.#layoutKeys.set(text, key);
    }
  }

  async takePart(client: PoolClient, { batches, isRepeat }: WrittenBatches): Promise<void> {
    const all = batches.flatMap((batch) => (batch.buffers ?? []).map((buffer) => ({ batch, buffer })));
    const fresh = isRepeat && all.length > 0 ? await withoutHeld(client, all) : all;
    if (fresh.length === 0) return;
    const rows = new CopyRows();
    for (const each of fresh) this.#encode(each, rows);
    await copyInto(client, { table: "dlms.raw_buffers", columns: COLUMNS }, rows.finish());
  }

  #encode({ batch, buffer }: BatchBuffer, into: CopyRows): void {
    into.beginRow(COLUMNS.length);
    into.timestamptz(buffer.receivedAt.getTime());
    into.int4(batch.meterKey);
    into.int4(this.#layoutKeys.get(buffer.layout) ?? 0);
    into.int4(DECODER_VERSION);
    into.int4(buffer.octetCount);
    into.int2(SOURCES.indexOf(batch.source) + 1);
    into.int2(buffer.compression);
    into.text(batch.profile);
    into.text(buffer.layoutFingerprint);
    into.text(buffer.deviation);
    into.bytea(buffer.octets);
  }
}

interface BatchBuffer {
  readonly batch: ProfileBatch;
  readonly buffer: PackedBuffer;
}

function identityOf({ batch, buffer }: BatchBuffer): string {
  return [batch.meterKey, batch.profile, buffer.receivedAt.getTime(), digestOf(buffer)].join(" ");
}

function digestOf({ octets }: PackedBuffer): string {
  return createHash("sha256").update(octets).digest("hex");
}

/** Those that an earlier write of the same has not left. */
async function withoutHeld(client: PoolClient, all: readonly BatchBuffer[]): Promise<readonly BatchBuffer[]> {
  const { rows } = await client.query<{ meter_key: number; profile: string; received_ms: string; digest: string }>(
    `select b.meter_key, b.profile, (extract(epoch from b.received_at) * 1000)::bigint::text as received_ms,
       encode(sha256(b.octets), 'hex') as digest
     from dlms.raw_buffers b
     where b.meter_key = any ($1::int[]) and b.received_at = any ($2::timestamptz[])`,
    [[...new Set(all.map(({ batch }) => batch.meterKey))], all.map(({ buffer }) => buffer.receivedAt)],
  );
  const held = new Set(rows.map((row) => [row.meter_key, row.profile, row.received_ms, row.digest].join(" ")));
  return all.filter((each) => !held.has(identityOf(each)));
}

export interface RawBufferQuery {
  readonly meterKeys: readonly number[];
  readonly sinceMs?: number | undefined;
  readonly profile?: ProfileKind | undefined;
  /** Only buffers after this one. */
  readonly afterKey: bigint;
  readonly limit: number;
}

export type KeptBuffer = RawBuffer & { readonly key: bigint; readonly decoderVersion: number };

interface BufferRow {
  raw_buffer_key: bigint;
  meter_key: number;
  profile: string;
  source: number;
  received_at: Date;
  layout: unknown;
  deviation: string;
  decoder_version: number;
  compression: number;
  octets: Uint8Array;
}

/** Kept buffers in the order in which they came. Throws StoreError. */
export async function readRawBuffers(database: Database, query: RawBufferQuery): Promise<KeptBuffer[]> {
  const rows = await database.query<BufferRow>(
    `select b.raw_buffer_key, b.meter_key, b.profile, b.source, b.received_at, l.layout, b.deviation, b.decoder_version,
       b.compression, b.octets
     from dlms.raw_buffers b join dlms.raw_layouts l on l.raw_layout_key = b.raw_layout_key
     where b.meter_key = any ($1::int[]) and b.raw_buffer_key > $2::bigint
       and ($3::timestamptz is null or b.received_at >= $3::timestamptz) and ($4::text is null or b.profile = $4::text)
     order by b.raw_buffer_key limit $5::int`,
    [
      query.meterKeys,
      query.afterKey,
      query.sinceMs === undefined ? null : new Date(query.sinceMs),
      query.profile ?? null,
      query.limit,
    ],
  );
  return rows.map(bufferOf);
}

/** Notes which decoder made rows of buffers last. */
export const NOTE_DECODER = `update dlms.raw_buffers set decoder_version = $2::int
  where raw_buffer_key = any ($1::bigint[]) and decoder_version <> $2::int and received_at >= $3::timestamptz`;

function bufferOf(row: BufferRow): KeptBuffer {
  return {
    key: row.raw_buffer_key,
    meterKey: row.meter_key,
    profile: PROFILE_KINDS.find((kind) => kind === row.profile) ?? "instant",
    source: SOURCES[row.source - 1] ?? "poll",
    receivedAt: row.received_at,
    layout: layoutFrom(row.layout),
    deviation: deviationSchema.parse(row.deviation),
    decoderVersion: row.decoder_version,
    octets: unpackBuffer(row),
  };
}

const deviationSchema = z.enum(DEVIATION_RULES);

/** Of what it was put together from: a mended `profileLayout` then makes a mended layout of it. */
function layoutFrom(value: unknown): ProfileLayout {
  return profileLayout(layoutSourceFrom(value));
}
