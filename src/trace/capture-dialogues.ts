/**
 * Captured packets as dialogues: TCP streams in the order in which they were sent, whatever came twice or too early, and
 * datagrams; each pair of ends is a dialogue of its own. The number of dialogues and what waits for a gap are bounded.
 */
import type { CapturedPacket } from "./capture-reader.ts";
import type { DecipheringKeys } from "./deciphering.ts";
import { Dialogue, type Direction, type TracedFrame } from "./dialogue.ts";
import { type Transported, transported } from "./packet.ts";

export interface CapturedDialogue {
  readonly transport: Transported["type"];
  /** Who asks, and who is asked; `host:port`. */
  readonly client: string;
  readonly server: string;
  readonly startedMs: number;
}

export type CaptureEvent =
  | { readonly type: "frame"; readonly of: CapturedDialogue; readonly frame: TracedFrame }
  /** The capture lacks octets of a stream. */
  | { readonly type: "lost"; readonly of: CapturedDialogue; readonly octets: number };

export interface CaptureOptions {
  /** Keys of the meter behind one of the ends. */
  readonly keysOf: (of: Pick<CapturedDialogue, "client" | "server">) => DecipheringKeys;
}

interface Held {
  readonly about: CapturedDialogue;
  readonly dialogue: Dialogue;
  readonly streams: Readonly<Record<Direction, Stream>>;
}

/** One direction of a TCP connection. */
interface Stream {
  next: number | undefined;
  /** What came before its turn, by sequence number. */
  readonly early: Map<number, Uint8Array>;
  earlyOctets: number;
}

const DLMS_PORT = ":4059";
const MOST_DIALOGUES = 4096;
/** Octets, and pieces of them, that wait for a gap to be filled before it is given up. */
const MOST_EARLY = 256 * 1024;
const MOST_EARLY_PIECES = 1024;

export class CaptureDialogues {
  readonly #options: CaptureOptions;
  /** By the ends; the one that was used last stands last. */
  readonly #held = new Map<string, Held>();
  /** Packets that carry nothing of ours. */
  otherPackets = 0;

  constructor(options: CaptureOptions) {
    this.#options = options;
  }

  *push(packet: CapturedPacket): Generator<CaptureEvent> {
    const carried = transported(packet);
    if (carried === undefined) {
      this.otherPackets++;
      return;
    }
    const key = keyOf(carried);
    const known = this.#held.get(key);
    if (known !== undefined && isReplaced(known, carried)) yield* this.#end(key);
    const [oldest] = this.#held.keys();
    if (!this.#held.has(key) && this.#held.size >= MOST_DIALOGUES && oldest !== undefined) yield* this.#end(oldest);
    const held = this.#held.get(key) ?? this.#begun(carried, packet);
    this.#held.delete(key);
    this.#held.set(key, held);
    const dir = directionOf(carried, held.about, packet);
    if (carried.type === "tcp") yield* this.#segment(held, { ...carried, dir, atMs: packet.atMs });
    else yield* framesOf(held, { dir, atMs: packet.atMs, octets: carried.octets });
  }

  /** What is left when the capture has ended. */
  *finish(): Generator<CaptureEvent> {
    for (const key of this.#held.keys()) yield* this.#end(key);
  }

  *#end(key: string): Generator<CaptureEvent> {
    const held = this.#held.get(key);
    this.#held.delete(key);
    if (held !== undefined) yield* ended(held);
  }

  *#segment(
    held: Held,
    segment: Extract<Transported, { type: "tcp" }> & { readonly dir: Direction; readonly atMs: number },
  ): Generator<CaptureEvent> {
    const { dir, atMs, sequence, flags, octets } = segment;
    const stream = held.streams[dir];
    const first = flags.syn ? (sequence + 1) >>> 0 : sequence;
    stream.next ??= first;
    const before = stream.early.get(first)?.length ?? 0;
    if (octets.length > before) {
      stream.early.set(first, octets);
      stream.earlyOctets += octets.length - before;
    }
    yield* inOrder(held, { dir, atMs, isOver: flags.ends });
  }

  #begun(carried: Transported, { atMs }: CapturedPacket): Held {
    const about = { transport: carried.type, ...endsOf(carried), startedMs: atMs };
    const dialogue = new Dialogue(this.#options.keysOf(about));
    return { about, dialogue, streams: { tx: newStream(), rx: newStream() } };
  }
}

/** A connection is opened between ends that had one before. */
function isReplaced({ streams }: Held, carried: Transported): boolean {
  const opens = carried.type === "tcp" && carried.flags.syn && !carried.flags.ack;
  return opens && streams.tx.next !== undefined && streams.rx.next !== undefined;
}

function isFull({ early, earlyOctets }: Stream): boolean {
  return earlyOctets > MOST_EARLY || early.size > MOST_EARLY_PIECES;
}

function newStream(): Stream {
  return { next: undefined, early: new Map(), earlyOctets: 0 };
}

function* framesOf(
  { about, dialogue }: Held,
  { dir, atMs, octets }: { readonly dir: Direction; readonly atMs: number; readonly octets: Uint8Array },
): Generator<CaptureEvent> {
  for (const frame of dialogue.push({ tMs: atMs - about.startedMs, dir, octets })) {
    yield { type: "frame", of: about, frame };
  }
}

/** All that is next of a direction; over gaps when it is over, or when too much waits. */
function* inOrder(
  held: Held,
  { dir, atMs, isOver }: { readonly dir: Direction; readonly atMs: number; readonly isOver: boolean },
): Generator<CaptureEvent> {
  const stream = held.streams[dir];
  for (;;) {
    const octets = takeReady(stream);
    if (octets !== undefined) {
      yield* framesOf(held, { dir, atMs, octets });
      continue;
    }
    if (stream.early.size === 0 || (!isFull(stream) && !isOver)) return;
    yield { type: "lost", of: held.about, octets: skipGap(stream) };
  }
}

function* ended(held: Held): Generator<CaptureEvent> {
  const { about, dialogue } = held;
  for (const dir of ["tx", "rx"] as const) yield* inOrder(held, { dir, atMs: about.startedMs, isOver: true });
  for (const frame of dialogue.finish(0)) yield { type: "frame", of: about, frame };
}

/** What is next of a stream, of which a part may have come before; undefined when something is missing. */
function takeReady(stream: Stream): Uint8Array | undefined {
  const { next = 0, early } = stream;
  for (const [sequence, octets] of early) {
    const behind = (next - sequence) | 0;
    if (behind < 0) continue;
    early.delete(sequence);
    stream.earlyOctets -= octets.length;
    if (behind >= octets.length) continue;
    const fresh = octets.subarray(behind);
    stream.next = (next + fresh.length) >>> 0;
    return fresh;
  }
  return undefined;
}

/** Goes on with the nearest octets behind a gap; how many are missing. */
function skipGap(stream: Stream): number {
  const { next = 0, early } = stream;
  let gap = Infinity;
  for (const sequence of early.keys()) gap = Math.min(gap, (sequence - next) | 0);
  stream.next = (next + gap) >>> 0;
  return gap;
}

function keyOf(carried: Transported): string {
  return carried.type === "serial"
    ? "serial"
    : [carried.type, carried.source, carried.destination].toSorted().join(" ");
}

/** Who asks: who opens the connection, or who is not at the port of meters. */
function endsOf(carried: Transported): Pick<CapturedDialogue, "client" | "server"> {
  if (carried.type === "serial") return { client: "client", server: "meter" };
  const { source, destination } = carried;
  const opens = carried.type === "tcp" && carried.flags.syn;
  const isAnswer = opens ? carried.flags.ack : source.endsWith(DLMS_PORT);
  return isAnswer ? { client: destination, server: source } : { client: source, server: destination };
}

function directionOf(carried: Transported, { client }: CapturedDialogue, packet: CapturedPacket): Direction {
  if (carried.type !== "serial") return carried.source === client ? "tx" : "rx";
  return packet.dir ?? "tx";
}
