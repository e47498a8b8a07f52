/**
 * A durable first-in-first-out store of records on the local disk, for what the database can't take now. Appended
 * records last through a power cut when `append` resolves: those that come together share one write and one sync. What
 * was read is freed by whole files. Damage costs the records that it hit, is counted by their numbers and kept aside;
 * whatever follows it is read. A file in which a write failed is never written to again.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { toHex } from "../../protocol/bytes/hex.ts";
import { messageOf } from "../observe/message-of.ts";
import { type Disk, type DiskFile, nodeDisk } from "./disk.ts";
import { FRAME_HEADER_LENGTH, MAX_PAYLOAD_LENGTH, putFrame, runSeed, type SpoolRecord } from "./frame.ts";
import { parseSegmentName, type Segment, type SegmentDamage, SegmentReader, segmentName } from "./segment.ts";
import { SpoolError } from "./spool-error.ts";

export interface SpoolOptions {
  readonly directory: string;
  /** Octets that the records may take on the disk. */
  readonly quota: number;
  readonly disk?: Disk;
  /** Octets after which a new file is begun. */
  readonly segmentOctets?: number;
  readonly randomOctets?: (length: number) => Uint8Array;
  /** Hears of what can't be read; it is in the directory `damaged` then. */
  readonly onDamage?: (damage: SegmentDamage) => void;
}

/** Records in order, of one run: their numbers belong to it. */
export interface RunRecords {
  readonly run: string;
  readonly records: readonly SpoolRecord[];
}

interface Pending {
  readonly kind: number;
  readonly version: number;
  readonly payload: Uint8Array;
  readonly durable: PromiseWithResolvers<void>;
}

interface Writing {
  readonly segment: Segment;
  readonly file: DiskFile;
}

const SEGMENT_OCTETS = 16 * 1024 * 1024;
const COMMIT_OCTETS = 4 * 1024 * 1024;
/** Files of damaged octets that are kept; what comes after is only counted. */
const MOST_DAMAGED_FILES = 100;

export class Spool {
  readonly #options: SpoolOptions;
  readonly #disk: Disk;
  readonly #run: string;
  readonly #seed: number;
  readonly #segments: Segment[];
  /** The last of `#segments` while it is written to. */
  #current: Writing | undefined;
  #reader: SegmentReader | undefined;
  #next = 0;
  #pending: Pending[] = [];
  #pendingOctets = 0;
  #committing: Promise<void> | undefined;
  #closed = false;
  #damagedFiles = 0;

  /** Opens the spool of a directory, which no other process may use. Throws SpoolError. */
  static async open(options: SpoolOptions): Promise<Spool> {
    const { directory, disk = nodeDisk } = options;
    try {
      await disk.makeDirectory(directory);
      const segments: Segment[] = [];
      for (const name of (await disk.list(directory)).sort()) {
        const parsed = parseSegmentName(name);
        if (parsed === "newer") throw new SpoolError("SPOOL_NEWER", { directory, name });
        if (parsed === undefined) continue;
        segments.push({ name, ...parsed, end: await disk.sizeOf(join(directory, name)), sealed: true });
      }
      return new Spool(options, segments);
    } catch (cause) {
      if (cause instanceof SpoolError) throw cause;
      throw new SpoolError("SPOOL_UNUSABLE", { directory, reason: messageOf(cause) }, { cause });
    }
  }

  private constructor(options: SpoolOptions, segments: Segment[]) {
    this.#options = options;
    this.#disk = options.disk ?? nodeDisk;
    this.#segments = segments;
    const last = Number(segments.at(-1)?.run.slice(0, 8) ?? 0);
    this.#run = `${String(last + 1).padStart(8, "0")}-${toHex((options.randomOctets ?? randomBytes)(8))}`;
    this.#seed = runSeed(this.#run);
  }

  /** Octets that are taken, records included that are on their way to the disk. */
  get octets(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.end, this.#pendingOctets);
  }

  get quota(): number {
    return this.#options.quota;
  }

  /** Whether nothing is kept and nothing is on its way. */
  get isEmpty(): boolean {
    return this.#segments.length === 0 && this.#pending.length === 0 && this.#committing === undefined;
  }

  /** Whether records are on their way to the disk. */
  get isWriting(): boolean {
    return this.#pending.length > 0 || this.#committing !== undefined;
  }

  /**
   * Resolves when the record lasts. Rejects with SpoolError when the quota or the disk has no room for it; records that
   * were appended before it may then have been refused too, later ones have been.
   */
  append(kind: number, version: number, payload: Uint8Array): Promise<void> {
    const length = FRAME_HEADER_LENGTH + payload.length;
    if (this.#closed) return Promise.reject(new SpoolError("SPOOL_CLOSED"));
    if (payload.length > MAX_PAYLOAD_LENGTH) {
      return Promise.reject(new SpoolError("SPOOL_RECORD_INVALID", { length: payload.length }));
    }
    if (this.octets + length > this.quota) {
      return Promise.reject(new SpoolError("SPOOL_FULL", { octets: this.octets, quota: this.quota }));
    }
    const durable = Promise.withResolvers<void>();
    this.#pending.push({ kind, version, payload, durable });
    this.#pendingOctets += length;
    this.#committing ??= this.#commitAll();
    return durable.promise;
  }

  /**
   * The records that come next, about `octets` octets of them; undefined when all have been read. Throws SpoolError when the
   * disk fails; the same may be tried again.
   */
  async read(octets: number): Promise<RunRecords | undefined> {
    try {
      for (;;) {
        const reader = await this.#readerOfNext();
        if (reader === undefined) return undefined;
        const { run } = reader.segment;
        const { records, damage } = await reader.read(octets);
        for (const each of damage) await this.#setAside(reader, each);
        if (records.length > 0) return { run, records };
      }
    } catch (cause) {
      throw new SpoolError("SPOOL_READ_FAILED", { reason: messageOf(cause) }, { cause });
    }
  }

  /** Keeps octets of a record that makes no sense in the directory `damaged`. */
  async setRecordAside(run: string, { sequence, kind, payload }: SpoolRecord): Promise<void> {
    await this.#keepDamaged(`${run}.${sequence}.kind${kind}`, payload);
  }

  /** Frees what has been read: its reader has brought all of it to where it belongs. Throws SpoolError. */
  async release(): Promise<void> {
    const reader = this.#reader;
    if (reader === undefined) return;
    try {
      const isDone = reader.atEnd && (await this.#sealIfQuiet(reader.segment));
      const count = this.#segments.indexOf(reader.segment) + (isDone ? 1 : 0);
      for (let removed = 0; removed < count; removed++) {
        const [oldest] = this.#segments;
        if (oldest !== undefined) await this.#disk.remove(this.#pathOf(oldest));
        this.#segments.shift();
      }
      if (!isDone) return;
      this.#reader = undefined;
      await reader.close().catch(() => undefined);
    } catch (cause) {
      throw new SpoolError("SPOOL_READ_FAILED", { reason: messageOf(cause) }, { cause });
    }
  }

  /** Takes no more records; ends when those that were taken last. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#committing;
    await this.#reader?.close().catch(() => undefined);
    this.#reader = undefined;
    await this.#seal();
  }

  async #commitAll(): Promise<void> {
    // Whoever appends in the same turn shares the first write.
    await Promise.resolve();
    while (this.#pending.length > 0) {
      const group = this.#takeGroup();
      const octets = group.reduce((sum, each) => sum + FRAME_HEADER_LENGTH + each.payload.length, 0);
      try {
        await this.#commit(group, octets);
        this.#pendingOctets -= octets;
        for (const each of group) each.durable.resolve();
      } catch (cause) {
        await this.#fail(group, cause);
      }
    }
    this.#committing = undefined;
  }

  #takeGroup(): Pending[] {
    let [count, octets] = [0, 0];
    while (count < this.#pending.length && (count === 0 || octets < COMMIT_OCTETS)) {
      octets += FRAME_HEADER_LENGTH + (this.#pending[count]?.payload.length ?? 0);
      count += 1;
    }
    return this.#pending.splice(0, count);
  }

  async #commit(group: readonly Pending[], length: number): Promise<void> {
    const octets = new Uint8Array(length);
    let [at, sequence] = [0, this.#next];
    for (const { kind, version, payload } of group) {
      at = putFrame(octets, at, { record: { kind, version, sequence, payload }, seed: this.#seed });
      sequence += 1;
    }
    if (this.#current !== undefined && this.#current.segment.end >= this.#segmentOctets) await this.#seal();
    const { segment, file } = this.#current ?? (await this.#begin());
    await file.write(octets, segment.end);
    await file.sync();
    segment.end += length;
    this.#next = sequence;
  }

  get #segmentOctets(): number {
    return this.#options.segmentOctets ?? SEGMENT_OCTETS;
  }

  async #begin(): Promise<Writing> {
    const name = segmentName(this.#run, this.#next);
    const segment: Segment = { name, run: this.#run, first: this.#next, end: 0, sealed: false };
    // One of this name holds no record that anybody was told to be safe: its first write failed.
    await this.#disk.remove(this.#pathOf(segment));
    const file = await this.#disk.create(this.#pathOf(segment));
    this.#segments.push(segment);
    this.#current = { segment, file };
    return this.#current;
  }

  /** Order is kept: what came after the group is refused with it, and whoever brought it may try again. */
  async #fail(group: readonly Pending[], cause: unknown): Promise<void> {
    const current = this.#current;
    // After a failed sync nobody knows what is on the disk: this file ends where it was sound.
    await current?.file.truncate(current.segment.end).catch(() => undefined);
    await this.#seal();
    const refused = [...group, ...this.#pending.splice(0)];
    this.#pendingOctets = 0;
    const failure = new SpoolError("SPOOL_WRITE_FAILED", { reason: messageOf(cause) }, { cause });
    for (const each of refused) each.durable.reject(failure);
  }

  async #seal(): Promise<void> {
    if (this.#current === undefined) return;
    const { segment, file } = this.#current;
    this.#current = undefined;
    segment.sealed = true;
    await file.close().catch(() => undefined);
    if (segment.end > 0) return;
    this.#segments.splice(this.#segments.indexOf(segment), 1);
    await this.#disk.remove(this.#pathOf(segment)).catch(() => undefined);
  }

  /** An emptied spool is to hold no file: one that is written to ends when nothing is on its way. True when it has. */
  async #sealIfQuiet(segment: Segment): Promise<boolean> {
    if (segment.sealed) return true;
    if (this.isWriting) return false;
    await this.#seal();
    return true;
  }

  /** The reader of the segment in which there is more to read; undefined when there is none. */
  async #readerOfNext(): Promise<SegmentReader | undefined> {
    const reader = this.#reader;
    if (reader !== undefined && (!reader.atEnd || !reader.segment.sealed)) {
      return reader.atEnd ? undefined : reader;
    }
    const at = reader === undefined ? 0 : this.#segments.indexOf(reader.segment) + 1;
    const segment = this.#segments[at];
    if (segment === undefined || (segment.end === 0 && !segment.sealed)) return undefined;
    const next = await SegmentReader.open(this.#disk, this.#pathOf(segment), {
      segment,
      until: () => this.#endOf(segment),
    });
    await reader?.close().catch(() => undefined);
    this.#reader = next;
    return next;
  }

  /** Number of the first record of a segment's run that is not in it; undefined at the end of a run that is over. */
  #endOf(segment: Segment): number | undefined {
    const follower = this.#segments[this.#segments.indexOf(segment) + 1];
    if (follower?.run === segment.run) return follower.first;
    return segment.run === this.#run ? this.#next : undefined;
  }

  async #setAside(reader: SegmentReader, damage: SegmentDamage): Promise<void> {
    const { file, from, to } = damage;
    const octets = from < to ? await reader.octets(from, to).catch(() => undefined) : undefined;
    if (octets !== undefined) await this.#keepDamaged(`${file}.${from}`, octets);
    this.#options.onDamage?.(damage);
  }

  async #keepDamaged(name: string, octets: Uint8Array): Promise<void> {
    if (this.#damagedFiles >= MOST_DAMAGED_FILES) return;
    this.#damagedFiles += 1;
    const directory = join(this.#options.directory, "damaged");
    // A disk that can't take them must not keep the sound records from being read.
    await this.#disk.makeDirectory(directory).catch(() => undefined);
    await this.#disk.keep(join(directory, name), octets).catch(() => undefined);
  }

  #pathOf({ name }: Segment): string {
    return join(this.#options.directory, name);
  }
}
