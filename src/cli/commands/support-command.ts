/**
 * `support`: one session with a meter, and why it failed, as a recording that can be given away: without keys, and with
 * pseudonyms for what says whose meter it is. `replay` shows and plays it.
 */
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import {
  formatEntry,
  formatHeader,
  parseEntryLine,
  type RecordingEntry,
} from "../../../drivers/recording/recording.ts";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { meter as meterAnswer } from "../../api/answers/meters.ts";
import { traceLine } from "../../api/answers/traces.ts";
import { askDaemon, askForLines, askForRead } from "../../api/local-client.ts";
import { type ReadRefusal, ReadRefusedError } from "../../api/read-answer.ts";
import { Pseudonyms } from "../../trace/pseudonyms.ts";
import { scrubEntries, scrubText } from "../../trace/scrubbing.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import type { Output } from "../terminal/output.ts";
import { VERSION } from "../version.ts";
import { defaultCounterFile } from "./direct-meter.ts";
import { pseudonymSalt } from "./pseudonym-salt.ts";
import { printRefusal } from "./read-command.ts";
import { namesOf } from "./support-names.ts";

export interface SupportOptions {
  readonly socket: string;
  readonly read: string;
  readonly out: string;
  readonly json?: true;
}

const settingsForm = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
/** The answer to a read may overtake the last lines of its session. */
const LAST_LINES_MS = 500;
const SECRET_MODE = 0o600;

export async function supportCommand(name: string, options: SupportOptions, output: Output): Promise<ExitReason> {
  const { socket, read, out, json } = options;
  const path = `/v1/meters/${encodeURIComponent(name)}`;
  const meter = await askDaemon(socket, { path, answer: meterAnswer });
  const settings = await askDaemon(socket, { path: `${path}/settings`, answer: settingsForm });
  const pseudonyms = new Pseudonyms(await pseudonymSalt(join(dirname(defaultCounterFile()), "pseudonyms")));
  const { entries, refusal } = await session(meter.name, options);
  if (entries.length === 0) output.err(`${meter.name}: nothing passed: the bundle has the cause only`);
  const names = namesOf(meter, settings, Object.values(refusal ?? {}).join("\n"));
  const titles = meter.systemTitle === null ? [] : [fromHex(meter.systemTitle)];
  const scrubbed = scrubEntries(entries, { names, systemTitles: titles }, pseudonyms);
  const said = { ...settings, ...refusal, ...(meter.systemTitle !== null && { systemTitle: meter.systemTitle }) };
  const header = {
    peer: pseudonyms.of(meter.name),
    version: VERSION,
    command: `dlms-gateway support, read ${read}`,
    settings: Object.fromEntries(
      Object.entries(said).map(([key, value]) => {
        return [key, typeof value === "string" ? scrubText(value, names, pseudonyms) : value];
      }),
    ),
  };
  await writeFile(out, `${[formatHeader(header), ...scrubbed.map(formatEntry)].join("\n")}\n`, { mode: SECRET_MODE });
  if (json === true) output.out(JSON.stringify({ file: out, frames: entries.length, refusal: refusal ?? null }));
  else {
    if (refusal !== undefined) printRefusal(new ReadRefusedError(refusal), {}, output);
    output.err(`${out}: look at it with \`dlms-gateway replay ${out}\` before you give it away`);
  }
  return "success";
}

/** What passes while the meter is read, and why that failed if it did. */
async function session(
  meter: string,
  { socket, read: what }: SupportOptions,
): Promise<{ entries: RecordingEntry[]; refusal: ReadRefusal | undefined }> {
  const stop = new AbortController();
  const entries: RecordingEntry[] = [];
  let read: Promise<ReadRefusal | undefined> = Promise.resolve(undefined);
  const order = { path: `/v1/meters/${encodeURIComponent(meter)}/trace`, signal: stop.signal };
  try {
    for await (const line of askForLines(socket, order, traceLine)) {
      if (line.type === "listening") {
        read = refusalOf(socket, meter, what).finally(() => setTimeout(() => stop.abort(), LAST_LINES_MS));
        // What it rejects with is told at the end, when the last lines are here.
        void read.catch(() => undefined);
      } else if (line.type === "recorded" && !line.line.startsWith('{"recording"')) {
        entries.push(parseEntryLine(line.line, entries.length + 1));
      } else if (line.type === "ended") break;
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
  return { entries, refusal: await read };
}

async function refusalOf(socket: string, meter: string, what: string): Promise<ReadRefusal | undefined> {
  try {
    await askForRead(socket, meter, what);
    return undefined;
  } catch (error) {
    if (error instanceof ReadRefusedError) return error.refusal;
    throw error;
  }
}
