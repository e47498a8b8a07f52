/**
 * A session on paper: JSON lines, the first a header, then one line for every piece of octets and one for the end.
 * Octets that held a secret are blanked in the line that says where.
 */
import { fromHex, toHex } from "../../protocol/bytes/hex.ts";
import { ChannelError } from "../channel-error.ts";

export interface RecordingHeader {
  /** Make and model, or program, at the other end. */
  readonly peer: string;
  readonly version: string;
  /** The command line or call that was recorded. */
  readonly command: string;
  /** What a replay needs to do the same again: addresses, challenge, first invocation counter. No secret. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
}

/** From `start`, `length` octets that were blanked. */
export type BlankedRange = readonly [start: number, length: number];

/** `tMs` counts from the start of the session; `dir` is seen from the side that recorded. */
export type RecordingEntry =
  | {
      readonly tMs: number;
      readonly dir: "tx" | "rx";
      readonly octets: Uint8Array;
      readonly blanked: readonly BlankedRange[];
    }
  | { readonly tMs: number; readonly dir: "end"; readonly by: "local" | "peer" };

export interface Recording {
  readonly header: RecordingHeader;
  readonly entries: readonly RecordingEntry[];
}

const FORM = 1;
/** Lines of one file; a session that needs more is no session to replay. */
const LINE_LIMIT = 1_000_000;

export function formatHeader(header: RecordingHeader): string {
  const { peer, version, command, settings } = header;
  return JSON.stringify({ recording: FORM, peer, version, command, ...(settings === undefined ? {} : { settings }) });
}

export function formatEntry(entry: RecordingEntry): string {
  const t = Math.round(entry.tMs);
  if (entry.dir === "end") return JSON.stringify({ t, dir: "end", by: entry.by });
  const line = { t, dir: entry.dir, hex: toHex(entry.octets) };
  return JSON.stringify(entry.blanked.length === 0 ? line : { ...line, blanked: entry.blanked });
}

/** Reads a whole file. Throws RECORDING_INVALID with the line at fault; the last line may lack its newline. */
export function parseRecording(text: string): Recording {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  if (lines.length > LINE_LIMIT) throw invalid(LINE_LIMIT, "too many lines");
  const [first, ...rest] = lines;
  if (first === undefined) throw invalid(1, "empty");
  return {
    header: parseHeader(first),
    entries: rest.map((line, index) => parseEntryLine(line, index + 2)),
  };
}

/** One line after the first; `number` counts from 1. Throws RECORDING_INVALID. */
export function parseEntryLine(line: string, number: number): RecordingEntry {
  return parseEntry(parseObject(line, number), number);
}

type JsonObject = Readonly<Record<string, unknown>>;

function parseHeader(line: string): RecordingHeader {
  const json = parseObject(line, 1);
  const { peer, version, command, settings } = json;
  if (json["recording"] !== FORM) throw invalid(1, "recording");
  if (typeof peer !== "string") throw invalid(1, "peer");
  if (typeof version !== "string") throw invalid(1, "version");
  if (typeof command !== "string") throw invalid(1, "command");
  if (settings === undefined) return { peer, version, command };
  if (!isObject(settings)) throw invalid(1, "settings");
  const checked: Record<string, string | number | boolean> = {};
  for (const [key, value] of Object.entries(settings)) {
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") throw invalid(1, key);
    checked[key] = value;
  }
  return { peer, version, command, settings: checked };
}

function parseEntry(json: JsonObject, line: number): RecordingEntry {
  const { t: tMs, dir, hex, by, blanked = [] } = json;
  if (typeof tMs !== "number") throw invalid(line, "t");
  if (dir === "end" && (by === "local" || by === "peer")) return { tMs, dir, by };
  if (dir !== "tx" && dir !== "rx") throw invalid(line, "dir");
  if (typeof hex !== "string") throw invalid(line, "hex");
  if (!Array.isArray(blanked) || !blanked.every(isRange)) throw invalid(line, "blanked");
  try {
    return { tMs, dir, octets: fromHex(hex), blanked };
  } catch (error) {
    throw new ChannelError("RECORDING_INVALID", { line, field: "hex" }, { cause: error });
  }
}

function parseObject(line: string, number: number): JsonObject {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (error) {
    throw new ChannelError("RECORDING_INVALID", { line: number, field: "json" }, { cause: error });
  }
  if (!isObject(json)) throw invalid(number, "json");
  return json;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isRange(value: unknown): value is BlankedRange {
  return Array.isArray(value) && value.length === 2 && value.every((number) => Number.isInteger(number) && number >= 0);
}

function invalid(line: number, field: string): ChannelError {
  return new ChannelError("RECORDING_INVALID", { line, field });
}
