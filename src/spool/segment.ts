/** The files of a spool: their names, and the records in one of them in order, whatever happened to it. */
import type { Disk, DiskFile } from "./disk.ts";
import { findFrame, runSeed, type SpoolRecord } from "./frame.ts";

/** A file of records. A run is the life of one process with the spool; its records are numbered from 0. */
export interface Segment {
  readonly name: string;
  readonly run: string;
  /** Number of its first record. */
  readonly first: number;
  /** Octets that are there and last. */
  end: number;
  /** Nothing is appended any more. */
  sealed: boolean;
}

const NAME = /^(\d{8}-[0-9a-f]{16})\.(\d{15})\.spool(\d+)$/;
const FORMAT = 1;

export function segmentName(run: string, first: number): string {
  return `${run}.${String(first).padStart(15, "0")}.spool${FORMAT}`;
}

/** Undefined for a file that is no segment; "newer" for one of a format that this version does not know. */
export function parseSegmentName(name: string): { run: string; first: number } | "newer" | undefined {
  const [, run, first, format] = NAME.exec(name) ?? [];
  if (run === undefined) return undefined;
  return Number(format) === FORMAT ? { run, first: Number(first) } : "newer";
}

/** Octets of a segment that are no record. */
export interface SegmentDamage {
  readonly file: string;
  readonly from: number;
  readonly to: number;
  /** Records that are missing for it; undefined where the numbers do not tell, at the end of a run. */
  readonly lost: number | undefined;
}

export interface SegmentRead {
  readonly records: readonly SpoolRecord[];
  readonly damage: readonly SegmentDamage[];
}

const CHUNK = 1024 * 1024;

/** Reads a segment onwards from where it stands. */
export class SegmentReader {
  readonly segment: Segment;
  /** Number of the record that comes next. */
  #expected: number;
  /** Number of the first record of the run that is not here, which is in the next segment or to come; undefined when nobody knows. */
  readonly #until: () => number | undefined;
  readonly #seed: number;
  readonly #file: DiskFile;
  #at = 0;
  #damagedFrom: number | undefined;

  static async open(disk: Disk, path: string, of: { segment: Segment; until: () => number | undefined }) {
    return new SegmentReader(await disk.open(path), of);
  }

  private constructor(file: DiskFile, { segment, until }: { segment: Segment; until: () => number | undefined }) {
    this.#file = file;
    this.segment = segment;
    this.#until = until;
    this.#expected = segment.first;
    this.#seed = runSeed(segment.run);
  }

  /** Whether all that is there has been read. */
  get atEnd(): boolean {
    return this.#at >= this.segment.end && this.#damagedFrom === undefined;
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  octets(from: number, to: number): Promise<Uint8Array> {
    return this.#file.read(from, to - from);
  }

  /** About `octets` octets of records, but one at least where there is one. Throws what the disk throws, and stands still. */
  async read(octets: number): Promise<SegmentRead> {
    const [at, expected, damagedFrom] = [this.#at, this.#expected, this.#damagedFrom];
    try {
      return await this.#read(octets);
    } catch (error) {
      [this.#at, this.#expected, this.#damagedFrom] = [at, expected, damagedFrom];
      throw error;
    }
  }

  async #read(octets: number): Promise<SegmentRead> {
    const records: SpoolRecord[] = [];
    const damage: SegmentDamage[] = [];
    let [taken, wanted] = [0, CHUNK];
    while (taken < octets && this.#at < this.segment.end) {
      const { end } = this.segment;
      const from = this.#at;
      const length = Math.min(wanted, end - from);
      const chunk = await this.#file.read(from, length);
      const isShort = chunk.length < length;
      const parsed = this.#parse(chunk, { whole: isShort || from + length >= end, records, damage });
      taken += parsed.used;
      wanted = Math.max(CHUNK, parsed.wanted);
      // A file that is shorter than it was has lost its end.
      if (isShort) {
        this.#damagedFrom ??= this.#at;
        this.#at = end;
      }
    }
    if (this.#at >= this.segment.end) this.#endDamage(this.#at, damage);
    return { records, damage };
  }

  #parse(
    chunk: Uint8Array,
    { whole, records, damage }: { whole: boolean; records: SpoolRecord[]; damage: SegmentDamage[] },
  ): { used: number; wanted: number } {
    const start = this.#at;
    let at = 0;
    while (at < chunk.length) {
      const found = findFrame(chunk, at, { seed: this.#seed, whole });
      if (found.type === "more") return { used: at, wanted: found.wanted };
      if (found.type === "record") {
        this.#endDamage(start + at, damage, found.record.sequence);
        if (this.#isNext(found.record)) records.push(found.record);
      } else this.#damagedFrom ??= start + at;
      at = found.end;
      this.#at = start + at;
    }
    return { used: at, wanted: 0 };
  }

  /** Records that were written again into the next segment, after a write that failed, count there. */
  #isNext({ sequence }: SpoolRecord): boolean {
    if (sequence < this.#expected || sequence >= (this.#until() ?? Infinity)) return false;
    this.#expected = sequence + 1;
    return true;
  }

  #endDamage(to: number, damage: SegmentDamage[], sequence = this.#until()): void {
    const missing = sequence === undefined ? undefined : Math.max(0, sequence - this.#expected);
    const from = this.#damagedFrom ?? to;
    this.#damagedFrom = undefined;
    // At the end of a run that broke off, an unfinished record is what no one was told to be safe.
    if (from < to || (missing ?? 0) > 0) damage.push({ file: this.segment.name, from, to, lost: missing });
    if (sequence !== undefined && (missing ?? 0) > 0) this.#expected = sequence;
  }
}
