/**
 * Finds secrets in the octets of one direction, wherever they were cut: between two reads of a channel, or between the
 * segments of an HDLC link, where check sequences and headers stand between the parts. Offsets count from the session's
 * first octet in this direction.
 */
import { toHex } from "../../protocol/bytes/hex.ts";
import { DlmsError } from "../../protocol/errors.ts";
import { decodeHdlcFrame } from "../../protocol/link/hdlc/frame.ts";

/** From an offset, so many octets. */
export type OctetRange = readonly [start: number, length: number];

/** The beginning of a secret at the end of a frame; the rest may follow in the next one. */
interface Beginning {
  readonly secret: Uint8Array;
  readonly matched: number;
  /** Its parts, and the check sequences of their frames. */
  readonly ranges: readonly OctetRange[];
  /** Frames that have come since. */
  age: number;
}

interface Piece {
  readonly offset: number;
  readonly octets: Uint8Array;
  readonly checkSequence: OctetRange;
}

const FLAG = 0x7e;
const CHECK_LENGTH = 2;
/** Frames that may come between two parts of a secret: repetitions, acknowledgements. */
const FRAMES_BETWEEN = 8;
/** Octets of a beginning that are no chance, when a session ends before the rest has come. */
const TELLING_BEGINNING = 4;
/** No frame of HDLC is longer. */
const LONGEST_FRAME = 2050;

export class SecretTrace {
  readonly #secrets: readonly Uint8Array[];
  readonly #found: OctetRange[] = [];
  #beginnings: Beginning[] = [];
  /** The latest octets, as far back as something may still begin in them. */
  #tail = new Uint8Array(0);
  #tailOffset = 0;
  #searchedTo = 0;
  #framesFrom = 0;

  constructor(secrets: readonly Uint8Array[]) {
    this.#secrets = secrets.filter((secret) => secret.length > 0);
  }

  /** Octets so far. */
  get length(): number {
    return this.#tailOffset + this.#tail.length;
  }

  push(octets: Uint8Array): void {
    if (this.#secrets.length === 0) {
      this.#tailOffset += octets.length;
      this.#framesFrom = this.#tailOffset;
      return;
    }
    const joined = new Uint8Array(this.#tail.length + octets.length);
    joined.set(this.#tail);
    joined.set(octets, this.#tail.length);
    this.#tail = joined;
    this.#search();
    this.#scanFrames();
    this.#trim();
  }

  /** Before this offset, nothing can turn out to be a secret any more. */
  get settledTo(): number {
    const open = this.#beginnings.flatMap(({ ranges }) => ranges.map(([start]) => start));
    // A flag alone closes a frame; with octets after it, it has opened one that may end with the beginning of a secret.
    const frame = this.length - this.#framesFrom > 1 ? this.#framesFrom : this.length;
    return Math.min(frame, this.length - this.#openLength(), ...open);
  }

  /** The session has ended: what looks like the beginning of a secret counts as one. */
  finish(): void {
    for (const { matched, ranges } of this.#beginnings) if (matched >= TELLING_BEGINNING) this.#found.push(...ranges);
    const length = this.#openLength();
    if (length >= TELLING_BEGINNING) this.#found.push([this.length - length, length]);
    this.#beginnings = [];
    this.#tailOffset = this.length;
    this.#tail = new Uint8Array(0);
  }

  /** What has been found between two offsets, counted from the first. */
  within(start: number, end: number): OctetRange[] {
    return this.#found.flatMap(([from, length]): OctetRange[] => {
      const [first, last] = [Math.max(from, start), Math.min(from + length, end)];
      return first < last ? [[first - start, last - first]] : [];
    });
  }

  /** Secrets that stand in one run. */
  #search(): void {
    for (const secret of this.#secrets) {
      const from = Math.max(0, this.#searchedTo - this.#tailOffset - secret.length + 1);
      for (let at = indexOf(this.#tail, secret, from); at >= 0; at = indexOf(this.#tail, secret, at + secret.length)) {
        this.#found.push([this.#tailOffset + at, secret.length]);
      }
    }
    this.#searchedTo = this.length;
  }

  /** Octets at the end that may be the beginning of a secret. */
  #openLength(): number {
    const lengths = this.#secrets.map((secret) => beginnings(this.#tail, secret).at(-1) ?? 0);
    return Math.max(0, ...lengths);
  }

  #scanFrames(): void {
    for (;;) {
      const start = this.#tail.indexOf(FLAG, this.#framesFrom - this.#tailOffset);
      if (start < 0) {
        this.#framesFrom = this.length;
        return;
      }
      this.#framesFrom = this.#tailOffset + start;
      const end = this.#frameAt(start);
      if (end === undefined) return;
      this.#framesFrom = this.#tailOffset + end;
    }
  }

  /** Where to look on: at the frame's closing flag, or after what was none. Undefined while octets are missing. */
  #frameAt(start: number): number | undefined {
    const view = this.#tail.subarray(start);
    try {
      const decoded = decodeHdlcFrame(view);
      if (decoded === undefined) return undefined;
      const { frame, closingFlag } = decoded;
      const { information } = frame;
      if (information.length > 0) {
        this.#take({
          offset: this.#tailOffset + start + information.byteOffset - view.byteOffset,
          octets: information,
          checkSequence: [this.#tailOffset + start + closingFlag - CHECK_LENGTH, CHECK_LENGTH],
        });
      }
      return start + closingFlag;
    } catch (error) {
      if (!(error instanceof DlmsError)) throw error;
      return start + 1;
    }
  }

  #take(piece: Piece): void {
    const end = piece.offset + piece.octets.length;
    if (this.within(piece.offset, end).length > 0) this.#found.push(piece.checkSequence);
    const going = this.#beginnings.flatMap((beginning) => this.#goOn(beginning, piece));
    const fresh = this.#secrets.flatMap((secret) =>
      beginnings(piece.octets, secret).map(
        (matched): Beginning => ({ secret, matched, ranges: [[end - matched, matched], piece.checkSequence], age: 0 }),
      ),
    );
    for (const beginning of this.#beginnings) beginning.age++;
    const waiting = this.#beginnings.filter(({ age }) => age <= FRAMES_BETWEEN);
    this.#beginnings = merged([...waiting, ...going, ...fresh]);
  }

  /** The beginning with a whole frame more, or nothing: the secret is complete, or this is not how it goes on. */
  #goOn({ secret, matched, ranges }: Beginning, { offset, octets, checkSequence }: Piece): Beginning[] {
    const length = Math.min(secret.length - matched, octets.length);
    for (let index = 0; index < length; index++) if (octets[index] !== secret[matched + index]) return [];
    const all: OctetRange[] = [...ranges, [offset, length], checkSequence];
    if (matched + length < secret.length) return [{ secret, matched: matched + length, ranges: all, age: 0 }];
    this.#found.push(...all);
    return [];
  }

  /** Forgets octets in which neither a secret nor a frame can have begun. */
  #trim(): void {
    const longest = Math.max(...this.#secrets.map((secret) => secret.length));
    const keepFrom = Math.min(this.#framesFrom, this.length - longest + 1);
    const drop = Math.max(keepFrom - this.#tailOffset, this.#tail.length - LONGEST_FRAME - longest);
    if (drop <= 0) return;
    this.#tail = this.#tail.subarray(drop);
    this.#tailOffset += drop;
    this.#framesFrom = Math.max(this.#framesFrom, this.#tailOffset);
  }
}

/** One beginning of each length: frames that come twice would double them again and again. */
function merged(all: readonly Beginning[]): Beginning[] {
  const byLength = new Map<string, Beginning>();
  for (const each of all) {
    const key = `${toHex(each.secret)} ${each.matched}`;
    const known = byLength.get(key);
    const ranges = known === undefined ? each.ranges : distinct([...known.ranges, ...each.ranges]);
    byLength.set(key, { ...each, ranges });
  }
  return [...byLength.values()];
}

function distinct(ranges: readonly OctetRange[]): OctetRange[] {
  return [...new Map(ranges.map((range) => [range.join(" "), range])).values()];
}

/** How many octets of a secret, short of all, the octets may end with; in ascending order. */
function beginnings(octets: Uint8Array, secret: Uint8Array): number[] {
  const lengths: number[] = [];
  for (let length = 1; length < secret.length && length <= octets.length; length++) {
    const start = octets.length - length;
    if (octets.subarray(start).every((octet, index) => octet === secret[index])) lengths.push(length);
  }
  return lengths;
}

function indexOf(octets: Uint8Array, wanted: Uint8Array, from: number): number {
  for (let start = from; start + wanted.length <= octets.length; start++) {
    if (wanted.every((octet, index) => octets[start + index] === octet)) return start;
  }
  return -1;
}
