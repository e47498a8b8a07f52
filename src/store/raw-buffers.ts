/**
 * The octets of profile buffers, kept compressed for a configurable time. A buffer is written in a group with others,
 * beside its rows; one that is lost takes no reading with it.
 */
import { createHash } from "node:crypto";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { z } from "zod";
import type { DeviationRule } from "../../protocol/cosem/date-time.ts";
import { layoutSource, type ProfileLayout, profileLayout } from "../../protocol/profile/layout.ts";
import type { ProfileKind, ReadingSource } from "../profiles/batch.ts";
import { CopyRows, copyInto } from "./binary-copy.ts";
import type { Database } from "./database.ts";
import { layoutSourceFrom } from "./kept-layout.ts";
import { PROFILE_KINDS, SOURCES } from "./profile-tables.ts";

/** Raise it with every change of what rows are made of octets: what an older one made can then be found. */
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
/** More would be no buffer that was read. */
const MOST_OCTETS = 64 * 1024 * 1024;

export class RawBufferWriter {
  readonly #database: Database;
  readonly #layoutKeys = new Map<string, number>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** Writes buffers in one transaction. Throws StoreError. */
  async write(buffers: readonly RawBuffer[]): Promise<void> {
    const texts = new Map(buffers.map((buffer) => [buffer.layout, layoutText(buffer.layout)]));
    await this.#learnLayouts([...texts.values()]);
    const rows = new CopyRows();
    for (const buffer of buffers) this.#encode(buffer, texts.get(buffer.layout) ?? "", rows);
    await this.#database.transaction((client) =>
      copyInto(client, { table: "dlms.raw_buffers", columns: COLUMNS }, rows.finish()),
    );
  }

  #encode(buffer: RawBuffer, text: string, into: CopyRows): void {
    const { octets } = buffer;
    const isShort = octets.length < LEAST_OCTETS;
    into.beginRow(COLUMNS.length);
    into.timestamptz(buffer.receivedAt.getTime());
    into.int4(buffer.meterKey);
    into.int4(this.#layoutKeys.get(text) ?? 0);
    into.int4(DECODER_VERSION);
    into.int4(octets.length);
    into.int2(SOURCES.indexOf(buffer.source) + 1);
    into.int2(isShort ? NONE : ZSTD);
    into.text(buffer.profile);
    into.text(buffer.layout.fingerprint);
    into.text(buffer.deviation);
    into.bytea(isShort ? octets : zstdCompressSync(octets));
  }

  async #learnLayouts(texts: readonly string[]): Promise<void> {
    const unknown = [...new Set(texts)].filter((text) => !this.#layoutKeys.has(text));
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
    octets:
      row.compression === ZSTD
        ? zstdDecompressSync(row.octets, { maxOutputLength: MOST_OCTETS })
        : Uint8Array.from(row.octets),
  };
}

const deviationSchema = z.enum([
  "standard",
  "inverted",
  "without-daylight-saving",
  "ignored",
]) satisfies z.ZodType<DeviationRule>;
/** What a layout was put together from; a mended `profileLayout` then makes a mended layout of it. */
function layoutText(layout: ProfileLayout): string {
  return JSON.stringify(layoutSource(layout));
}

function layoutFrom(value: unknown): ProfileLayout {
  return profileLayout(layoutSourceFrom(value));
}
