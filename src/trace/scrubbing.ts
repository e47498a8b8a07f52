/**
 * A recorded session without what says whose meter it was with: numbers, names and system titles, as text, as packed
 * digits and as integers, are replaced by pseudonyms of the same length, and check sequences of HDLC are made anew, so
 * that the recording replays. What a block transfer cuts in two is not found, and HDLC addresses stay.
 */
import type { RecordingEntry } from "../../drivers/recording/recording.ts";
import { DlmsError } from "../../protocol/errors.ts";
import {
  type DecodedHdlcFrame,
  decodeHdlcFrame,
  encodeHdlcFrame,
  FLAG,
  type HdlcFrame,
} from "../../protocol/link/hdlc/frame.ts";
import { WRAPPER_HEADER_LENGTH } from "../../protocol/link/wrapper.ts";
import type { Pseudonyms } from "./pseudonyms.ts";

export interface MeterIdentity {
  /** Number, name, and whatever else it is called. */
  readonly names: readonly string[];
  readonly systemTitles: readonly Uint8Array[];
}

interface Replacement {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
}

/** Shorter runs of digits stand in every message. */
const LEAST_DIGITS = 5;
/** The responding AP title of an association response: an octet string of eight. */
const RESPONDING_TITLE = [0xa4, 0x0a, 0x04, 0x08];
const TITLE_LENGTH = 8;
const HDLC_TYPE = 0xa;

export function scrubEntries(
  entries: readonly RecordingEntry[],
  identity: MeterIdentity,
  pseudonyms: Pseudonyms,
): RecordingEntry[] {
  const scrubbed = { tx: directionOf(entries, "tx"), rx: directionOf(entries, "rx") };
  const titles = [...identity.systemTitles, ...titlesTold(scrubbed.rx)];
  const replacements = replacementsOf({ ...identity, systemTitles: titles }, pseudonyms);
  for (const octets of [scrubbed.tx, scrubbed.rx]) scrubStream(octets, replacements);
  const at = { tx: 0, rx: 0 };
  return entries.map((entry) => {
    if (entry.dir === "end") return entry;
    const octets = scrubbed[entry.dir].slice(at[entry.dir], at[entry.dir] + entry.octets.length);
    at[entry.dir] += entry.octets.length;
    return { ...entry, octets };
  });
}

function directionOf(entries: readonly RecordingEntry[], dir: "tx" | "rx"): Uint8Array {
  return new Uint8Array(Buffer.concat(entries.flatMap((entry) => (entry.dir === dir ? [entry.octets] : []))));
}

function titlesTold(octets: Uint8Array): Uint8Array[] {
  const titles: Uint8Array[] = [];
  const told = Buffer.from(octets);
  const pattern = Buffer.from(RESPONDING_TITLE);
  for (let at = told.indexOf(pattern); at >= 0; at = told.indexOf(pattern, at + 1)) {
    const start = at + RESPONDING_TITLE.length;
    if (start + TITLE_LENGTH <= octets.length) titles.push(octets.slice(start, start + TITLE_LENGTH));
  }
  return titles;
}

/** The longest first: a number may stand within a name. */
function replacementsOf({ names, systemTitles }: MeterIdentity, pseudonyms: Pseudonyms): Replacement[] {
  const digits = names.flatMap((name) => name.match(/\d+/g) ?? []).filter((run) => run.length >= LEAST_DIGITS);
  const texts = [...names, ...digits].filter((text) => text !== "");
  const all = [
    ...systemTitles.map((title) => ({ from: title, to: pseudonyms.ofSystemTitle(title) })),
    ...texts.map((text) => ({ from: ascii(text), to: ascii(pseudonyms.of(text)) })),
    ...digits.flatMap((run) => [pair(run, packed, pseudonyms), pair(run, integer, pseudonyms)]).filter(isTelling),
  ];
  return all
    .filter(({ from, to }) => from.length > 2 && from.length === to.length)
    .toSorted((a, b) => b.from.length - a.from.length);
}

function pair(run: string, form: (digits: string) => Uint8Array, pseudonyms: Pseudonyms): Replacement {
  return { from: form(run), to: form(pseudonyms.of(run)) };
}

/** A number like 1 stands in every header and counter. */
function isTelling({ from }: Replacement): boolean {
  return from.filter((octet) => octet !== 0).length > 1;
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Two digits an octet. */
function packed(digits: string): Uint8Array {
  return new Uint8Array(Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, "hex"));
}

/** Big-endian, in four octets or eight. */
function integer(digits: string): Uint8Array {
  const value = BigInt.asUintN(64, BigInt(digits));
  const octets = Buffer.alloc(8);
  octets.writeBigUInt64BE(value);
  return new Uint8Array(value >> 32n === 0n ? octets.subarray(4) : octets);
}

/** In place. Frames are taken apart: their headers stay, and their parts of one message are apart too. */
function scrubStream(octets: Uint8Array, replacements: readonly Replacement[]): void {
  const frames = hdlcFrames(octets);
  const payloads = wrapperPayloads(octets);
  const parts = frames.length > 0 ? frames.map(({ frame }) => frame.information) : payloads;
  if (parts.length === 0) return replaceAll(octets, replacements);
  const message = new Uint8Array(Buffer.concat(parts));
  replaceAll(message, replacements);
  let at = 0;
  const next = ({ length }: Uint8Array) => message.slice(at, (at += length));
  if (frames.length === 0) for (const payload of payloads) payload.set(next(payload));
  for (const { start, frame } of frames) {
    octets.set(encodeHdlcFrame({ ...frame, information: next(frame.information) }), start);
  }
}

/** Views of what wrappers hold, up to the first octets that are no header. */
function wrapperPayloads(octets: Uint8Array): Uint8Array[] {
  const payloads: Uint8Array[] = [];
  for (let at = 0; octets[at] === 0 && octets[at + 1] === 1; ) {
    const start = at + WRAPPER_HEADER_LENGTH;
    at = start + (((octets[at + 6] ?? 0) << 8) | (octets[at + 7] ?? 0));
    payloads.push(octets.subarray(start, at));
  }
  return payloads;
}

/** Those that are whole and undamaged. */
function hdlcFrames(octets: Uint8Array): { readonly start: number; readonly frame: HdlcFrame }[] {
  const frames: { start: number; frame: HdlcFrame }[] = [];
  for (let start = octets.indexOf(FLAG); start >= 0; start = octets.indexOf(FLAG, start + 1)) {
    if ((octets[start + 1] ?? 0) >> 4 !== HDLC_TYPE) continue;
    const found = frameAt(octets, start);
    if (found === undefined) continue;
    frames.push({ start, frame: found.frame });
    // The flag at its end may begin the next one.
    start += found.closingFlag - 1;
  }
  return frames;
}

function frameAt(octets: Uint8Array, start: number): DecodedHdlcFrame | undefined {
  try {
    return decodeHdlcFrame(octets.subarray(start));
  } catch (error) {
    if (error instanceof DlmsError) return undefined;
    throw error;
  }
}

function replaceAll(octets: Uint8Array, replacements: readonly Replacement[]): void {
  const text = Buffer.from(octets.buffer, octets.byteOffset, octets.length);
  for (const { from, to } of replacements) {
    for (let at = text.indexOf(from); at >= 0; at = text.indexOf(from, at + from.length)) octets.set(to, at);
  }
}

/** Words for people, as evidence and addresses, with the same pseudonyms. */
export function scrubText(text: string, names: readonly string[], pseudonyms: Pseudonyms): string {
  const known = names.filter((name) => name !== "").toSorted((a, b) => b.length - a.length);
  return known.reduce((scrubbed, name) => scrubbed.replaceAll(name, pseudonyms.of(name)), text);
}
